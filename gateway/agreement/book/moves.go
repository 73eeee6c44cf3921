package book

import (
	"context"
	"slices"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// begin puts a version that has both approvals in force, from now or from its first day if that is to come. The version
// before goes on until then.
func (r *row) begin(ctx context.Context, tx *state.Tx, all []*row) error {
	now := tx.Now.UnixMilli()
	r.state, r.from = active, max(r.from, now)
	for _, o := range all {
		if o == r || !o.lives(now) {
			continue
		}
		if o.state == suspended {
			r.state = suspended // until it is lifted
			r.reason = o.reason
		}
		if err := o.giveWay(ctx, tx, r); err != nil {
			return err
		}
	}
	if err := r.update(ctx, tx); err != nil {
		return err
	}
	var approvals []string
	for _, a := range r.approvals {
		approvals = append(approvals, a.by)
	}
	act, why := "activated", ""
	if r.state == suspended {
		act, why = "taken up suspended", "the agreement is suspended"
	}
	tx.Record(r.recorded(act, why, approvals...))
	return nil
}

// giveWay ends a version where another begins.
func (r *row) giveWay(ctx context.Context, tx *state.Tx, to *row) error {
	if r.until <= to.from {
		return nil
	}
	r.until = to.from
	if r.until <= tx.Now.UnixMilli() || r.until <= r.from {
		r.state = superseded
	}
	if err := r.update(ctx, tx); err != nil {
		return err
	}
	tx.Record(r.recorded("superseded", by(to)))
	return nil
}

// Steps of an agreement.
var (
	suspend   = step{member.SuspendAgreement, "suspended", []hubv1.AgreementState{active}, suspended}
	resume    = step{member.SuspendAgreement, "resumed", []hubv1.AgreementState{suspended}, active}
	terminate = step{member.TerminateAgreement, "terminated", []hubv1.AgreementState{active, suspended}, terminated}
)

// Suspend suspends an agreement: no version of it decides until it is resumed.
func Suspend(ctx context.Context, tx *state.Tx, who Who, m Motion) (*hubv1.AgreementVersion, error) {
	return suspend.move(ctx, tx, who, m)
}

// Resume puts a suspended agreement in force again.
func Resume(ctx context.Context, tx *state.Tx, who Who, m Motion) (*hubv1.AgreementVersion, error) {
	return resume.move(ctx, tx, who, m)
}

// Terminate ends an agreement for good, and what waits for approval with it.
func Terminate(ctx context.Context, tx *state.Tx, who Who, m Motion) (*hubv1.AgreementVersion, error) {
	return terminate.move(ctx, tx, who, m)
}

// step is one edge of the drawing in the package comment, for all versions of an agreement that live.
type step struct {
	act  member.Act
	word string
	from []hubv1.AgreementState
	to   hubv1.AgreementState
}

// move goes one step. It fails with STATE_WRONG if no version can go it.
func (s step) move(ctx context.Context, tx *state.Tx, who Who, m Motion) (*hubv1.AgreementVersion, error) {
	all, err := find(ctx, tx, who, m.ID)
	if err != nil {
		return nil, err
	}
	if err := all[0].may(tx, who, s.act); err != nil {
		return nil, err
	}
	text, err := CleanText(m.Reason, "reason")
	if err != nil {
		return nil, err
	}
	return s.take(ctx, tx, all, text)
}

// take goes the step with all versions that can, and returns the one that decides, or else the newest of them.
func (s step) take(ctx context.Context, tx *state.Tx, all []*row, why string) (*hubv1.AgreementVersion, error) {
	now := tx.Now.UnixMilli()
	var moved *row
	for _, r := range all {
		if !r.lives(now) || !slices.Contains(s.from, r.state) {
			continue
		}
		if moved == nil || r.decides(now) {
			moved = r
		}
		if err := r.become(ctx, tx, s, why); err != nil {
			return nil, err
		}
	}
	if moved == nil {
		return nil, reason.StateWrong
	}
	for _, r := range all {
		if s.to == terminated && r.state == proposed {
			if err := r.become(ctx, tx, s, why); err != nil {
				return nil, err
			}
		}
	}
	return moved.shown(now), nil
}

func (r *row) become(ctx context.Context, tx *state.Tx, s step, why string) error {
	r.state, r.reason = s.to, why
	if err := r.update(ctx, tx); err != nil {
		return err
	}
	tx.Record(r.recorded(s.word, why))
	return nil
}
