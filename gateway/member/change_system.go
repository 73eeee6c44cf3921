package member

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

// FindSystem returns a system as the transaction sees it. It fails with ErrSystemUnknown.
func FindSystem(ctx context.Context, tx *sql.Tx, id peer.ID) (System, error) {
	s, err := scanSystem(tx.QueryRowContext(ctx, `SELECT `+systemColumns+` FROM system WHERE agency = $1 AND name = $2`, id.Agency, id.System))
	if errors.Is(err, sql.ErrNoRows) {
		return System{}, fmt.Errorf("%q: %w", id, ErrSystemUnknown)
	}
	if err != nil {
		return System{}, fmt.Errorf("read system %q: %w", id, err)
	}
	return s, nil
}

// SetSystem makes a system of a known agency a member, or changes what is said of it. It records nothing if nothing is
// changed.
func SetSystem(ctx context.Context, tx *state.Tx, s System) error {
	changed, err := PutSystem(ctx, tx, s)
	if err == nil && changed {
		record(tx, s.ID.String(), "system %q: roles %s, %s", s.Title.VI, s.Roles, s.Status)
	}
	return err
}

// PutSystem is SetSystem without a record, for those who record more than that. It reports whether anything was changed.
func PutSystem(ctx context.Context, tx *state.Tx, s System) (changed bool, err error) {
	if err := s.check(); err != nil {
		return false, err
	}
	was, err := FindSystem(ctx, tx.Tx, s.ID)
	if err == nil && was == s {
		return false, nil
	}
	if err != nil && !errors.Is(err, ErrSystemUnknown) {
		return false, err
	}
	if _, err := FindAgency(ctx, tx.Tx, s.ID.Agency); err != nil {
		return false, fmt.Errorf("%w; add it with: lienthong agency add %s", err, s.ID.Agency)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO system (`+systemColumns+`, revision) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (agency, name) DO UPDATE SET title_vi = excluded.title_vi, title_en = excluded.title_en, roles = excluded.roles,
		status = excluded.status, revision = excluded.revision`,
		s.ID.Agency, s.ID.System, s.Title.VI, s.Title.EN, s.Roles.String(), string(s.Status), tx.Revision)
	if err != nil {
		return false, fmt.Errorf("write system %s: %w", s.ID, err)
	}
	return true, nil
}

// Deny refuses one certificate by its serial, or a system whatever certificate it shows, of whatever authority. It
// records nothing if it is refused already.
func Deny(ctx context.Context, tx *state.Tx, d Denial) error {
	changed, err := PutDenial(ctx, tx, d)
	if err == nil && changed {
		record(tx, d.what(), "denied: %s", orNone(d.Reason))
	}
	return err
}

// PutDenial is Deny without a record, for those who record more than that. It reports whether anything was changed.
func PutDenial(ctx context.Context, tx *state.Tx, d Denial) (changed bool, err error) {
	if d.At.IsZero() {
		d.At = tx.Now
	}
	if err := d.check(); err != nil {
		return false, err
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO denied (`+denialColumns+`, dropped, revision) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)
		ON CONFLICT (what) DO UPDATE SET owner = excluded.owner, at = excluded.at, not_after = excluded.not_after,
		before = excluded.before, reason = excluded.reason, dropped = 0, revision = excluded.revision
		WHERE denied.dropped <> 0 OR denied.before <> excluded.before`,
		d.what(), d.ID.String(), unixMilli(d.At), unixMilli(d.NotAfter), unixMilli(d.Before), d.Reason, tx.Revision)
	if err != nil {
		return false, fmt.Errorf("deny %s: %w", d.what(), err)
	}
	rows, err := result.RowsAffected()
	return rows > 0, err
}

// FindBar returns the denial of a system as a whole; false if there never was one.
func FindBar(ctx context.Context, tx *sql.Tx, id peer.ID) (Denial, bool, error) {
	d, err := scanDenial(tx.QueryRowContext(ctx, `SELECT `+denialColumns+` FROM denied WHERE what = $1 AND dropped = 0`, id.String()))
	if errors.Is(err, sql.ErrNoRows) {
		return Denial{}, false, nil
	}
	if err != nil {
		return Denial{}, false, fmt.Errorf("read denial of %s: %w", id, err)
	}
	return d, true, nil
}

// Readmit lets a system back in that was refused as a whole: certificates that begin from that moment on are accepted.
// It records nothing.
func Readmit(ctx context.Context, tx *state.Tx, id peer.ID, now time.Time) error {
	d, barred, err := FindBar(ctx, tx.Tx, id)
	if err != nil || !barred || !d.Before.IsZero() {
		return err
	}
	d.Before = now.UTC().Truncate(time.Second) // what certificates can say
	_, err = PutDenial(ctx, tx, d)
	return err
}

// DropExpired ends the denials of certificates that have expired a day ago: nobody can show them any more.
func DropExpired(ctx context.Context, tx *state.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE denied SET dropped = 1, revision = $1 WHERE dropped = 0 AND not_after > 0 AND not_after < $2`,
		tx.Revision, now.Add(-24*time.Hour).UnixMilli())
	if err != nil {
		return fmt.Errorf("drop expired denials: %w", err)
	}
	return nil
}

func orNone(reason string) string {
	if reason == "" {
		return "no reason was given"
	}
	return reason
}

// Admit makes a system a member that has its certificates from an authority of its own, or gives one other roles or
// another title; what is empty stays as it was, and a new one is a consumer. One that was refused as a whole is let back
// in: certificates that begin from now on are accepted.
func Admit(ctx context.Context, tx *state.Tx, id peer.ID, roles Roles, title Title) error {
	a, err := FindAgency(ctx, tx.Tx, id.Agency)
	if err != nil {
		return err
	}
	if !a.OpenOn(Today(tx.Now)) {
		return fmt.Errorf("%s: %w", a.Code, ErrAgencyClosed)
	}
	if a.SafetyLevel < SafetyNeeded {
		return fmt.Errorf("%s: %w", a.Code, ErrUnsafe)
	}
	s, err := FindSystem(ctx, tx.Tx, id)
	if errors.Is(err, ErrSystemUnknown) {
		s, err = System{ID: id, Roles: Consumer, Status: Active}, nil
	}
	if err != nil {
		return err
	}
	if roles != 0 {
		s.Roles = roles
	}
	if title != (Title{}) {
		s.Title = title
	}
	if err := SetSystem(ctx, tx, s); err != nil {
		return err
	}
	bar, barred, err := FindBar(ctx, tx.Tx, id)
	if err != nil || !barred || !bar.Before.IsZero() {
		return err
	}
	record(tx, id.String(), "let back in: certificates that begin from now on are accepted")
	return Readmit(ctx, tx, id, tx.Now)
}
