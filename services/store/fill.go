package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/lienthong/lienthong/services/store/sqlitefile"
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
	// says. A row may be reused for the next.
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
		return errors.Join(err, removeDatabase(next))
	}
	return db.become(ctx, next)
}

// makeNext makes the filled database at a path.
func (db *DB) makeNext(ctx context.Context, path string, tables []Table) error {
	if _, err := db.Write.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("copy schema: %w", err)
	}
	var schemas []tableSchema
	err := withPrivate(ctx, path, func(conn *sql.DB) (err error) {
		schemas, err = emptyTables(ctx, conn, tables)
		return err
	})
	if err != nil {
		return err
	}
	if err := writeTables(ctx, path, tables, schemas); err != nil {
		return err
	}
	return withPrivate(ctx, path, func(conn *sql.DB) error {
		if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA analysis_limit = %d; ANALYZE", analysisLimit)); err != nil {
			return fmt.Errorf("analyze: %w", err)
		}
		_, err := conn.ExecContext(ctx, `INSERT INTO fill_done (one, done) VALUES (1, $1)`, time.Now().UTC().Format(time.RFC3339))
		return err
	})
}

// withPrivate opens a database that nobody else has and that is thrown away if anything fails.
func withPrivate(ctx context.Context, path string, do func(*sql.DB) error) error {
	pool, err := openPool(ctx, Config{Path: path, CacheKiB: defaultCacheKiB}, 1, "_pragma=journal_mode(OFF)", "_pragma=synchronous(OFF)")
	if err != nil {
		return fmt.Errorf("open new database: %w", err)
	}
	return errors.Join(do(pool), pool.Close())
}

// emptyTables empties the tables and says how they are built.
func emptyTables(ctx context.Context, conn *sql.DB, tables []Table) ([]tableSchema, error) {
	var schemas []tableSchema
	for _, t := range tables {
		schema, err := readSchema(ctx, conn, t)
		if err != nil {
			return nil, fmt.Errorf("fill %s: %w", t.Name, err)
		}
		if _, err := conn.ExecContext(ctx, "DELETE FROM "+t.Name); err != nil {
			return nil, fmt.Errorf("empty %s: %w", t.Name, err)
		}
		schemas = append(schemas, schema)
	}
	return schemas, nil
}

func writeTables(ctx context.Context, path string, tables []Table, schemas []tableSchema) error {
	f, err := sqlitefile.Open(path)
	if err != nil {
		return err
	}
	for i := range tables {
		if err := schemas[i].write(ctx, f, tables[i].Rows); err != nil {
			return errors.Join(fmt.Errorf("fill %s: %w", tables[i].Name, err), f.Close())
		}
	}
	return f.Close()
}
