package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"time"
)

const migrationTable = `CREATE TABLE IF NOT EXISTS schema_migration (
	number  INTEGER PRIMARY KEY,
	name    TEXT NOT NULL,
	digest  TEXT NOT NULL,
	applied TEXT NOT NULL
)`

var migrationName = regexp.MustCompile(`^([0-9]{3,})_[a-z0-9_]+\.sql$`)

type migration struct {
	number int
	name   string
	text   string
	digest string
}

// Migrate applies the migrations that the database has not had yet: the .sql files of files (in any directory),
// named like 001_people.sql and numbered from 1 without a gap. Each is one transaction. It fails if a migration
// that was applied has changed since, or is missing: write a new one instead.
func (db *DB) Migrate(ctx context.Context, files fs.FS) error {
	migrations, err := readMigrations(files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := db.Write.ExecContext(ctx, migrationTable); err != nil {
		return fmt.Errorf("make migration table: %w", err)
	}
	var last int
	if err := db.Write.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM schema_migration`).Scan(&last); err != nil {
		return fmt.Errorf("read last migration: %w", err)
	}
	if last > len(migrations) {
		return fmt.Errorf("database has migration %d, this program knows %d: it is older than the database", last, len(migrations))
	}
	for _, m := range migrations {
		if err := db.InTx(ctx, func(tx *sql.Tx) error { return m.apply(ctx, tx) }); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	return nil
}

// apply runs the migration unless it was run before; another process may have come first.
func (m migration) apply(ctx context.Context, tx *sql.Tx) error {
	var digest string
	err := tx.QueryRowContext(ctx, `SELECT digest FROM schema_migration WHERE number = $1`, m.number).Scan(&digest)
	switch {
	case err == nil && digest != m.digest:
		return errors.New("the file has changed since it was applied; undo the change and write a new migration")
	case err == nil:
		return nil
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if _, err := tx.ExecContext(ctx, m.text); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO schema_migration (number, name, digest, applied) VALUES ($1, $2, $3, $4)`,
		m.number, m.name, m.digest, time.Now().UTC().Format(time.RFC3339))
	return err
}

func readMigrations(files fs.FS) ([]migration, error) {
	var all []migration
	err := fs.WalkDir(files, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(file) != ".sql" {
			return err
		}
		match := migrationName.FindStringSubmatch(entry.Name())
		if match == nil {
			return fmt.Errorf("%s: name it like 001_people.sql", file)
		}
		number, err := strconv.Atoi(match[1])
		if err != nil || number != len(all)+1 { // WalkDir goes in lexical order
			return fmt.Errorf("%s: number it %03d: they count from 001 without a gap", file, len(all)+1)
		}
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		all = append(all, migration{number, entry.Name(), string(text), hex.EncodeToString(sum[:])})
		return nil
	})
	return all, err
}
