package store

import (
	"context"
	"database/sql"
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

// replaceRows puts rows in place of what a table has, in one transaction.
func replaceRows(ctx context.Context, next *sql.DB, t Table) error {
	for _, name := range append([]string{t.Name}, t.Columns...) {
		if !identifier.MatchString(name) {
			return fmt.Errorf("%q is no table or column name", name)
		}
	}
	tx, err := next.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, "DELETE FROM "+t.Name); err == nil {
		err = insertRows(ctx, tx, t.Name, t.Columns, t.Rows)
	}
	if err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// insertRows inserts many rows at a time.
func insertRows(ctx context.Context, tx *sql.Tx, table string, columns []string, rows iter.Seq[[]any]) error {
	perInsert := min(max(loadMaxValues/len(columns), 1), loadMaxRows)
	insert, err := tx.PrepareContext(ctx, insertText(table, columns, perInsert))
	if err != nil {
		return err
	}
	defer insert.Close()
	values := make([]any, 0, perInsert*len(columns))
	for row := range rows {
		if len(row) != len(columns) {
			return fmt.Errorf("a row has %d values for %d columns", len(row), len(columns))
		}
		values = append(values, row...)
		if len(values) < cap(values) {
			continue
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return err
		}
		values = values[:0]
	}
	if len(values) == 0 {
		return nil
	}
	_, err = tx.ExecContext(ctx, insertText(table, columns, len(values)/len(columns)), values...)
	return err
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
