// Package state keeps the hub's own state in SQL: who its members are, what may be asked, what was agreed, and every
// change of that. SQL holds, NATS rings: whoever changes something rings a bell, and each gateway reads anew.
//
// Invariants:
//   - A change is one transaction: what is changed, the new revision, and the record of who did it are there together
//     or not at all.
//   - Revisions grow by one; numbers of changes have no gap.
//   - Each change is recorded in a gateway's ledger at least once. A change that was recorded twice, because a gateway
//     crashed in between, has the same number twice.
//   - Changes are never altered or removed.
//
// What does not belong here: what the tables mean (member, catalog, agreement, meter, guard own theirs; the schema lies
// in migrations because one database has one), and who may change what.
package state

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/services/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is the open state. Its methods may be called concurrently, and by several processes.
type DB struct {
	*store.DB
	now func() time.Time
}

// Config says where the state lies.
type Config struct {
	store.Config
	Now func() time.Time // default time.Now
}

// Open opens the state, and makes it if there is none. The caller closes it.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	db, err := store.Open(ctx, cfg.Config)
	if err != nil {
		return nil, fmt.Errorf("open the hub's state: %w", err)
	}
	if err := db.Migrate(ctx, migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("open the hub's state: %w", err), db.Close())
	}
	return &DB{DB: db, now: cfg.Now}, nil
}

// Actor is who changes something.
type Actor struct {
	ID      peer.ID // the system
	Serial  string  // certificate that it showed; empty for who has the hub's machine
	Officer string  // for whom it did so; may be empty
}

// Tx is a change under way.
type Tx struct {
	*sql.Tx
	Revision int64     // that the change makes: rows that it writes carry it
	Now      time.Time // of the change
	By       Actor

	changes []*hubv1.Change
}

// Record says what was changed; a Tx without a record is no change and undone. Who did it is filled in.
func (tx *Tx) Record(c *hubv1.Change) { tx.changes = append(tx.changes, c) }

// Made is what a change made.
type Made struct {
	Revision int64   // 0: nothing was changed
	Numbers  []int64 // of its records
}

// errNothing undoes a transaction in which nothing was changed.
var errNothing = errors.New("nothing was changed")

// Change runs do as one change. If do fails, or records nothing, nothing has happened. do may be called more than once,
// and must not keep anything of a call that failed.
func (db *DB) Change(ctx context.Context, by Actor, do func(*Tx) error) (Made, error) {
	var made Made
	err := db.InTx(ctx, func(raw *sql.Tx) error {
		made = Made{}
		tx := &Tx{Tx: raw, By: by, Now: db.now().UTC()}
		if err := tx.QueryRowContext(ctx, `UPDATE revision SET number = number + 1 WHERE one = 1 RETURNING number`).Scan(&tx.Revision); err != nil {
			return fmt.Errorf("count revision: %w", err)
		}
		if err := do(tx); err != nil {
			return err
		}
		if len(tx.changes) == 0 {
			return errNothing
		}
		made.Revision = tx.Revision
		var err error
		made.Numbers, err = tx.write(ctx)
		return err
	})
	if errors.Is(err, errNothing) {
		return Made{}, nil
	}
	if err != nil {
		return Made{}, err
	}
	return made, nil
}

// Revision says how many changes there were.
func (db *DB) Revision(ctx context.Context) (number int64, err error) {
	err = db.Read.QueryRowContext(ctx, `SELECT number FROM revision WHERE one = 1`).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("read revision: %w", err)
	}
	return number, nil
}

// RevisionOf says which revision a transaction that reads sees.
func RevisionOf(ctx context.Context, tx *sql.Tx) (number int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT number FROM revision WHERE one = 1`).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("read revision: %w", err)
	}
	return number, nil
}

// secretSize is that of every secret, in bytes.
const secretSize = 32

// Secret returns the secret of a name: 32 random bytes, the same for all gateways. It is made when it is first asked for.
func (db *DB) Secret(ctx context.Context, name string) ([]byte, error) {
	fresh := make([]byte, secretSize)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("make secret %s: %w", name, err)
	}
	var value []byte
	err := db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, fresh); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM secret WHERE name = $1`, name).Scan(&value)
	})
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	return value, nil
}
