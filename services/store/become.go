package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// become puts another database file, which is closed, in the place of this one. All connections are closed before and
// made again when they are needed; prepared statements follow by themselves.
func (db *DB) become(ctx context.Context, next string) error {
	db.Read.SetMaxIdleConns(0)
	db.Write.SetMaxIdleConns(0)
	defer func() {
		db.Read.SetMaxIdleConns(db.readers)
		db.Write.SetMaxIdleConns(1)
	}()
	if db.Read.Stats().OpenConnections+db.Write.Stats().OpenConnections > 0 {
		return fmt.Errorf("fill %s: it is in use", filepath.Base(db.path))
	}
	// The last connection takes the log with it. If there still is one, another process has the database open, and
	// the log must not be taken for the new file's.
	if _, err := os.Stat(db.path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("fill %s: another process has it open", filepath.Base(db.path)), err)
	}
	if err := replaceFile(db.path, next); err != nil {
		return fmt.Errorf("put filled database in its place: %w", err)
	}
	return db.Write.PingContext(ctx) // the writer turns the log on
}

// replaceFile renames a file durably.
func replaceFile(path, next string) error {
	file, err := os.OpenFile(next, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close(), os.Rename(next, path)); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// removeDatabase removes a database file, if there is one, with its companions.
func removeDatabase(path string) error {
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove unfinished database: %w", err)
		}
	}
	return nil
}
