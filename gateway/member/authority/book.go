package authority

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

// Record is one certificate that was issued.
type Record struct {
	Serial    string       `json:"serial"` // lower-case hexadecimal, 32 digits
	ID        peer.ID      `json:"id"`
	Roles     member.Roles `json:"roles"`               // of the system when it was issued
	Server    bool         `json:"server"`              // may be shown by servers too
	Hosts     []string     `json:"hosts,omitempty"`     // further host names and addresses of a server
	KeyDigest string       `json:"key_digest"`          // SHA-256 of the public key, hexadecimal
	Outside   bool         `json:"outside,omitempty"`   // its key never was here: the system's owner asked for it
	NotBefore time.Time    `json:"not_before"`          // in force from
	NotAfter  time.Time    `json:"not_after"`           // in force until
	RevokedAt time.Time    `json:"revoked_at,omitzero"` // zero if it was not
	Replaced  bool         `json:"replaced,omitempty"`  // a later one was issued to the same system
}

// State says what a certificate is worth.
type State string

// The states of a certificate.
const (
	Valid      State = "valid"
	Superseded State = "superseded" // valid, but the system has a later one
	Expired    State = "expired"
	Revoked    State = "revoked"
)

// State returns what the certificate is worth at the time now.
func (r Record) State(now time.Time) State {
	switch {
	case !r.RevokedAt.IsZero():
		return Revoked
	case now.After(r.NotAfter):
		return Expired
	case r.Replaced:
		return Superseded
	}
	return Valid
}

// due reports whether less than a third of the certificate's time is left.
func (r Record) due(now time.Time) bool {
	return r.NotAfter.Sub(now) < r.NotAfter.Sub(r.NotBefore)/3
}

const columns = `serial, agency, system, roles, server, hosts, key_digest, outside, not_before, not_after, revoked_at, replaced`

// find returns certificates, the oldest first. where may be empty.
func find(ctx context.Context, tx *sql.Tx, where string, args ...any) ([]Record, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+columns+` FROM certificate `+where+` ORDER BY revision, serial`, args...)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	defer rows.Close()
	var all []Record
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read certificates: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func scan(rows *sql.Rows) (r Record, err error) {
	var roles, hosts string
	var server, outside, notBefore, notAfter, revokedAt, replaced int64
	err = rows.Scan(&r.Serial, &r.ID.Agency, &r.ID.System, &roles, &server, &hosts, &r.KeyDigest, &outside, &notBefore, &notAfter, &revokedAt, &replaced)
	if err != nil {
		return r, err
	}
	if r.Roles, err = member.ParseRoles(strings.Split(roles, ",")); err != nil {
		return r, err
	}
	if hosts != "" {
		r.Hosts = strings.Split(hosts, ",")
	}
	r.Server, r.Outside, r.Replaced = server != 0, outside != 0, replaced != 0
	r.NotBefore, r.NotAfter = time.UnixMilli(notBefore).UTC(), time.UnixMilli(notAfter).UTC()
	if revokedAt != 0 {
		r.RevokedAt = time.UnixMilli(revokedAt).UTC()
	}
	return r, nil
}

// add puts a certificate on record; it takes the place of earlier ones of the same system.
func add(ctx context.Context, tx *state.Tx, r Record) error {
	_, err := tx.ExecContext(ctx, `UPDATE certificate SET replaced = 1 WHERE agency = $1 AND system = $2 AND replaced = 0`, r.ID.Agency, r.ID.System)
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO certificate (`+columns+`, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, $11)
			ON CONFLICT (serial) DO NOTHING`,
			r.Serial, r.ID.Agency, r.ID.System, r.Roles.String(), number(r.Server), strings.Join(r.Hosts, ","), r.KeyDigest, number(r.Outside),
			r.NotBefore.UnixMilli(), r.NotAfter.UnixMilli(), tx.Revision)
	}
	if err != nil {
		return fmt.Errorf("put certificate on record: %w", err)
	}
	return nil
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// latest returns the last certificate that was issued to a system.
func latest(ctx context.Context, tx *sql.Tx, id peer.ID) (Record, bool, error) {
	all, err := find(ctx, tx, `WHERE agency = $1 AND system = $2`, id.Agency, id.System)
	if err != nil || len(all) == 0 {
		return Record{}, false, err
	}
	return all[len(all)-1], true, nil
}

// List returns every certificate on record, by identity and then from old to new.
func (a *Authority) List() ([]Record, error) {
	ctx, cancel := bounded()
	defer cancel()
	var all []Record
	err := a.db.InReadTx(ctx, func(tx *sql.Tx) (err error) {
		all, err = find(ctx, tx, "")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	slices.SortStableFunc(all, func(x, y Record) int { return strings.Compare(x.ID.String(), y.ID.String()) })
	return all, nil
}

// limit is how long an operation may take: it waits for other processes, and for disks.
const limit = 30 * time.Second

func bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), limit)
}

// change makes a change of the state, under the lock, and then hands out what it made: nobody holds a certificate that
// is not on record, and no two processes store files at the same time.
func (a *Authority) change(ctx context.Context, do func(*state.Tx) error, after func() error) error {
	unlock, err := a.lock()
	if err != nil {
		return err
	}
	defer unlock()
	made, err := a.db.Change(ctx, a.by, func(tx *state.Tx) error {
		if err := member.DropExpired(ctx, tx, a.now()); err != nil {
			return err
		}
		return do(tx)
	})
	if err != nil {
		return err
	}
	if after != nil {
		err = after()
	}
	if a.told != nil && made.Revision > 0 {
		a.told(made)
	}
	return err
}
