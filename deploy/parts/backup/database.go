package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// addDatabase writes a copy of a SQLite database that is one transaction's view of it, whoever writes to it meanwhile.
func (b *writer) addDatabase(ctx context.Context, name string) error {
	spool, err := os.MkdirTemp(b.cfg.Spool, ".lienthong-backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(spool)
	copied := filepath.Join(spool, "copy.db")
	if err := vacuumInto(ctx, b.source(name), copied); err != nil {
		return fmt.Errorf("copy database %s: %w", name, err)
	}
	f, err := os.Open(copied)
	if err != nil {
		return err
	}
	defer f.Close()
	return b.addOpen(ctx, name, f)
}

func vacuumInto(ctx context.Context, from, to string) (err error) {
	dsn := url.URL{Scheme: "file", Opaque: url.PathEscape(from), RawQuery: "mode=rw&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, "VACUUM INTO $1", to)
	return err
}
