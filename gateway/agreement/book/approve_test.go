package book_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestTwoApprovalsPutAProposalInForceAndTheRecordNamesBoth(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose")
	half := w.mustAs(operator, "approve", "a")
	require.Equal(t, proposed, half.GetState())
	w.now = w.now.Add(time.Hour)
	whole := w.mustAs(steward, "approve", "a")
	require.Equal(t, active, whole.GetState())
	require.Equal(t, w.now, whole.GetFrom().AsTime(), "not before it was approved")
	require.Equal(t, time.Date(2026, 12, 31, 17, 0, 0, 0, time.UTC), whole.GetUntil().AsTime(), "to the end of its last day in Hà Nội")
	require.Len(t, whole.GetApprovals(), 2)
	var texts []string
	for _, c := range w.history("a") {
		texts = append(texts, c.GetText())
		require.Equal(t, whole.GetDigest(), c.GetDigest())
		require.EqualValues(t, 1, c.GetVersion())
	}
	require.Equal(t, []string{"activated", "approved for the provider", "approved for the hub", "proposed"}, texts)
	require.Equal(t, []string{"G06/operator", "G01/steward"}, w.history("a")[0].GetApprovals())
}

// Everybody here may approve; what counts is who they are beside who proposed and who approved first.
func TestNobodyApprovesWhatTheyMadeOrApproved(t *testing.T) {
	both := member.Steward | member.Operator | member.Consumer
	for name, c := range map[string]struct {
		drafter, proposer, first, last person
		want                           reason.Reason
	}{
		"different people": {desk, desk, steward, operator, ""},
		"the drafting system": {
			person{"G06/operator", "x", member.Operator}, person{"G06/operator-b", "y", member.Operator}, steward, operator, reason.SelfApproval},
		"the drafting officer": {
			person{"G06/operator-c", "binh", member.Operator}, person{"G06/operator-b", "y", member.Operator}, steward, operator, reason.SelfApproval},
		"the proposing system": {desk, person{"G06/operator", "x", member.Operator}, steward, operator, reason.SelfApproval},
		"the proposing officer": {
			desk, person{"G06/operator-b", "binh", member.Operator}, steward, operator, reason.SelfApproval},
		"a namesake of another agency": {person{"H27/one-stop", "binh", member.Consumer}, desk, steward, operator, ""},
		"another operator":             {desk, person{"G06/operator-b", "x", member.Operator}, steward, operator, ""},
		"the same side twice": {
			desk, desk, steward, person{"G01/steward-b", "ha", member.Steward}, reason.StateWrong},
		"one who is everything, twice": {
			desk, desk, person{"G01/all", "an", both}, person{"G01/all", "an", both}, reason.SelfApproval},
		"one person with two systems": {
			desk, desk, person{"G01/all", "an", both}, person{"G01/all-b", "an", both}, reason.SelfApproval},
		"two who are everything": {desk, desk, person{"G01/all", "an", both}, person{"G01/all-b", "ha", both}, ""},
		"nobody named":           {desk, desk, steward, person{"G06/operator", "", member.Operator}, reason.OfficerRequired},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.propose(c.drafter, true, document("a"))
			require.NoError(t, err)
			_, err = w.act(c.proposer, "submit", book.Motion{ID: "a"})
			require.NoError(t, err)
			w.mustAs(c.first, "approve", "a")
			_, err = w.act(c.last, "approve", book.Motion{ID: "a"})
			isRefused(t, err, c.want)
			want := []hubv1.AgreementState{active}
			if c.want != "" {
				want = []hubv1.AgreementState{proposed}
			}
			require.Equal(t, want, w.states("a"))
		})
	}
}

func TestOnlyWhatWasReadIsApproved(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose")
	read := w.versions("a")[0]
	_, err := w.propose(desk, false, document("a", titled("changed behind their back")))
	require.NoError(t, err)
	_, err = w.act(steward, "approve", book.Motion{ID: "a", Digest: read.GetDigest()})
	isRefused(t, err, reason.VersionConflict)
	_, err = w.act(steward, "approve", book.Motion{ID: "a", Version: 1})
	isRefused(t, err, reason.VersionConflict)
	_, err = w.act(steward, "refuse", book.Motion{ID: "a", Version: 3})
	isRefused(t, err, reason.VersionConflict)
	_, err = w.act(steward, "approve", book.Motion{ID: "a", Version: 2, Digest: w.versions("a")[0].GetDigest()})
	require.NoError(t, err)
}

func TestAnApprovalIsOfOneVersionOnly(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose")
	w.mustAs(steward, "approve", "a")
	_, err := w.propose(desk, false, document("a", titled("more")))
	require.NoError(t, err)
	require.Equal(t, proposed, w.mustAs(operator, "approve", "a").GetState())
	require.Equal(t, []hubv1.AgreementState{superseded, proposed}, w.states("a"))
}

func TestWhatTheCatalogNoLongerHasIsNotPutInForce(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose")
	w.rules.Known = func(agency, system string) bool { return system != "one-stop" }
	_, err := w.act(steward, "approve", book.Motion{ID: "a"})
	isRefused(t, err, reason.AgreementInvalid)
	require.Empty(t, w.versions("a")[0].GetApprovals())
}

func TestARefusalNeedsALegalReason(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose")
	refuse := func(m book.Motion) error {
		m.ID = "a"
		_, err := w.do(steward, func(ctx context.Context, tx *state.Tx, who book.Who) error {
			_, err := book.Refuse(ctx, tx, who, m)
			return err
		})
		return err
	}
	isRefused(t, refuse(book.Motion{Reason: "we do not like it"}), reason.FieldRequired)
	isRefused(t, refuse(book.Motion{Ground: 99}), reason.FieldInvalid)
	isRefused(t, refuse(book.Motion{Ground: hubv1.RefusalGround_REFUSAL_GROUND_SECRET, Reason: "see 042187001234"}), reason.FieldInvalid)
	isRefused(t, refuse(book.Motion{Ground: hubv1.RefusalGround_REFUSAL_GROUND_SECRET, Reason: "two\nlines"}), reason.FieldInvalid)
	require.NoError(t, refuse(book.Motion{Ground: hubv1.RefusalGround_REFUSAL_GROUND_SECRET, Reason: "mật"}))
	v := w.versions("a")[0]
	require.Equal(t, []any{refused, hubv1.RefusalGround_REFUSAL_GROUND_SECRET, "mật"}, []any{v.GetState(), v.GetGround(), v.GetReason()})
	require.Equal(t, "refused for the provider: SECRET; mật", w.history("a")[0].GetText())
}

func TestOfManyWhoApproveAtOnceOneOfEachSideCounts(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose")
	sides := []*state.DB{w.db, w.open()}
	errs := make([]error, 8)
	var wait sync.WaitGroup
	for i := range errs {
		who := []person{steward, operator}[i%2]
		wait.Go(func() {
			_, errs[i] = sides[i/2%2].Change(context.Background(), who.actor(t), func(tx *state.Tx) error {
				_, err := book.Approve(context.Background(), tx, w.rules, book.Who{Roles: who.roles}, book.Motion{ID: "a"})
				return err
			})
		})
	}
	wait.Wait()
	count := map[reason.Reason]int{}
	for _, err := range errs {
		if err == nil {
			count[""]++
			continue
		}
		count[reason.Of(err).Reason]++
	}
	require.Equal(t, 2, count[""], count)
	require.Equal(t, 6, count[reason.SelfApproval]+count[reason.StateWrong], count)
	require.Equal(t, []hubv1.AgreementState{active}, w.states("a"))
	require.Len(t, w.history("a"), 4)
}
