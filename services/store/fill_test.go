package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/services/store"
)

// manyKinds has a table of each kind that a Fill knows, with indices of each kind.
var manyKinds = fstest.MapFS{"001_kinds.sql": {Data: []byte(`
CREATE TABLE plain (number INTEGER, text TEXT, bytes BLOB, word TEXT NOT NULL);
CREATE INDEX plain_text ON plain (text, number);
CREATE INDEX plain_number ON plain (number) WHERE number <> 3 AND text IS NOT NULL;
CREATE INDEX plain_word ON plain (word) WHERE text = '';
CREATE UNIQUE INDEX plain_unique ON plain (number, text) WHERE number = 0;
CREATE TABLE numbered (id INTEGER PRIMARY KEY, text TEXT);
CREATE INDEX numbered_text ON numbered (text);
CREATE TABLE keyed (a TEXT NOT NULL, b INTEGER NOT NULL, PRIMARY KEY (a, b));
CREATE TABLE untouched (id TEXT PRIMARY KEY);
INSERT INTO untouched (id) VALUES ('here');`)}}

// texts are short, or as long as a page of the file, or much longer.
var texts = rapid.Custom(func(t *rapid.T) string {
	n := rapid.SampledFrom([]int{0, 0, 1, 2, 7, 60, 63, 64, 970, 1000, 1010, 4040, 4061, 4070, 9000, 17_000}).Draw(t, "length")
	return strings.Repeat(rapid.SampledFrom([]string{"a", "z", "Z", "~"}).Draw(t, "of"), n)
})

var numbers = rapid.OneOf(rapid.Int64(), rapid.Int64Range(-3, 3), rapid.SampledFrom([]int64{
	127, 128, -128, -129, 1<<15 - 1, 1 << 15, -1 << 15, 1<<23 - 1, 1 << 23, -1<<23 - 1, 1 << 31, 1<<47 - 1, 1 << 47, -1 << 63, 1<<63 - 1}))

func orNull[T any](g *rapid.Generator[T]) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
			return nil
		}
		return g.Draw(t, "value")
	})
}

func TestFilledDatabaseHasItsRowsAndItsIndices(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		path, err := os.MkdirTemp(dir, "")
		require.NoError(rt, err)
		db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(path, "a.db")})
		require.NoError(rt, err)
		defer db.Close()
		require.NoError(rt, db.Migrate(t.Context(), manyKinds))
		plain := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) []any {
			number := orNull(numbers).Draw(rt, "number")
			if number == int64(0) {
				number = nil // else it would have to be unique
			}
			return []any{number, orNull(texts).Draw(rt, "text"), []byte(texts.Draw(rt, "bytes")), texts.Draw(rt, "word")}
		}), 0, 60).Draw(rt, "plain")
		ids := rapid.SliceOfNDistinct(rapid.Int64Range(1, 1<<62), 0, 40, rapid.ID).Draw(rt, "ids")
		slices.Sort(ids)
		var numbered, keyed [][]any
		for i, id := range ids {
			numbered = append(numbered, []any{id, texts.Draw(rt, "text")})
			keyed = append(keyed, []any{int64(i), texts.Draw(rt, "a")}) // columns in another order
		}
		require.NoError(rt, db.Fill(t.Context(),
			store.Table{Name: "plain", Columns: []string{"number", "text", "bytes", "word"}, Rows: slices.Values(plain)},
			store.Table{Name: "numbered", Columns: []string{"id", "text"}, Rows: slices.Values(numbered)},
			store.Table{Name: "keyed", Columns: []string{"b", "a"}, Rows: slices.Values(keyed)}))
		requireSound(rt, db)
		requireRows(rt, db, `SELECT number, text, bytes, word FROM plain ORDER BY rowid`, plain)
		requireRows(rt, db, `SELECT id, text FROM numbered ORDER BY id`, numbered)
		requireRows(rt, db, `SELECT b, a FROM keyed ORDER BY b`, keyed)
		requireRows(rt, db, `SELECT id FROM untouched`, [][]any{{"here"}})
	})
}

// requireSound lets SQLite check every page and every entry of every index.
func requireSound(t require.TestingT, db *store.DB) {
	var said string
	require.NoError(t, db.Read.QueryRow(`PRAGMA integrity_check`).Scan(&said))
	require.Equal(t, "ok", said)
}

func requireRows(t require.TestingT, db *store.DB, query string, want [][]any) {
	rows, err := db.Read.Query(query)
	require.NoError(t, err)
	defer rows.Close()
	for _, row := range want {
		require.True(t, rows.Next())
		got := make([]any, len(row))
		to := make([]any, len(row))
		for i := range got {
			to[i] = &got[i]
		}
		require.NoError(t, rows.Scan(to...))
		for i, v := range row {
			if b, ok := v.([]byte); ok && len(b) == 0 {
				row[i] = got[i]
			}
		}
		require.Equal(t, row, got)
	}
	require.False(t, rows.Next())
	require.NoError(t, rows.Err())
}
