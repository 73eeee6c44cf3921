package book

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// whyEnded is why agreements end by a suspension's clock.
const whyEnded = "the violation was not mended within 30 days (384-QĐ/TW, Điều 16)"

// AnyOverdue reports whether EndOverdue has something to do. It only reads.
func AnyOverdue(ctx context.Context, q queryer, now time.Time) (bool, error) {
	all, err := stops(ctx, q)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(all, func(s *stop) bool { return s.overdue(now.UnixMilli()) }), nil
}

func (s *stop) overdue(now int64) bool { return s.ended == 0 && s.deadline <= now }

// EndOverdue ends the agreements of consumers that have not mended in time what they were suspended for, and says which.
// An agreement of several systems ends when all of them are over their time; until then the others may go on. The
// suspensions stay until they are lifted. Where nothing is overdue, nothing is changed.
func EndOverdue(ctx context.Context, tx *state.Tx, now time.Time) (ended []string, err error) {
	all, err := stops(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if !s.overdue(now.UnixMilli()) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE agreement_suspension SET ended_ms = $1, revision = $2
			WHERE provider = $3 AND agency = $4 AND system = $5`, now.UnixMilli(), tx.Revision, s.provider, s.agency, s.system); err != nil {
			return nil, fmt.Errorf("end suspension: %w", err)
		}
		s.ended = now.UnixMilli()
		tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_CONSUMER, Object: s.object(), Text: "over time: " + whyEnded})
		ids, err := s.end(ctx, tx, all, now.UnixMilli())
		if err != nil {
			return nil, err
		}
		ended = append(ended, ids...)
	}
	return ended, nil
}

// end terminates the agreements between the two of which every system is over its time.
func (s *stop) end(ctx context.Context, tx *state.Tx, all []*stop, now int64) (ended []string, err error) {
	rows, err := rowsOf(ctx, tx, `WHERE provider = $1 AND consumer = $2 ORDER BY id, version DESC`, s.provider, s.agency)
	if err != nil {
		return nil, err
	}
	for _, group := range byID(rows) {
		lives := func(r *row) bool { return r.lives(now) }
		if !slices.ContainsFunc(group, lives) || slices.ContainsFunc(group, func(r *row) bool { return lives(r) && !r.over(all) }) {
			continue
		}
		if _, err := terminate.take(ctx, tx, group, whyEnded); err != nil {
			return nil, err
		}
		ended = append(ended, group[0].id)
	}
	return ended, nil
}

// over reports whether all systems of a version are suspended and over their time.
func (r *row) over(all []*stop) bool {
	for _, system := range r.doc.GetConsumer().GetSystems() {
		if !slices.ContainsFunc(all, func(s *stop) bool {
			return s.ended > 0 && s.provider == r.provider && s.agency == r.consumer && (s.system == "" || s.system == system)
		}) {
			return false
		}
	}
	return true
}

// byID cuts rows, which are in order of id, into those of each agreement.
func byID(rows []*row) [][]*row {
	var groups [][]*row
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(r *row) bool { return r.id != rows[0].id })
		if n < 0 {
			n = len(rows)
		}
		groups = append(groups, rows[:n])
		rows = rows[n:]
	}
	return groups
}
