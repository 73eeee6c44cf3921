package book_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// next proposes and approves another version.
func (w *world) next(id string, change ...func(*hubv1.Agreement)) *hubv1.AgreementVersion {
	_, err := w.propose(desk, false, document(id, change...))
	require.NoError(w.t, err)
	w.mustAs(steward, "approve", id)
	return w.mustAs(operator, "approve", id)
}

func TestANewVersionTakesThePlaceOfTheOneBeforeAtOnce(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	w.now = w.now.Add(time.Hour)
	v := w.next("a", titled("more"))
	require.Equal(t, active, v.GetState())
	require.Equal(t, []hubv1.AgreementState{superseded, active}, w.states("a"))
	require.Equal(t, w.now, w.versions("a")[1].GetUntil().AsTime())
	require.Equal(t, w.now, v.GetFrom().AsTime())
	require.Equal(t, "superseded: by version 2", w.history("a")[1].GetText())
}

func TestAVersionThatBeginsLaterLetsTheOneBeforeGoOnUntilThen(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	w.next("a", lasting("2026-09-01", "2027-06-30"))
	require.Equal(t, []hubv1.AgreementState{active, active}, w.states("a"))
	turn := time.Date(2026, 8, 31, 17, 0, 0, 0, time.UTC)
	require.Equal(t, turn, w.versions("a")[1].GetUntil().AsTime())
	require.Equal(t, turn, w.versions("a")[0].GetFrom().AsTime())
	w.now = turn.Add(-time.Millisecond)
	require.Equal(t, []hubv1.AgreementState{active, active}, w.states("a"))
	w.now = turn
	require.Equal(t, []hubv1.AgreementState{superseded, active}, w.states("a"))
	w.now = turn.Add(year)
	require.Equal(t, []hubv1.AgreementState{superseded, expired}, w.states("a"))
}

func TestAVersionThatNeverBeganGivesWayToo(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	w.next("a", lasting("2026-09-01", "2027-06-30"))
	w.next("a", lasting("2026-08-01", "2027-06-30"))
	require.Equal(t, []hubv1.AgreementState{active, superseded, active}, w.states("a"))
	require.Equal(t, time.Date(2026, 7, 31, 17, 0, 0, 0, time.UTC), w.versions("a")[2].GetUntil().AsTime())
}

func TestAVersionThatIsApprovedWhileTheAgreementIsSuspendedStaysSuspended(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	_, err := w.propose(desk, false, document("a", titled("more")))
	require.NoError(t, err)
	w.mustAs(steward, "approve", "a")
	w.mustAs(steward, "suspend", "a")
	require.Equal(t, suspended, w.mustAs(operator, "approve", "a").GetState())
	require.Equal(t, []hubv1.AgreementState{superseded, suspended}, w.states("a"))
	require.Equal(t, "taken up suspended: the agreement is suspended", w.history("a")[0].GetText())
	require.Equal(t, []string{"G01/steward", "G06/operator"}, w.history("a")[0].GetApprovals())
	require.Equal(t, active, w.mustAs(steward, "resume", "a").GetState())
}

func TestASuspensionHoldsForTheVersionToComeAsWell(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	w.next("a", lasting("2026-09-01", "2027-06-30"))
	require.EqualValues(t, 1, w.mustAs(steward, "suspend", "a").GetAgreement().GetVersion(), "the one that decides is shown")
	require.Equal(t, []hubv1.AgreementState{suspended, suspended}, w.states("a"))
	w.now = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []hubv1.AgreementState{superseded, suspended}, w.states("a"))
	w.mustAs(steward, "resume", "a")
	require.Equal(t, []hubv1.AgreementState{superseded, active}, w.states("a"))
}

func TestTerminatingEndsWhatWaitsAndIsForGood(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	_, err := w.propose(desk, false, document("a", titled("more")))
	require.NoError(t, err)
	w.mustAs(steward, "approve", "a")
	w.mustAs(steward, "terminate", "a")
	require.Equal(t, []hubv1.AgreementState{terminated, terminated}, w.states("a"))
	_, err = w.act(operator, "approve", book.Motion{ID: "a"})
	isRefused(t, err, reason.StateWrong)
	got, err := w.propose(desk, false, document("a", titled("more")))
	require.NoError(t, err)
	require.Equal(t, []any{"changed", int64(3), proposed}, []any{got[0].GetWhat(), got[0].GetVersion(), got[0].GetState()}, "agreed anew")
}

func TestAnEmergencyEndsItsAgreement(t *testing.T) {
	w := newWorld(t)
	v := w.next("a", func(d *hubv1.Agreement) {
		d.Ground = &hubv1.Agreement_Ground{Kind: hubv1.Agreement_Ground_KIND_EMERGENCY, Decision: "1234/QĐ-TTg, 2026-06-30", Expires: "2026-07-31"}
	})
	require.Equal(t, time.Date(2026, 7, 31, 17, 0, 0, 0, time.UTC), v.GetUntil().AsTime())
	w.now = v.GetUntil().AsTime()
	require.Equal(t, []hubv1.AgreementState{expired}, w.states("a"))
}
