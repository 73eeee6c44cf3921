package member

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

// Read reads who the members are in the revision that a transaction sees. before is a directory that was read of the
// same state earlier, or nil: what has not changed since is taken from it.
func Read(ctx context.Context, tx *sql.Tx, before *Directory) (*Directory, error) {
	revision, err := state.RevisionOf(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	since := before.Revision()
	switch {
	case since == revision && before != nil:
		return before, nil
	case since > revision: // another state, such as one that was restored
		before, since = nil, 0
	}
	if before == nil {
		since = -1
	}
	r := reader{tx, since, newBuilder(before)}
	for _, read := range []func(context.Context) error{r.agencies, r.systems, r.officers, r.denials, r.authorities} {
		if err := read(ctx); err != nil {
			return nil, fmt.Errorf("read members: %w", err)
		}
	}
	if before != nil && !r.to.touched() {
		next := *before
		next.revision = revision
		return &next, nil
	}
	return r.to.build(revision), nil
}

// reader reads what changed since a revision.
type reader struct {
	tx    *sql.Tx
	since int64
	to    *builder
}

const agencyColumns = `code, name_vi, name_en, province, valid_from, closed_from, successor, safety_level, assessed, officers, case_form`

func scanAgency(rows interface{ Scan(...any) error }) (a Agency, err error) {
	var level int64
	var officers string
	err = rows.Scan(&a.Code, &a.NameVI, &a.NameEN, &a.Province, &a.ValidFrom, &a.ClosedFrom, &a.Successor, &level, &a.Assessed, &officers, &a.CaseForm)
	a.SafetyLevel, a.Officers = int(level), OfficersMode(officers)
	return a, err
}

// each runs a query for what changed, and do for each row.
func (r *reader) each(ctx context.Context, query string, do func(*sql.Rows) error) error {
	rows, err := r.tx.QueryContext(ctx, query, r.since)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *reader) agencies(ctx context.Context) error {
	return r.each(ctx, `SELECT `+agencyColumns+` FROM agency WHERE revision > $1`, func(rows *sql.Rows) error {
		a, err := scanAgency(rows)
		if err != nil {
			return err
		}
		return r.to.setAgency(a)
	})
}

const systemColumns = `agency, name, title_vi, title_en, roles, status`

func scanSystem(rows interface{ Scan(...any) error }) (s System, err error) {
	var roles, status string
	if err := rows.Scan(&s.ID.Agency, &s.ID.System, &s.Title.VI, &s.Title.EN, &roles, &status); err != nil {
		return s, err
	}
	s.Status = Status(status)
	if s.Roles, err = ParseRoles(strings.Split(roles, ",")); err != nil {
		return s, fmt.Errorf("%s: %w", s.ID, err)
	}
	return s, nil
}

func (r *reader) systems(ctx context.Context) error {
	return r.each(ctx, `SELECT `+systemColumns+` FROM system WHERE revision > $1`, func(rows *sql.Rows) error {
		s, err := scanSystem(rows)
		if err != nil {
			return err
		}
		return r.to.setSystem(s)
	})
}

func (r *reader) officers(ctx context.Context) error {
	var agency, account string
	var disabled int64
	return r.each(ctx, `SELECT agency, account, disabled FROM officer WHERE revision > $1`, func(rows *sql.Rows) error {
		if err := rows.Scan(&agency, &account, &disabled); err != nil {
			return err
		}
		return r.to.setOfficer(agency, account, disabled == 0)
	})
}

func (r *reader) denials(ctx context.Context) error {
	return r.each(ctx, `SELECT `+denialColumns+`, dropped FROM denied WHERE revision > $1`, func(rows *sql.Rows) error {
		var dropped int64
		d, err := scanDenial(rows, &dropped)
		if err != nil {
			return err
		}
		if dropped != 0 {
			r.to.dropDenial(d)
			return nil
		}
		return r.to.setDenial(d)
	})
}

const denialColumns = `what, owner, at, not_after, before, reason`

func scanDenial(rows interface{ Scan(...any) error }, more ...any) (d Denial, err error) {
	var what, owner string
	var at, notAfter, before int64
	if err := rows.Scan(append([]any{&what, &owner, &at, &notAfter, &before, &d.Reason}, more...)...); err != nil {
		return d, err
	}
	if !strings.Contains(what, "/") {
		d.Serial = what
	}
	if owner != "" {
		if d.ID, err = peer.ParseID(owner); err != nil {
			return d, fmt.Errorf("denial of %q: %w", what, err)
		}
	}
	d.At, d.NotAfter, d.Before = moment(at), moment(notAfter), moment(before)
	return d, nil
}

func (r *reader) authorities(ctx context.Context) error {
	return r.each(ctx, `SELECT `+givenColumns+`, dropped FROM trusted_ca WHERE revision > $1`, func(rows *sql.Rows) error {
		var dropped int64
		ca, err := scanGiven(rows, &dropped)
		if err != nil {
			return err
		}
		r.to.setGiven(ca, dropped == 0)
		return nil
	})
}

const givenColumns = `fingerprint, pem, agencies, added`

func scanGiven(rows interface{ Scan(...any) error }, more ...any) (ca GivenCA, err error) {
	var text, agencies string
	var added int64
	if err := rows.Scan(append([]any{&ca.Fingerprint, &text, &agencies, &added}, more...)...); err != nil {
		return ca, err
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return ca, errors.New("a given authority's certificate is not PEM")
	}
	ca.Agencies, ca.Added = strings.Split(agencies, ","), moment(added)
	ca.Certificate, err = x509.ParseCertificate(block.Bytes)
	return ca, err
}

// moment is a time as the state has it: Unix ms, 0 for the zero time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// unixMilli is a time as the state keeps it.
func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
