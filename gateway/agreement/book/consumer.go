package book

import (
	"context"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// MendTime is how long a suspended consumer has to mend what it did, before its agreements end (384-QĐ/TW, Điều 16.1đ).
const MendTime = 30 * 24 * time.Hour

// stop is a consumer's suspension as the table has it.
type stop struct {
	provider, agency, system string
	violation                string
	since, deadline, ended   int64
	by                       string
}

// object names a suspension in the ledger: "PROVIDER>AGENCY/SYSTEM".
func (s *stop) object() string {
	if s.system == "" {
		return s.provider + ">" + s.agency
	}
	return s.provider + ">" + s.agency + "/" + s.system
}

func (s *stop) shown() *hubv1.Suspension {
	return &hubv1.Suspension{
		Provider: s.provider, Agency: s.agency, System: s.system, Violation: s.violation,
		Since: stamp(s.since), Deadline: stamp(s.deadline), By: s.by,
	}
}

func stops(ctx context.Context, q queryer) ([]*stop, error) {
	rows, err := q.QueryContext(ctx, `SELECT provider, agency, system, violation, since_ms, deadline_ms, ended_ms, by_id
		FROM agreement_suspension ORDER BY provider, agency, system`)
	if err != nil {
		return nil, fmt.Errorf("read suspended consumers: %w", err)
	}
	defer rows.Close()
	var all []*stop
	for rows.Next() {
		s := new(stop)
		if err := rows.Scan(&s.provider, &s.agency, &s.system, &s.violation, &s.since, &s.deadline, &s.ended, &s.by); err != nil {
			return nil, fmt.Errorf("read suspended consumers: %w", err)
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// Stop says which consumer is suspended at which provider.
type Stop struct {
	Provider       string // empty: the agency of the steward who does it
	Agency, System string // empty system: all
	Text           string // the violation and what to mend; or what was mended
}

// mayStop judges who suspends or resumes a consumer.
func (s *Stop) mayStop(tx *state.Tx, who Who) error {
	if s.Provider == "" && who.Roles.Has(member.Steward) {
		s.Provider = tx.By.ID.Agency
	}
	if s.Provider == "" {
		return reason.FieldRequired.At("provider")
	}
	if s.Agency == "" {
		return reason.FieldRequired.At("agency")
	}
	if !who.Roles.May(member.SuspendConsumer).Covers(tx.By.ID.Agency, s.Agency, s.Provider) {
		return reason.ActNotAllowed
	}
	return nil
}

// SuspendConsumer stops a consumer at one provider: all agreements between the two refuse, for one of its systems or
// all. What is not mended within MendTime ends them, see EndOverdue. It fails with FIELD_REQUIRED without a violation,
// CODE_UNKNOWN if there is no such consumer, and STATE_WRONG if it is suspended.
func SuspendConsumer(ctx context.Context, tx *state.Tx, rules Rules, who Who, s Stop) (*hubv1.Suspension, error) {
	if err := s.mayStop(tx, who); err != nil {
		return nil, err
	}
	text, err := CleanText(s.Text, "violation")
	switch {
	case err != nil:
		return nil, err
	case text == "":
		return nil, reason.FieldRequired.At("violation")
	case !rules.known(s.Agency, ""):
		return nil, reason.CodeUnknown.At("agency")
	case s.System != "" && !rules.known(s.Agency, s.System):
		return nil, reason.CodeUnknown.At("system")
	case !rules.known(s.Provider, ""):
		return nil, reason.CodeUnknown.At("provider")
	}
	row := &stop{
		provider: s.Provider, agency: s.Agency, system: s.System, violation: text, since: tx.Now.UnixMilli(),
		deadline: tx.Now.Add(MendTime).UnixMilli(), by: tx.By.ID.String(),
	}
	done, err := tx.ExecContext(ctx, `INSERT INTO agreement_suspension
		(provider, agency, system, violation, since_ms, deadline_ms, ended_ms, by_id, officer, revision)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9) ON CONFLICT (provider, agency, system) DO NOTHING`,
		row.provider, row.agency, row.system, row.violation, row.since, row.deadline, row.by, tx.By.Officer, tx.Revision)
	if err != nil {
		return nil, fmt.Errorf("write suspension: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return nil, reason.StateWrong.Because(err)
	}
	tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_CONSUMER, Object: row.object(), Text: "suspended: " + text})
	return row.shown(), nil
}

// ResumeConsumer lifts a suspension. Agreements that it has ended stay ended. It fails with STATE_WRONG if there is none.
func ResumeConsumer(ctx context.Context, tx *state.Tx, who Who, s Stop) error {
	if err := s.mayStop(tx, who); err != nil {
		return err
	}
	text, err := CleanText(s.Text, "reason")
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `DELETE FROM agreement_suspension WHERE provider = $1 AND agency = $2 AND system = $3`,
		s.Provider, s.Agency, s.System)
	if err != nil {
		return fmt.Errorf("lift suspension: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return reason.StateWrong.Because(err)
	}
	what := "resumed"
	if text != "" {
		what += ": " + text
	}
	row := &stop{provider: s.Provider, agency: s.Agency, system: s.System}
	tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_CONSUMER, Object: row.object(), Text: what})
	return nil
}

// Suspensions lists the suspended consumers that a system of an agency may see.
func Suspensions(ctx context.Context, q queryer, who Who, agency string) ([]*hubv1.Suspension, error) {
	all, err := stops(ctx, q)
	if err != nil {
		return nil, err
	}
	var shown []*hubv1.Suspension
	for _, s := range all {
		if who.Roles.May(member.SeeSuspension).Covers(agency, s.agency, s.provider) {
			shown = append(shown, s.shown())
		}
	}
	return shown, nil
}
