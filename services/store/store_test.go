package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/lienthong/lienthong/services/store"
)

var migrations = fstest.MapFS{
	"migrations/001_people.sql": {Data: []byte(`CREATE TABLE people (id TEXT NOT NULL, name TEXT NOT NULL, year INTEGER);`)},
	"migrations/002_index.sql":  {Data: []byte(`CREATE UNIQUE INDEX people_id ON people (id);`)},
}

func open(t testing.TB, path string) *store.DB {
	db, err := store.Open(t.Context(), store.Config{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func people(n int) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		row := make([]any, 3)
		for i := range n {
			row[0], row[1], row[2] = fmt.Sprintf("%012d", i), "Nguyễn Thị Hoà", i
			if !yield(row) {
				return
			}
		}
	}
}

var columns = []string{"id", "name", "year"}

func TestLoadedRowsSurviveReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "có dấu cách?#%.db")
	db, err := store.Open(t.Context(), store.Config{Path: path})
	require.NoError(t, err)
	require.NoError(t, db.Migrate(t.Context(), migrations))
	n, err := db.Load(t.Context(), "people", columns, people(2345))
	require.NoError(t, err)
	require.EqualValues(t, 2345, n)
	require.NoError(t, db.Migrate(t.Context(), migrations), "a second time changes nothing")
	require.NoError(t, db.Close())
	require.FileExists(t, path)

	db = open(t, path)
	require.NoError(t, db.Migrate(t.Context(), migrations))
	var count, sum int
	require.NoError(t, db.Read.QueryRowContext(t.Context(), `SELECT COUNT(*), SUM(year) FROM people`).Scan(&count, &sum))
	require.Equal(t, 2345, count)
	require.Equal(t, 2345*2344/2, sum)
}

func TestWriterIsDurableBeforeAndAfterLoading(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, db.Migrate(t.Context(), migrations))
	durable := func() {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "wal_autocheckpoint": "1000", "cache_size": "-2000", "busy_timeout": "5000"} {
			var got string
			require.NoError(t, db.Write.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
			require.Equal(t, want, got, pragma)
		}
	}
	durable()
	_, err := db.Load(t.Context(), "people", columns, people(10))
	require.NoError(t, err)
	durable()
	_, err = db.Load(t.Context(), "people", columns, people(10))
	require.Error(t, err, "the ids are there already")
	durable()
}

func TestFailedLoadLeavesNothing(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, db.Migrate(t.Context(), migrations))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := db.Load(ctx, "people", columns, func(yield func([]any) bool) {
		for row := range people(1000) {
			if row[2] == 900 {
				cancel()
			}
			if !yield(row) {
				return
			}
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	_, err = db.Load(t.Context(), "people", columns, func(yield func([]any) bool) { yield([]any{"short"}) })
	require.Error(t, err)
	_, err = db.Load(t.Context(), "people; DROP TABLE people", columns, people(1))
	require.Error(t, err)
	var count int
	require.NoError(t, db.Read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM people`).Scan(&count))
	require.Zero(t, count)
}

func TestReaderPoolCannotWrite(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, db.Migrate(t.Context(), migrations))
	_, err := db.Read.ExecContext(t.Context(), `DELETE FROM people`)
	require.Error(t, err)
}

func TestChangedOrMissingMigrationIsRefused(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, db.Migrate(t.Context(), migrations))
	changed := fstest.MapFS{"001_people.sql": {Data: []byte(`CREATE TABLE folk (id TEXT)`)}, "002_index.sql": migrations["migrations/002_index.sql"]}
	require.ErrorContains(t, db.Migrate(t.Context(), changed), "has changed")
	require.ErrorContains(t, db.Migrate(t.Context(), fstest.MapFS{}), "older than the database")
	gap := fstest.MapFS{"001_people.sql": migrations["migrations/001_people.sql"], "003_x.sql": {Data: []byte(`SELECT 1`)}}
	require.ErrorContains(t, db.Migrate(t.Context(), gap), "number it 002")
	broken := fstest.MapFS{"001_a.sql": migrations["migrations/001_people.sql"], "002_b.sql": migrations["migrations/002_index.sql"],
		"003_c.sql": {Data: []byte(`CREATE TABLE half (id TEXT); CREATE TABLE people (id TEXT);`)}}
	require.Error(t, db.Migrate(t.Context(), broken))
	_, err := db.Read.ExecContext(t.Context(), `SELECT * FROM half`)
	require.Error(t, err, "a failed migration leaves nothing")
}

func TestHalfFilledDatabaseIsFilledAgain(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, db.Migrate(t.Context(), migrations))
	fill := func(ctx context.Context) error {
		_, err := db.Load(ctx, "people", columns, people(100))
		return err
	}
	stopped := errors.New("stopped")
	require.ErrorIs(t, db.Fill(t.Context(), []string{"people"}, func(ctx context.Context) error { return errors.Join(fill(ctx), stopped) }), stopped)
	filled, err := db.Filled(t.Context())
	require.NoError(t, err)
	require.False(t, filled)
	require.NoError(t, db.Fill(t.Context(), []string{"people"}, fill))
	filled, err = db.Filled(t.Context())
	require.NoError(t, err)
	require.True(t, filled)
	require.NoError(t, db.Fill(t.Context(), []string{"people"}, func(context.Context) error { return stopped }), "once is enough")
}

func TestStatementIsTracedOnlyWhenSomebodyRecords(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, db.Migrate(t.Context(), migrations))
	find, err := store.Prepare(t.Context(), db.Read, "people.find", `SELECT name FROM people WHERE id = $1`)
	require.NoError(t, err)
	add, err := store.Prepare(t.Context(), db.Write, "people.add", `INSERT INTO people (id, name) VALUES ($1, $2)`)
	require.NoError(t, err)

	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	require.ErrorIs(t, find.QueryRow(t.Context(), "1").Scan(new(string)), sql.ErrNoRows)
	require.Empty(t, spans.Ended())

	ctx, root := tracer.Start(t.Context(), "root")
	require.NoError(t, db.InTx(ctx, func(tx *sql.Tx) error {
		_, err := add.In(ctx, tx).Exec(ctx, "042187001234", "Hoà")
		return err
	}))
	var name string
	require.NoError(t, find.QueryRow(ctx, "042187001234").Scan(&name))
	require.Equal(t, "Hoà", name)
	_, err = add.Exec(ctx, "042187001234", "Hoà")
	require.Error(t, err)
	root.End()

	ended := spans.Ended()
	require.Len(t, ended, 4)
	for i, want := range []string{"people.add", "people.find", "people.add", "root"} {
		require.Equal(t, want, ended[i].Name())
		require.NotContains(t, fmt.Sprint(ended[i].Attributes(), ended[i].Status(), ended[i].Events()), "042187001234")
	}
}

func TestFindDoesNotBeginWhenTheCallerIsGone(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, db.Migrate(t.Context(), migrations))
	_, err := db.Load(t.Context(), "people", columns, people(10))
	require.NoError(t, err)
	find, err := store.Prepare(t.Context(), db.Read, "people.find", `SELECT year FROM people WHERE id = $1`)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var year int
	require.NoError(t, find.Find(ctx, "000000000007").Scan(&year))
	require.Equal(t, 7, year)
	require.ErrorIs(t, find.Find(ctx, "000000000077").Scan(&year), sql.ErrNoRows)
	cancel()
	require.ErrorIs(t, find.Find(ctx, "000000000007").Scan(&year), context.Canceled)
}

func BenchmarkLoadNarrowRows(b *testing.B) {
	const n = 200_000
	for b.Loop() {
		db := open(b, filepath.Join(b.TempDir(), "a.db"))
		require.NoError(b, db.Migrate(b.Context(), fstest.MapFS{"001_people.sql": migrations["migrations/001_people.sql"]}))
		_, err := db.Load(b.Context(), "people", columns, people(n))
		require.NoError(b, err)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkPointQuery(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "a.db"))
	require.NoError(b, db.Migrate(b.Context(), migrations))
	_, err := db.Load(b.Context(), "people", columns, people(100_000))
	require.NoError(b, err)
	find, err := store.Prepare(b.Context(), db.Read, "people.find", `SELECT name, year FROM people WHERE id = $1`)
	require.NoError(b, err)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		var name string
		var year int
		i = (i + 7919) % 100_000
		require.NoError(b, find.Find(b.Context(), fmt.Sprintf("%012d", i)).Scan(&name, &year))
	}
}
