package book_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

func (w *world) stop(p person, s book.Stop) (*hubv1.Suspension, error) {
	var got *hubv1.Suspension
	_, err := w.do(p, func(ctx context.Context, tx *state.Tx, who book.Who) (err error) {
		got, err = book.SuspendConsumer(ctx, tx, w.rules, who, s)
		return err
	})
	return got, err
}

func (w *world) lift(p person, s book.Stop) error {
	_, err := w.do(p, func(ctx context.Context, tx *state.Tx, who book.Who) error {
		return book.ResumeConsumer(ctx, tx, who, s)
	})
	return err
}

// endOverdue is what the hub does once a minute; it returns which agreements that ended.
func (w *world) endOverdue() (ended []string) {
	due, err := book.AnyOverdue(context.Background(), w.db.Read, w.now)
	require.NoError(w.t, err)
	made, err := w.do(person{"G06/gateway", "", member.Gateway}, func(ctx context.Context, tx *state.Tx, _ book.Who) (err error) {
		ended, err = book.EndOverdue(ctx, tx, w.now)
		return err
	})
	require.NoError(w.t, err)
	require.Equal(w.t, due, made.Revision > 0)
	return ended
}

func TestAProviderStopsAConsumerWithAViolationAndLiftsIt(t *testing.T) {
	w := newWorld(t)
	got, err := w.stop(steward, book.Stop{Agency: "H27", Text: "asked for other purposes than it stated"})
	require.NoError(t, err)
	require.Equal(t, "G01", got.GetProvider())
	require.Equal(t, 30*24*time.Hour, got.GetDeadline().AsTime().Sub(got.GetSince().AsTime()))
	_, err = w.stop(operator, book.Stop{Provider: "G01", Agency: "H27", Text: "again"})
	isRefused(t, err, reason.StateWrong)
	changes, err := w.db.History(t.Context(), hubv1.Change_KIND_CONSUMER, "G01>H27", 10)
	require.NoError(t, err)
	require.Len(t, changes, 1)
	require.Equal(t, "suspended: asked for other purposes than it stated", changes[0].GetText())
	require.NoError(t, w.lift(steward, book.Stop{Agency: "H27", Text: "officers were trained"}))
	isRefused(t, w.lift(steward, book.Stop{Agency: "H27"}), reason.StateWrong)
}

func TestOnlyTheProviderAndTheHubStopAConsumer(t *testing.T) {
	w := newWorld(t)
	w.rules.Known = func(agency, _ string) bool { return agency != "X99" }
	for name, c := range map[string]struct {
		who  person
		stop book.Stop
		want reason.Reason
	}{
		"the provider":             {steward, book.Stop{Agency: "H27", System: "one-stop", Text: "x"}, ""},
		"the hub":                  {operator, book.Stop{Provider: "G01", Agency: "H27", Text: "x"}, ""},
		"another provider":         {person{"G15/steward", "x", member.Steward}, book.Stop{Provider: "G01", Agency: "H27", Text: "x"}, reason.ActNotAllowed},
		"a consumer":               {desk, book.Stop{Provider: "G01", Agency: "G24", Text: "x"}, reason.ActNotAllowed},
		"a consumer, of itself":    {desk, book.Stop{Provider: "G01", Agency: "H27", Text: "x"}, reason.ActNotAllowed},
		"an auditor":               {person{"G20/auditor", "", member.Auditor}, book.Stop{Provider: "G01", Agency: "H27", Text: "x"}, reason.ActNotAllowed},
		"without a violation":      {steward, book.Stop{Agency: "H27", Text: " "}, reason.FieldRequired},
		"with somebody's number":   {steward, book.Stop{Agency: "H27", Text: "read 042187001234"}, reason.FieldInvalid},
		"without a consumer":       {steward, book.Stop{Text: "x"}, reason.FieldRequired},
		"of somebody nobody knows": {steward, book.Stop{Agency: "X99", Text: "x"}, reason.CodeUnknown},
	} {
		_, err := w.stop(c.who, c.stop)
		isRefused(t, err, c.want, name)
	}
}

func TestWhatIsNotMendedInThirtyDaysEndsTheAgreements(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	w.must("b", "propose", "approve", "suspend")
	w.must("waiting", "propose")
	_, err := w.propose(person{"G24/claims", "", member.Consumer}, false, document("other", func(d *hubv1.Agreement) { d.Consumer.Agency = "G24" }))
	require.NoError(t, err)
	w.must("other", "approve")
	_, err = w.stop(steward, book.Stop{Agency: "H27", Text: "x"})
	require.NoError(t, err)
	w.now = w.now.Add(book.MendTime - time.Millisecond)
	require.Empty(t, w.endOverdue())
	w.now = w.now.Add(time.Millisecond)
	require.Equal(t, []string{"a", "b"}, w.endOverdue())
	require.Equal(t, []hubv1.AgreementState{terminated}, w.states("a"))
	require.Equal(t, []hubv1.AgreementState{terminated}, w.states("b"))
	require.Equal(t, []hubv1.AgreementState{proposed}, w.states("waiting"))
	require.Equal(t, []hubv1.AgreementState{active}, w.states("other"))
	require.Contains(t, w.history("a")[0].GetText(), "terminated: the violation was not mended within 30 days")
	before := w.dump()
	require.Empty(t, w.endOverdue(), "once")
	require.Equal(t, before, w.dump())
	require.NoError(t, w.lift(steward, book.Stop{Agency: "H27"}), "it is suspended until that is lifted")
	require.Equal(t, []hubv1.AgreementState{terminated}, w.states("a"))
}

func TestAnAgreementOfSeveralSystemsEndsWhenAllAreOverTheirTime(t *testing.T) {
	w := newWorld(t)
	_, err := w.propose(desk, false, document("a", func(d *hubv1.Agreement) { d.Consumer.Systems = []string{"one-stop", "reception"} }))
	require.NoError(t, err)
	w.must("a", "approve")
	_, err = w.stop(steward, book.Stop{Agency: "H27", System: "one-stop", Text: "x"})
	require.NoError(t, err)
	w.now = w.now.Add(book.MendTime - time.Hour)
	_, err = w.stop(steward, book.Stop{Agency: "H27", System: "reception", Text: "x"})
	require.NoError(t, err)
	w.now = w.now.Add(time.Hour)
	require.Empty(t, w.endOverdue())
	require.Equal(t, []hubv1.AgreementState{active}, w.states("a"))
	w.now = w.now.Add(book.MendTime)
	require.Equal(t, []string{"a"}, w.endOverdue())
	require.Equal(t, []hubv1.AgreementState{terminated}, w.states("a"))
}

func TestWhatIsMendedInTimeEndsNothing(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	_, err := w.stop(steward, book.Stop{Agency: "H27", Text: "x"})
	require.NoError(t, err)
	require.NoError(t, w.lift(steward, book.Stop{Agency: "H27"}))
	w.now = w.now.Add(book.MendTime)
	require.Empty(t, w.endOverdue())
	require.Equal(t, []hubv1.AgreementState{active}, w.states("a"))
}

func TestProposalsAreCountedByProvider(t *testing.T) {
	w := newWorld(t)
	w.must("refused", "propose", "refuse")
	w.must("approved", "propose", "approve")
	w.must("first", "propose")
	first := w.now
	w.now = w.now.Add(time.Hour)
	w.must("second", "propose")
	w.must("at-the-hub", "propose")
	w.mustAs(steward, "approve", "at-the-hub")
	w.must("drafted", "draft")
	w.must("by-the-hub", "propose")
	w.mustAs(operator, "refuse", "by-the-hub")
	for _, who := range []person{operator, steward, {"G20/auditor", "", member.Auditor}} {
		got, err := book.Proposals(t.Context(), w.db.Read, book.Who{Roles: who.roles}, who.actor(t).ID.Agency, w.now)
		require.NoError(t, err)
		require.Len(t, got, 1)
		p := got[0]
		require.Equal(t, []any{"G01", int32(2), int32(2), int32(1)}, []any{p.GetProvider(), p.GetWaiting(), p.GetApproved(), p.GetRefused()})
		require.Equal(t, map[string]int32{"FIELDS_EXCESSIVE": 1}, p.GetRefusedByGround())
		require.Equal(t, first, p.GetOldest().AsTime())
	}
	for _, who := range []person{desk, {"G15/steward", "", member.Steward}} {
		got, err := book.Proposals(t.Context(), w.db.Read, book.Who{Roles: who.roles}, who.actor(t).ID.Agency, w.now)
		require.NoError(t, err)
		require.Empty(t, got)
	}
}
