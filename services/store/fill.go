package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"
)

const fillTable = `CREATE TABLE IF NOT EXISTS fill_done (
	one  INTEGER PRIMARY KEY CHECK (one = 1),
	done TEXT NOT NULL
)`

// analysisLimit is how many rows of an index are looked at to plan queries: enough, and quick on any size.
const analysisLimit = 1000

// Table is what a Fill puts into a table.
type Table struct {
	// Name of the table.
	Name string
	// Columns are all columns of the table.
	Columns []string
	// Rows are the rows: one value for each of Columns, which is a string, int, int64, []byte or nil as the column
	// says. A row may be reused for the next, but not the bytes of a []byte in it: rows wait for one another.
	Rows iter.Seq[[]any]
}

// Filled reports whether a Fill of this database has come to its end.
func (db *DB) Filled(ctx context.Context) (bool, error) {
	if _, err := db.Write.ExecContext(ctx, fillTable); err != nil {
		return false, fmt.Errorf("make fill table: %w", err)
	}
	var one int
	err := db.Write.QueryRowContext(ctx, `SELECT one FROM fill_done`).Scan(&one)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("read fill: %w", err)
	}
	return err == nil, nil
}

// Fill puts rows into a database that was never filled, in the place of what these tables have, and makes their
// indices. It is all or nothing: the database is made anew beside itself and takes the other's place when it is whole
// and on disk. It does nothing for a filled database.
//
// Nobody may use the database meanwhile. Statements that are prepared stay good.
func (db *DB) Fill(ctx context.Context, tables ...Table) error {
	filled, err := db.Filled(ctx)
	if err != nil || filled {
		return err
	}
	next := db.path + ".filling"
	if err := removeDatabase(next); err != nil {
		return err
	}
	if err := db.makeNext(ctx, next, tables); err != nil {
		// A transaction that the end of ctx rolled back may fail with words of its own, such as "statement is closed".
		if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, err)
		}
		return errors.Join(err, removeDatabase(next))
	}
	return db.become(ctx, next)
}

// makeNext makes the filled database at a path. Whatever fails, it is thrown away: so nothing of it is logged or
// synced before it is whole.
func (db *DB) makeNext(ctx context.Context, path string, tables []Table) (err error) {
	if _, err := db.Write.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("copy schema: %w", err)
	}
	next, err := openPool(ctx, Config{Path: path, CacheKiB: loadCacheKiB}, 1,
		"_pragma=journal_mode(OFF)", "_pragma=synchronous(OFF)", "_pragma=locking_mode(EXCLUSIVE)")
	if err != nil {
		return fmt.Errorf("open new database: %w", err)
	}
	defer func() { err = errors.Join(err, next.Close()) }()
	for _, t := range tables {
		if err := fillTableOf(ctx, next, t); err != nil {
			return fmt.Errorf("fill %s: %w", t.Name, err)
		}
	}
	if _, err := next.ExecContext(ctx, fmt.Sprintf("PRAGMA analysis_limit = %d; ANALYZE", analysisLimit)); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	_, err = next.ExecContext(ctx, `INSERT INTO fill_done (one, done) VALUES (1, $1)`, time.Now().UTC().Format(time.RFC3339))
	return err
}

// fillTableOf puts a table's rows in place of what it has. Its indices are made when the rows are there, which sorts
// each once.
func fillTableOf(ctx context.Context, next *sql.DB, t Table) error {
	indices, err := indicesOf(ctx, next, t.Name)
	if err != nil {
		return err
	}
	for _, x := range indices {
		if _, err := next.ExecContext(ctx, "DROP INDEX "+x.name); err != nil {
			return fmt.Errorf("drop index %s: %w", x.name, err)
		}
	}
	if err := replaceRows(ctx, next, t); err != nil {
		return err
	}
	for _, x := range indices {
		if _, err := next.ExecContext(ctx, x.text); err != nil {
			return fmt.Errorf("make index %s: %w", x.name, err)
		}
	}
	return nil
}

type index struct{ name, text string }

// indicesOf lists the indices that were made by a statement of their own; those of constraints stay.
func indicesOf(ctx context.Context, next *sql.DB, table string) ([]index, error) {
	rows, err := next.QueryContext(ctx,
		`SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL`, table)
	if err != nil {
		return nil, fmt.Errorf("list indices: %w", err)
	}
	defer rows.Close()
	var found []index
	for rows.Next() {
		var x index
		if err := rows.Scan(&x.name, &x.text); err != nil {
			return nil, fmt.Errorf("list indices: %w", err)
		}
		found = append(found, x)
	}
	return found, rows.Err()
}
