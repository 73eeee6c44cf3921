package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const fillTable = `CREATE TABLE IF NOT EXISTS fill_done (
	one  INTEGER PRIMARY KEY CHECK (one = 1),
	done TEXT NOT NULL
)`

// analysisLimit is how many rows of an index are looked at to plan queries: enough, and quick on any size.
const analysisLimit = 1000

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

// Fill runs load for a database that was never filled to the end: it empties the tables first, so half of an
// earlier fill leaves nothing, and records the end of load as the last thing, durably. It does nothing for a
// filled database. What load does besides Load, such as making indices, must bear repeating.
func (db *DB) Fill(ctx context.Context, tables []string, load func(context.Context) error) error {
	filled, err := db.Filled(ctx)
	if err != nil || filled {
		return err
	}
	for _, table := range tables {
		if !identifier.MatchString(table) {
			return fmt.Errorf("fill: %q is no table name", table)
		}
		if _, err := db.Write.ExecContext(ctx, "DELETE FROM "+table); err != nil {
			return fmt.Errorf("empty %s: %w", table, err)
		}
	}
	if err := load(ctx); err != nil {
		return err
	}
	if _, err := db.Write.ExecContext(ctx, fmt.Sprintf("PRAGMA analysis_limit = %d; ANALYZE", analysisLimit)); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	_, err = db.Write.ExecContext(ctx, `INSERT INTO fill_done (one, done) VALUES (1, $1)`, time.Now().UTC().Format(time.RFC3339))
	if err != nil {
		return fmt.Errorf("record fill: %w", err)
	}
	return nil
}
