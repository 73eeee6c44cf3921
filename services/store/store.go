// Package store opens a database, migrates it, fills it fast and traces its statements. The SQL itself is written
// by whoever owns the tables, for SQLite and PostgreSQL alike: $1 placeholders, ON CONFLICT, RETURNING, columns of
// text, integer and blob only.
//
// What does not belong here: tables, and anything that knows what is in them.
//
// Invariants:
//   - What DB.Write committed is on disk: synchronous is FULL.
//   - A database is filled whole or not at all, and what Fill put there is on disk when it returns.
//   - A migration is applied once, whole or not at all, and never changes afterwards.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Config says which database to open.
type Config struct {
	// Path of the SQLite file. Made if it does not exist; its directory must.
	Path string
	// Readers is the number of connections for reading, 2 to 8. Default: two for each processor.
	Readers int
	// CacheKiB is the page cache of each connection in KiB. Default 2,000: several databases share a process.
	CacheKiB int
}

// DB is an open database. Its methods may be called concurrently.
type DB struct {
	// Read is the pool for reading: it refuses to write.
	Read *sql.DB
	// Write is the one connection that writes. A transaction on it holds the database's write lock from its
	// beginning; keep it short.
	Write *sql.DB

	path    string
	readers int
}

const (
	busyTimeoutMS     = 5000
	defaultCacheKiB   = 2000
	minReaders        = 2
	maxReaders        = 8
	readersPerCPU     = 2
	checkpointPages   = 1000 // of 4 KiB: how far the log grows before it is written back
	journalLimitBytes = 16 << 20
)

// Open opens the database at a path, and makes it if there is none. The caller closes it.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Path == "" {
		return nil, errors.New("open database: no path given")
	}
	if cfg.CacheKiB == 0 {
		cfg.CacheKiB = defaultCacheKiB
	}
	if cfg.Readers == 0 {
		cfg.Readers = readersPerCPU * runtime.GOMAXPROCS(0)
	}
	cfg.Readers = min(max(cfg.Readers, minReaders), maxReaders)

	db := &DB{path: cfg.Path, readers: cfg.Readers}
	var err error
	// The writer comes first: it makes the file and turns the write-ahead log on.
	if db.Write, err = openPool(ctx, cfg, 1, "_txlock=immediate", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)",
		fmt.Sprintf("_pragma=wal_autocheckpoint(%d)", checkpointPages), fmt.Sprintf("_pragma=journal_size_limit(%d)", journalLimitBytes)); err != nil {
		return nil, fmt.Errorf("open database to write: %w", err)
	}
	if db.Read, err = openPool(ctx, cfg, cfg.Readers, "_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(fmt.Errorf("open database to read: %w", err), db.Write.Close())
	}
	return db, nil
}

// openPool opens a pool of connections with the given settings. busy_timeout comes first, so that the others wait.
func openPool(ctx context.Context, cfg Config, size int, settings ...string) (*sql.DB, error) {
	dsn := fmt.Sprintf("file:%s?_pragma=busy_timeout(%d)&_pragma=cache_size(-%d)&_pragma=foreign_keys(1)",
		(&url.URL{Path: cfg.Path}).EscapedPath(), busyTimeoutMS, cfg.CacheKiB)
	for _, s := range settings {
		dsn += "&" + s
	}
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size) // a connection keeps its prepared statements: never drop it for being idle
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return pool, nil
}

// Close closes both pools. Statements prepared on them end with them.
func (db *DB) Close() error {
	return errors.Join(db.Read.Close(), db.Write.Close())
}

// InTx runs do in one transaction on the writer: it is durable when InTx returns nil, and undone otherwise.
func (db *DB) InTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := db.Write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err := do(tx); err != nil {
		if undo := ignoreDone(tx.Rollback()); undo != nil {
			return errors.Join(err, undo)
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}

// ignoreDone drops the error of rolling back what a cancelled context has rolled back already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// InReadTx runs do in one transaction that reads: all that do reads is of one moment. It is undone, whatever comes of it.
func (db *DB) InReadTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := db.Read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin reading: %w", err)
	}
	return errors.Join(do(tx), ignoreDone(tx.Rollback()))
}
