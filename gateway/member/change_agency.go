package member

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Failures that callers tell apart.
var (
	ErrAgencyUnknown = errors.New("no such agency; see: lienthong agency list")
	ErrAgencyKnown   = errors.New("there is such an agency already")
	ErrAgencyClosed  = errors.New("the agency is closed")
	ErrUnsafe        = errors.New("its systems have no determined safety level of 3 or more, and nothing less may connect; see: lienthong agency set --help")
	ErrSystemUnknown = errors.New("no such system; see: lienthong identity list")
)

// record says in the history of an object what was done to it.
func record(tx *state.Tx, object, text string, args ...any) {
	tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_MEMBER, Object: object, Text: fmt.Sprintf(text, args...)})
}

// FindAgency returns an agency as the transaction sees it. It fails with ErrAgencyUnknown.
func FindAgency(ctx context.Context, tx *sql.Tx, code string) (Agency, error) {
	a, err := scanAgency(tx.QueryRowContext(ctx, `SELECT `+agencyColumns+` FROM agency WHERE code = $1`, code))
	if errors.Is(err, sql.ErrNoRows) {
		return Agency{}, fmt.Errorf("%q: %w", code, ErrAgencyUnknown)
	}
	if err != nil {
		return Agency{}, fmt.Errorf("read agency %q: %w", code, err)
	}
	return a, nil
}

// AddAgency makes an agency known. It fails with ErrAgencyKnown if its code is taken, by a closed one too: codes are not
// used twice.
func AddAgency(ctx context.Context, tx *state.Tx, a Agency) error {
	if a.Officers == "" {
		a.Officers = Enrolled
	}
	if err := a.check(); err != nil {
		return err
	}
	if a.ClosedFrom != "" {
		return fmt.Errorf("agency %s: it would be closed before it is known", a.Code)
	}
	_, err := FindAgency(ctx, tx.Tx, a.Code)
	if err == nil {
		return fmt.Errorf("%q: %w", a.Code, ErrAgencyKnown)
	}
	if !errors.Is(err, ErrAgencyUnknown) {
		return err
	}
	if err := putAgency(ctx, tx, a); err != nil {
		return err
	}
	record(tx, a.Code, "agency %q added, safety level %d, officers %s", a.NameVI, a.SafetyLevel, a.Officers)
	return nil
}

// SetAgency changes what is said of an agency that is known, but not when it is closed: CloseAgency and ReopenAgency do.
// It records nothing if nothing is changed.
func SetAgency(ctx context.Context, tx *state.Tx, a Agency) error {
	was, err := FindAgency(ctx, tx.Tx, a.Code)
	if err != nil {
		return err
	}
	a.ClosedFrom, a.Successor = was.ClosedFrom, was.Successor
	if err := a.check(); err != nil {
		return err
	}
	if a == was {
		return nil
	}
	if err := putAgency(ctx, tx, a); err != nil {
		return err
	}
	record(tx, a.Code, "agency %q: province %q, valid from %q, safety level %d assessed %q, officers %s, case form %q",
		a.NameVI, a.Province, a.ValidFrom, a.SafetyLevel, a.Assessed, a.Officers, a.CaseForm)
	return nil
}

// CloseAgency closes an agency from a day on: calls of its systems are refused. An agency that took its place may be
// named; it must be open on that day.
func CloseAgency(ctx context.Context, tx *state.Tx, code, from, successor string) error {
	a, err := FindAgency(ctx, tx.Tx, code)
	if err != nil {
		return err
	}
	if from == "" {
		from = Today(tx.Now)
	}
	if a.ClosedFrom != "" && a.ClosedFrom <= Today(tx.Now) {
		return fmt.Errorf("%s: %w since %s", code, ErrAgencyClosed, a.ClosedFrom)
	}
	if successor != "" {
		next, err := FindAgency(ctx, tx.Tx, successor)
		if err != nil {
			return err
		}
		if next.ClosedFrom != "" {
			return fmt.Errorf("%s, which would take the place of %s: %w from %s on", successor, code, ErrAgencyClosed, next.ClosedFrom)
		}
		if !next.OpenOn(from) {
			return fmt.Errorf("%s, which would take the place of %s from %s on, begins on %s", successor, code, from, next.ValidFrom)
		}
	}
	was := a
	a.ClosedFrom, a.Successor = from, successor
	if err := a.check(); err != nil {
		return err
	}
	if a == was {
		return nil
	}
	if err := putAgency(ctx, tx, a); err != nil {
		return err
	}
	if successor == "" {
		record(tx, code, "agency closed from %s on", from)
	} else {
		record(tx, code, "agency closed from %s on; %s takes its place", from, successor)
	}
	return nil
}

// ReopenAgency takes a closing back.
func ReopenAgency(ctx context.Context, tx *state.Tx, code string) error {
	a, err := FindAgency(ctx, tx.Tx, code)
	if err != nil || a.ClosedFrom == "" {
		return err
	}
	a.ClosedFrom, a.Successor = "", ""
	if err := putAgency(ctx, tx, a); err != nil {
		return err
	}
	record(tx, code, "agency open again: its closing was taken back")
	return nil
}

// ReplaceAgency closes an agency, from a day on, whose place another one takes. The other one is made known if it is not
// yet: what is empty of it is as it was with the closed one.
func ReplaceAgency(ctx context.Context, tx *state.Tx, code string, next Agency, from string) error {
	a, err := FindAgency(ctx, tx.Tx, code)
	if err != nil {
		return err
	}
	if from == "" {
		from = Today(tx.Now)
	}
	_, err = FindAgency(ctx, tx.Tx, next.Code)
	if errors.Is(err, ErrAgencyUnknown) {
		if next.Province == "" {
			next.Province = a.Province
		}
		if next.Officers == "" {
			next.Officers = a.Officers
		}
		if next.ValidFrom == "" {
			next.ValidFrom = from
		}
		err = AddAgency(ctx, tx, next)
	}
	if err != nil {
		return err
	}
	return CloseAgency(ctx, tx, code, from, next.Code)
}

// putAgency writes a row.
func putAgency(ctx context.Context, tx *state.Tx, a Agency) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO agency (`+agencyColumns+`, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (code) DO UPDATE SET name_vi = excluded.name_vi, name_en = excluded.name_en, province = excluded.province,
		valid_from = excluded.valid_from, closed_from = excluded.closed_from, successor = excluded.successor,
		safety_level = excluded.safety_level, assessed = excluded.assessed, officers = excluded.officers,
		case_form = excluded.case_form, revision = excluded.revision`,
		a.Code, a.NameVI, a.NameEN, a.Province, a.ValidFrom, a.ClosedFrom, a.Successor, int64(a.SafetyLevel), a.Assessed, string(a.Officers), a.CaseForm, tx.Revision)
	if err != nil {
		return fmt.Errorf("write agency %s: %w", a.Code, err)
	}
	return nil
}
