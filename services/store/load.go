package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strings"
)

const (
	loadCacheKiB  = 32_000
	loadMaxValues = 1_000 // placeholders of one INSERT: more gains nothing
	loadMaxRows   = 100
)

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Load inserts rows into a table, fast, in one transaction, and returns how many; on error none is there. Each
// row has one value for each column: string, int, int64, []byte or nil. A row may be reused for the next.
//
// The table is best without indices while it is loaded; make them afterwards. Readers go on; writers wait.
func (db *DB) Load(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) (n int64, err error) {
	for _, name := range append([]string{table}, columns...) {
		if !identifier.MatchString(name) {
			return 0, fmt.Errorf("load: %q is no table or column name", name)
		}
	}
	conn, err := db.Write.Conn(ctx)
	if err != nil {
		return 0, fmt.Errorf("load %s: %w", table, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := db.relax(ctx, conn); err != nil {
		return 0, fmt.Errorf("load %s: %w", table, err)
	}
	defer func() { err = errors.Join(err, db.harden(context.WithoutCancel(ctx), conn)) }()
	if n, err = insertAll(ctx, conn, table, columns, rows); err != nil {
		return 0, fmt.Errorf("load %s: %w", table, err)
	}
	return n, nil
}

// relax lets the connection commit without a sync and with a large cache. Nothing can be torn by that: the log is
// checksummed, and it is written back to the database in harden only, with syncs.
func (db *DB) relax(ctx context.Context, conn *sql.Conn) error {
	return execAll(ctx, conn, "PRAGMA synchronous = NORMAL", "PRAGMA wal_autocheckpoint = 0",
		fmt.Sprintf("PRAGMA cache_size = -%d", loadCacheKiB))
}

// harden makes what was loaded durable, and the connection as before. A connection that cannot be made so is
// thrown away.
func (db *DB) harden(ctx context.Context, conn *sql.Conn) error {
	err := execAll(ctx, conn, "PRAGMA synchronous = FULL", "PRAGMA wal_checkpoint(TRUNCATE)",
		fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", checkpointPages),
		fmt.Sprintf("PRAGMA cache_size = -%d", db.cacheKiB), "PRAGMA shrink_memory")
	if err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // marks it as bad, and says so
		return fmt.Errorf("make load durable: %w", err)
	}
	return nil
}

func execAll(ctx context.Context, conn *sql.Conn, statements ...string) error {
	for _, s := range statements {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func insertAll(ctx context.Context, conn *sql.Conn, table string, columns []string, rows iter.Seq[[]any]) (int64, error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	n, err := insertRows(ctx, tx, table, columns, rows)
	if err != nil {
		return 0, errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return n, tx.Commit()
}

func insertRows(ctx context.Context, tx *sql.Tx, table string, columns []string, rows iter.Seq[[]any]) (int64, error) {
	perInsert := min(max(loadMaxValues/len(columns), 1), loadMaxRows)
	insert, err := tx.PrepareContext(ctx, insertText(table, columns, perInsert))
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	values := make([]any, 0, perInsert*len(columns))
	var n int64
	for row := range rows {
		if len(row) != len(columns) {
			return 0, fmt.Errorf("row %d has %d values for %d columns", n, len(row), len(columns))
		}
		values = append(values, row...)
		n++
		if len(values) < cap(values) {
			continue
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return 0, err
		}
		values = values[:0]
	}
	if len(values) > 0 {
		if _, err := tx.ExecContext(ctx, insertText(table, columns, len(values)/len(columns)), values...); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// insertText is INSERT INTO table (a, b) VALUES (?,?),(?,?)… SQLite looks a $1 up in a list for every value that is
// bound to it, which makes a long statement ten times slower.
func insertText(table string, columns []string, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	row := "(" + strings.Repeat("?,", len(columns)-1) + "?)"
	b.WriteString(row)
	for range rows - 1 {
		b.WriteString("," + row)
	}
	return b.String()
}
