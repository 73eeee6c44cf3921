package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

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

// table is what fills table people with n rows.
func table(n int) store.Table {
	return store.Table{Name: "people", Columns: []string{"id", "name", "year"}, Rows: people(n)}
}

func TestRowsOfAFillSurviveReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "có dấu cách?#%.db")
	db, err := store.Open(t.Context(), store.Config{Path: path})
	require.NoError(t, err)
	require.NoError(t, db.Migrate(t.Context(), migrations))
	require.NoError(t, db.Fill(t.Context(), table(2345)))
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

func TestWriterIsDurableBeforeAndAfterAFill(t *testing.T) {
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
	twice := func(yield func([]any) bool) { people(10)(yield); people(10)(yield) }
	require.Error(t, db.Fill(t.Context(), store.Table{Name: "people", Columns: table(0).Columns, Rows: twice}), "ids are unique")
	durable()
	require.NoError(t, db.Fill(t.Context(), table(10)))
	durable()
}

func TestFailedFillLeavesEverythingAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, path)
	require.NoError(t, db.Migrate(t.Context(), migrations))
	_, err := db.Write.ExecContext(t.Context(), `INSERT INTO people (id, name) VALUES ('1', 'Hoà')`)
	require.NoError(t, err)
	for _, later := range []time.Duration{0, 50 * time.Millisecond} { // 50 ms: the transaction is rolled back by then
		ctx, cancel := context.WithCancel(t.Context())
		cutOff := table(5000)
		cutOff.Rows = func(yield func([]any) bool) {
			for row := range people(5000) {
				if row[2] == 900 {
					cancel()
					time.Sleep(later)
				}
				if !yield(row) {
					return
				}
			}
		}
		require.ErrorIs(t, db.Fill(ctx, cutOff), context.Canceled)
	}
	rows := func(all ...[]any) iter.Seq[[]any] { return slices.Values(all) }
	for name, t1 := range map[string]store.Table{
		"short row":      {Name: "people", Columns: table(0).Columns, Rows: rows([]any{"1"})},
		"NULL id":        {Name: "people", Columns: table(0).Columns, Rows: rows([]any{nil, "a", 1})},
		"twice one id":   {Name: "people", Columns: table(0).Columns, Rows: rows([]any{"1", "a", 1}, []any{"1", "b", 1})},
		"unknown column": {Name: "people", Columns: []string{"id", "name", "year", "month"}, Rows: rows()},
		"unknown table":  {Name: "folk", Columns: []string{"id"}, Rows: rows()},
		"no name":        {Name: "people; DROP TABLE people", Columns: []string{"id"}, Rows: rows()},
	} {
		require.Error(t, db.Fill(t.Context(), t1), name)
	}
	require.NoFileExists(t, path+".filling")
	var id string
	require.NoError(t, db.Read.QueryRowContext(t.Context(), `SELECT id FROM people`).Scan(&id))
	require.Equal(t, "1", id)
}

func TestFillIsRefusedWhileSomebodyReads(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, db.Migrate(t.Context(), migrations))
	conn, err := db.Read.Conn(t.Context())
	require.NoError(t, err)
	require.ErrorContains(t, db.Fill(t.Context(), table(10)), "in use")
	require.NoError(t, conn.Close())
	require.NoError(t, db.Fill(t.Context(), table(10)))
}

func TestFillIsRefusedWhileAnotherProcessHasTheDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db, other := open(t, path), open(t, path)
	require.NoError(t, db.Migrate(t.Context(), migrations))
	require.ErrorContains(t, db.Fill(t.Context(), table(10)), "another process")
	require.NoError(t, other.Migrate(t.Context(), migrations), "nothing has happened")
}

func TestPreparedStatementsFollowAFill(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, db.Migrate(t.Context(), migrations))
	find, err := store.Prepare(t.Context(), db.Read, "people.find", `SELECT year FROM people WHERE id = $1`)
	require.NoError(t, err)
	add, err := store.Prepare(t.Context(), db.Write, "people.add", `INSERT INTO people (id, name, year) VALUES ($1, $2, $3)`)
	require.NoError(t, err)
	var year int
	require.ErrorIs(t, find.Find(t.Context(), "000000000007").Scan(&year), sql.ErrNoRows)
	require.NoError(t, db.Fill(t.Context(), table(10)))
	require.NoError(t, find.Find(t.Context(), "000000000007").Scan(&year))
	require.Equal(t, 7, year)
	_, err = add.Exec(t.Context(), "000000000010", "Hoà", 10)
	require.NoError(t, err)
	require.NoError(t, find.Find(t.Context(), "000000000010").Scan(&year))
	require.Equal(t, 10, year)
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

func TestDatabaseIsFilledOnce(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"))
	require.NoError(t, db.Migrate(t.Context(), migrations))
	filled, err := db.Filled(t.Context())
	require.NoError(t, err)
	require.False(t, filled)
	require.NoError(t, db.Fill(t.Context(), table(100)))
	filled, err = db.Filled(t.Context())
	require.NoError(t, err)
	require.True(t, filled)
	require.NoError(t, db.Fill(t.Context(), table(7)), "once is enough")
	var n int
	require.NoError(t, db.Read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM people`).Scan(&n))
	require.Equal(t, 100, n)
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
	require.NoError(t, db.Fill(t.Context(), table(10)))
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

func BenchmarkFillOfNarrowRows(b *testing.B) {
	const n = 200_000
	for b.Loop() {
		db := open(b, filepath.Join(b.TempDir(), "a.db"))
		require.NoError(b, db.Migrate(b.Context(), migrations))
		require.NoError(b, db.Fill(b.Context(), table(n)))
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkPointQuery(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "a.db"))
	require.NoError(b, db.Migrate(b.Context(), migrations))
	require.NoError(b, db.Fill(b.Context(), table(100_000)))
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
