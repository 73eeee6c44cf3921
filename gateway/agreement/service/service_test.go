package service_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/agreement/service"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestAnAgreementFromItsProposalToItsEnd(t *testing.T) {
	w := newWorld(t)
	got := w.propose(document("a"))
	require.Equal(t, "new", got.GetAgreements()[0].GetWhat())
	require.Equal(t, []state.Made{{Revision: 1, Numbers: []int64{1}}}, w.changed, "it was in force and recorded before the answer")
	_, err := w.as("G01/steward").ApproveAgreement(w.by("an"), &hubv1.ApproveAgreementRequest{Id: "a"})
	refused(t, err, reason.FieldRequired, "digest")
	digest := w.digest("a")
	_, err = w.as("G01/steward").ApproveAgreement(w.by("an"), &hubv1.ApproveAgreementRequest{Id: "a", Digest: digest})
	require.NoError(t, err)
	approved, err := w.as("G06/operator").ApproveAgreement(w.by("binh"), &hubv1.ApproveAgreementRequest{Id: "a", Version: 1, Digest: digest})
	require.NoError(t, err)
	require.Equal(t, hubv1.AgreementState_AGREEMENT_STATE_ACTIVE, approved.GetAgreement().GetState())
	_, err = w.as("G01/steward").SuspendAgreement(w.by("an"), &hubv1.SuspendAgreementRequest{Id: "a", Reason: "to be checked"})
	require.NoError(t, err)
	_, err = w.as("G06/operator").ResumeAgreement(w.by("binh"), &hubv1.ResumeAgreementRequest{Id: "a"})
	require.NoError(t, err)
	ended, err := w.as("H27/one-stop").TerminateAgreement(w.by("hoa"), &hubv1.TerminateAgreementRequest{Id: "a", Reason: "no longer needed"})
	require.NoError(t, err)
	require.Equal(t, hubv1.AgreementState_AGREEMENT_STATE_TERMINATED, ended.GetAgreement().GetState())

	_, err = w.db.Deliver(t.Context(), "gateway", func(_ context.Context, c *hubv1.Change) (string, error) {
		return fmt.Sprint("G06/gateway:", c.GetNumber()), nil
	})
	require.NoError(t, err)
	all, err := w.as("G20/auditor").GetAgreement(t.Context(), &hubv1.GetAgreementRequest{Id: "a"})
	require.NoError(t, err)
	var events []string
	for _, e := range all.GetEvents() {
		events = append(events, strings.Join([]string{e.GetAct(), e.GetBy(), e.GetOfficer(), e.GetReason(), e.GetLedger()}, "|"))
	}
	require.Equal(t, []string{
		"terminated|H27/one-stop|hoa|no longer needed|G06/gateway:7", "resumed|G06/operator|binh||G06/gateway:6",
		"suspended|G01/steward|an|to be checked|G06/gateway:5", "activated|G06/operator|binh||G06/gateway:4",
		"approved for the hub|G06/operator|binh||G06/gateway:3", "approved for the provider|G01/steward|an||G06/gateway:2",
		"proposed|H27/one-stop|hoa||G06/gateway:1",
	}, events)
	require.Len(t, w.changed, 6)
}

func TestADryRunChangesNothingAndRingsNoBell(t *testing.T) {
	w := newWorld(t)
	got, err := w.as("H27/one-stop").ProposeAgreements(t.Context(), &hubv1.ProposeAgreementsRequest{Agreements: []*hubv1.Agreement{document("a")}, DryRun: true})
	require.NoError(t, err)
	require.Equal(t, "new", got.GetAgreements()[0].GetWhat())
	require.Empty(t, w.changed)
	_, err = w.as("H27/one-stop").GetAgreement(t.Context(), &hubv1.GetAgreementRequest{Id: "a"})
	refused(t, err, reason.AgreementUnknown)
}

func TestADraftIsSubmittedOrRefused(t *testing.T) {
	w := newWorld(t)
	_, err := w.as("H27/one-stop").ProposeAgreements(w.by("hoa"), &hubv1.ProposeAgreementsRequest{Agreements: []*hubv1.Agreement{document("a")}, Draft: true})
	require.NoError(t, err)
	_, err = w.as("H27/one-stop").SubmitAgreement(w.by("hoa"), &hubv1.SubmitAgreementRequest{Id: "a"})
	require.NoError(t, err)
	_, err = w.as("G01/steward").RefuseAgreement(w.by("an"), &hubv1.RefuseAgreementRequest{Id: "a"})
	refused(t, err, reason.FieldRequired, "ground")
	_, err = w.as("G01/steward").RefuseAgreement(w.by("an"), &hubv1.RefuseAgreementRequest{Id: "a", Ground: hubv1.RefusalGround_REFUSAL_GROUND_FIELDS_EXCESSIVE})
	require.NoError(t, err)
	figures, err := w.as("G06/operator").ListProposals(t.Context(), &hubv1.ListProposalsRequest{})
	require.NoError(t, err)
	require.Equal(t, map[string]int32{"FIELDS_EXCESSIVE": 1}, figures.GetProviders()[0].GetRefusedByGround())
}

func TestProblemsOfDocumentsAreNamedWithTheirPlace(t *testing.T) {
	w := newWorld(t)
	propose := func(docs ...*hubv1.Agreement) (reason.Reason, []string) {
		_, err := w.as("H27/one-stop").ProposeAgreements(t.Context(), &hubv1.ProposeAgreementsRequest{Agreements: docs})
		require.Error(t, err)
		var places []string
		for _, d := range status.Convert(err).Details() {
			if bad, ok := d.(*errdetails.BadRequest); ok {
				for _, v := range bad.GetFieldViolations() {
					require.NotEmpty(t, v.GetDescription())
					places = append(places, v.GetField())
				}
			}
		}
		return reason.Of(err).Reason, places
	}
	why, places := propose(document("a"), document("a"), document(""))
	require.Equal(t, reason.AgreementInvalid, why)
	require.Equal(t, []string{"1.id", "2.id"}, places)
	why, places = propose(document("a", func(d *hubv1.Agreement) { d.Consumer = nil }))
	require.Equal(t, reason.AgreementInvalid, why, "who forgot the consumer hears of that")
	require.Contains(t, strings.Join(places, " "), "0.consumer")
	why, places = propose(document("a"), document("b", func(d *hubv1.Agreement) { d.Version = 7 }))
	require.Equal(t, reason.VersionConflict, why)
	require.Equal(t, []string{"1.version"}, places)
	many := make([]*hubv1.Agreement, 150)
	for i := range many {
		many[i] = document(fmt.Sprint("a-", i), func(d *hubv1.Agreement) { d.Consumer.Systems = []string{strings.Repeat("x", 1000)} })
	}
	_, places = propose(many...)
	require.Len(t, places, 101, "an error travels in a header")
	require.Equal(t, "more", places[100])
	require.Empty(t, w.changed)
}

func TestWhatOneMayNotSeeLooksLikeWhatThereIsNot(t *testing.T) {
	w := newWorld(t)
	w.agree("a")
	ctx := w.by("x")
	for _, name := range []string{"G24/claims", "G15/steward", "G22/portal", "G06/gateway"} {
		c := w.as(name)
		for method, call := range map[string]func(id string) error{
			"get": func(id string) error { _, err := c.GetAgreement(ctx, &hubv1.GetAgreementRequest{Id: id}); return err },
			"submit": func(id string) error {
				_, err := c.SubmitAgreement(ctx, &hubv1.SubmitAgreementRequest{Id: id})
				return err
			},
			"approve": func(id string) error {
				_, err := c.ApproveAgreement(ctx, &hubv1.ApproveAgreementRequest{Id: id, Digest: make([]byte, 32)})
				return err
			},
			"refuse": func(id string) error {
				_, err := c.RefuseAgreement(ctx, &hubv1.RefuseAgreementRequest{Id: id})
				return err
			},
			"suspend": func(id string) error {
				_, err := c.SuspendAgreement(ctx, &hubv1.SuspendAgreementRequest{Id: id})
				return err
			},
			"resume": func(id string) error {
				_, err := c.ResumeAgreement(ctx, &hubv1.ResumeAgreementRequest{Id: id})
				return err
			},
			"terminate": func(id string) error {
				_, err := c.TerminateAgreement(ctx, &hubv1.TerminateAgreementRequest{Id: id})
				return err
			},
			"confirm": func(id string) error {
				_, err := c.ConfirmDestruction(ctx, &hubv1.ConfirmDestructionRequest{Agreement: id, Through: "2026-06-30"})
				return err
			},
		} {
			there, not := call("a"), call("b")
			refused(t, not, reason.AgreementUnknown)
			require.True(t, proto.Equal(status.Convert(not).Proto(), status.Convert(there).Proto()), "%s %s: %v", name, method, there)
		}
		list, err := c.ListAgreements(ctx, &hubv1.ListAgreementsRequest{})
		require.NoError(t, err)
		require.Empty(t, list.GetAgreements())
	}
}

func TestWhoeverIsNoMemberIsRefused(t *testing.T) {
	w := newWorld(t)
	_, err := w.as("H27/nobody").ListAgreements(t.Context(), &hubv1.ListAgreementsRequest{})
	refused(t, err, reason.IdentityUnknown)
}

func TestWhoWasRevokedWhileTheirChangeWaitedMakesNone(t *testing.T) {
	var now atomic.Pointer[member.Directory]
	now.Store(directory(t))
	w := newWorld(t, func(c *service.Config) {
		c.Reread = func(context.Context, *sql.Tx) (*member.Directory, error) { return now.Load(), nil }
	})
	w.propose(document("a"))
	now.Store(new(member.Directory))
	_, err := w.as("G01/steward").ApproveAgreement(w.by("an"), &hubv1.ApproveAgreementRequest{Id: "a"})
	refused(t, err, reason.IdentityUnknown)
	require.Len(t, w.no, 1)
	require.Equal(t, "G01/steward IDENTITY_UNKNOWN", w.no[0].GetAgency()+"/"+w.no[0].GetSystem()+" "+w.no[0].GetReason())
}

func TestEveryRefusalIsRecordedBeforeItIsHeard(t *testing.T) {
	w := newWorld(t)
	w.propose(document("a"))
	const number = "040094997317"
	for _, c := range []struct {
		name, officer string
		ask           func(context.Context, hubv1.AgreementServiceClient) error
		want          *hubv1.Change
	}{
		{"not theirs to approve", "hoa", func(ctx context.Context, c hubv1.AgreementServiceClient) error {
			_, err := c.ApproveAgreement(ctx, &hubv1.ApproveAgreementRequest{Id: "a", Digest: make([]byte, 32)})
			return err
		}, &hubv1.Change{Kind: hubv1.Change_KIND_AGREEMENT, Object: "a", Officer: "hoa", Text: "refused: ApproveAgreement", Reason: "ACT_NOT_ALLOWED"}},
		{"none of this name, which is a person's", "hoa", func(ctx context.Context, c hubv1.AgreementServiceClient) error {
			_, err := c.GetAgreement(ctx, &hubv1.GetAgreementRequest{Id: number})
			return err
		}, &hubv1.Change{Kind: hubv1.Change_KIND_AGREEMENT, Officer: "hoa", Text: "refused: GetAgreement", Reason: "AGREEMENT_UNKNOWN"}},
		{"an officer who is none", number, func(ctx context.Context, c hubv1.AgreementServiceClient) error {
			_, err := c.ListProposals(ctx, &hubv1.ListProposalsRequest{})
			return err
		}, &hubv1.Change{Kind: hubv1.Change_KIND_AGREEMENT, Text: "refused: ListProposals", Reason: "METADATA_INVALID"}},
		{"one whom nobody knows", "gone", func(ctx context.Context, c hubv1.AgreementServiceClient) error {
			_, err := c.Explain(ctx, &hubv1.ExplainRequest{Method: number})
			return err
		}, &hubv1.Change{Kind: hubv1.Change_KIND_AGREEMENT, Officer: "gone", Text: "refused: Explain", Reason: "OFFICER_UNKNOWN"}},
		{"another consumer", "hoa", func(ctx context.Context, c hubv1.AgreementServiceClient) error {
			_, err := c.SuspendConsumer(ctx, &hubv1.SuspendConsumerRequest{Provider: "G01", Agency: "G24", Violation: number})
			return err
		}, &hubv1.Change{Kind: hubv1.Change_KIND_CONSUMER, Object: "G24", Officer: "hoa", Text: "refused: SuspendConsumer", Reason: "ACT_NOT_ALLOWED"}},
		{"a consumer that there is not", "hoa", func(ctx context.Context, c hubv1.AgreementServiceClient) error {
			_, err := c.ResumeConsumer(ctx, &hubv1.ResumeConsumerRequest{Provider: "G01", Agency: number})
			return err
		}, &hubv1.Change{Kind: hubv1.Change_KIND_CONSUMER, Officer: "hoa", Text: "refused: ResumeConsumer", Reason: "ACT_NOT_ALLOWED"}},
		{"a day that is none", "hoa", func(ctx context.Context, c hubv1.AgreementServiceClient) error {
			_, err := c.ConfirmDestruction(ctx, &hubv1.ConfirmDestructionRequest{Agreement: "a", Through: number})
			return err
		}, &hubv1.Change{Kind: hubv1.Change_KIND_DESTRUCTION, Object: "a", Officer: "hoa", Text: "refused: ConfirmDestruction", Reason: "DATE_MALFORMED"}},
	} {
		w.no = nil
		require.Error(t, c.ask(w.by(c.officer), w.as("H27/one-stop")), c.name)
		require.Len(t, w.no, 1, c.name)
		require.Equal(t, []string{"H27", "one-stop"}, []string{w.no[0].GetAgency(), w.no[0].GetSystem()}, c.name)
		require.NotEmpty(t, w.no[0].GetCertificate(), c.name)
		w.no[0].Agency, w.no[0].System, w.no[0].Certificate = "", "", ""
		require.Truef(t, proto.Equal(c.want, w.no[0]), "%s: %v, and not %v", c.name, w.no[0], c.want)
	}
	w.no = nil
	_, err := w.as("H27/one-stop").GetAgreement(w.by("hoa"), &hubv1.GetAgreementRequest{Id: "a"})
	require.NoError(t, err)
	require.Empty(t, w.no, "what is answered is no refusal")
	w.fail = errors.New("disk full")
	_, err = w.as("H27/one-stop").SuspendAgreement(w.by("hoa"), &hubv1.SuspendAgreementRequest{Id: "a", Reason: "x"})
	require.Error(t, err)
	w.lost = errors.New("disk full")
	_, err = w.as("H27/one-stop").GetAgreement(w.by("hoa"), &hubv1.GetAgreementRequest{Id: "b"})
	refused(t, err, reason.LedgerUnavailable)
	require.NotContains(t, err.Error(), "disk")
	require.NotContains(t, w.log.String(), number)
}

func TestTheOfficerIsAWordThatIsGivenOnceAndKnown(t *testing.T) {
	w := newWorld(t)
	for officer, want := range map[string]reason.Reason{"gone": reason.OfficerUnknown, strings.Repeat("x", 129): reason.MetadataInvalid, "040094997317": reason.MetadataInvalid, " a": reason.MetadataInvalid} {
		_, err := w.as("H27/one-stop").ListAgreements(w.by(officer), &hubv1.ListAgreementsRequest{})
		refused(t, err, want, "lt-officer")
	}
	_, err := w.as("H27/one-stop").ListAgreements(metadata.AppendToOutgoingContext(w.by("a"), "lt-officer", "b"), &hubv1.ListAgreementsRequest{})
	refused(t, err, reason.MetadataInvalid, "lt-officer")
}

func TestWhatIsChangedAndNotRecordedIsSaidSo(t *testing.T) {
	w := newWorld(t)
	w.fail = reason.LedgerUnavailable.Because(errors.New("disk full"))
	_, err := w.as("H27/one-stop").ProposeAgreements(t.Context(), &hubv1.ProposeAgreementsRequest{Agreements: []*hubv1.Agreement{document("a")}})
	refused(t, err, reason.LedgerUnavailable)
	w.fail = nil
	_, err = w.as("H27/one-stop").GetAgreement(t.Context(), &hubv1.GetAgreementRequest{Id: "a"})
	require.NoError(t, err, "the change stands, and is recorded when the ledger can")
}

func TestAListComesInPages(t *testing.T) {
	w := newWorld(t)
	var docs []*hubv1.Agreement
	for i := range 7 {
		docs = append(docs, document(fmt.Sprint("a-", i)))
	}
	w.propose(docs...)
	var seen []string
	for after, more := "", true; more; {
		page, err := w.as("H27/one-stop").ListAgreements(t.Context(), &hubv1.ListAgreementsRequest{Limit: 3, After: after})
		require.NoError(t, err)
		for _, v := range page.GetAgreements() {
			after = v.GetAgreement().GetId()
			seen = append(seen, after)
		}
		more = page.GetMore()
	}
	require.Equal(t, []string{"a-0", "a-1", "a-2", "a-3", "a-4", "a-5", "a-6"}, seen)
	_, err := w.as("H27/one-stop").ListAgreements(t.Context(), &hubv1.ListAgreementsRequest{Limit: -1})
	refused(t, err, reason.FieldInvalid, "limit")
}

func TestAConsumerIsSuspendedAndListedToThoseItConcerns(t *testing.T) {
	w := newWorld(t)
	_, err := w.as("G01/steward").SuspendConsumer(w.by("an"), &hubv1.SuspendConsumerRequest{Agency: "H27", System: "nobody", Violation: "x"})
	refused(t, err, reason.CodeUnknown, "system")
	_, err = w.as("G15/steward").SuspendConsumer(w.by("an"), &hubv1.SuspendConsumerRequest{Provider: "G01", Agency: "H27", Violation: "x"})
	refused(t, err, reason.ActNotAllowed)
	got, err := w.as("G01/steward").SuspendConsumer(w.by("an"), &hubv1.SuspendConsumerRequest{Agency: "H27", System: "one-stop", Violation: "x"})
	require.NoError(t, err)
	require.Equal(t, summer.Add(30*24*time.Hour), got.GetSuspension().GetDeadline().AsTime())
	for name, want := range map[string]int{"H27/one-stop": 1, "G01/steward": 1, "G06/operator": 1, "G20/auditor": 1, "G24/claims": 0, "G15/steward": 0} {
		list, err := w.as(name).ListSuspensions(t.Context(), &hubv1.ListSuspensionsRequest{})
		require.NoError(t, err)
		require.Len(t, list.GetSuspensions(), want, name)
	}
	_, err = w.as("G22/portal").ListSuspensions(t.Context(), &hubv1.ListSuspensionsRequest{})
	refused(t, err, reason.ActNotAllowed)
	_, err = w.as("G01/steward").ResumeConsumer(w.by("an"), &hubv1.ResumeConsumerRequest{Agency: "H27", System: "one-stop", Reason: "mended"})
	require.NoError(t, err)
	_, err = w.as("H27/one-stop").ListProposals(t.Context(), &hubv1.ListProposalsRequest{})
	refused(t, err, reason.ActNotAllowed)
}

func TestWhoMayExplainWhat(t *testing.T) {
	var asked []string
	w := newWorld(t, func(c *service.Config) {
		c.Explain = func(_ context.Context, consumer peer.ID, q *hubv1.ExplainRequest) (*hubv1.ExplainResponse, error) {
			asked = append(asked, consumer.String())
			return &hubv1.ExplainResponse{Allowed: true}, nil
		}
	})
	const method = "sample.v1.PeopleService/GetPerson"
	for _, c := range []struct {
		as, consumer, method string
		want                 reason.Reason
	}{
		{"H27/one-stop", "", method, ""}, {"H27/one-stop", "H27/reception", method, ""}, {"H27/one-stop", "G24/claims", method, reason.ActNotAllowed},
		{"G01/steward", "G24/claims", method, ""}, {"G15/steward", "G24/claims", method, reason.ActNotAllowed},
		{"G01/steward", "G24/claims", "sample.v1.PeopleService/ListParcels", reason.ActNotAllowed}, // nobody knows of which province
		{"G01/steward", "G24/claims", "other.v1.Service/Get", reason.ActNotAllowed}, {"G06/operator", "G24/claims", "other.v1.Service/Get", ""},
		{"G20/auditor", "G24/claims", method, ""}, {"G22/portal", "", method, reason.ActNotAllowed}, {"G01/registry", "", method, reason.ActNotAllowed},
		{"G06/operator", "nonsense", method, reason.FieldInvalid}, {"G06/operator", "", "", reason.FieldRequired},
	} {
		asked = nil
		_, err := w.as(c.as).Explain(t.Context(), &hubv1.ExplainRequest{Consumer: c.consumer, Method: c.method})
		if c.want != "" {
			refused(t, err, c.want)
			require.Empty(t, asked)
			continue
		}
		require.NoError(t, err, c)
		want := c.consumer
		if want == "" {
			want = c.as
		}
		require.Equal(t, []string{want}, asked)
	}
	require.Empty(t, w.changed)
}

func TestAConsumerConfirmsDestructionAndOthersSeeWhatIsOverdue(t *testing.T) {
	w := newWorld(t, func(c *service.Config) {
		c.Destroyed = func(_ context.Context, tx *state.Tx, d service.Destruction) (int64, error) {
			tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_DESTRUCTION, Object: d.Agreement, Text: d.Consumer + " " + d.Through + " " + d.Text})
			return 12, nil
		}
		c.Overdue = func(context.Context, time.Time) ([]*hubv1.Overdue, error) {
			return []*hubv1.Overdue{{Agreement: "a", Consumer: "H27/one-stop", Provider: "G01"}, {Agreement: "b", Consumer: "G24/claims", Provider: "G15"}}, nil
		}
	})
	w.agree("a")
	heard := len(w.changed)
	confirm := &hubv1.ConfirmDestructionRequest{Agreement: "a", Through: "2026-06-30", Text: "wiped"}
	got, err := w.as("H27/one-stop").ConfirmDestruction(w.by("hoa"), confirm)
	require.NoError(t, err)
	require.EqualValues(t, 12, got.GetAnswers())
	require.Len(t, w.changed, heard+1)
	_, err = w.as("G01/steward").ConfirmDestruction(w.by("an"), confirm)
	refused(t, err, reason.ActNotAllowed)
	_, err = w.as("H27/one-stop").ConfirmDestruction(w.by("hoa"), &hubv1.ConfirmDestructionRequest{Agreement: "a", Through: "yesterday"})
	refused(t, err, reason.DateMalformed, "through")
	for name, want := range map[string]int{"H27/one-stop": 1, "G24/claims": 1, "G01/steward": 1, "G15/steward": 1, "G06/operator": 2, "G20/auditor": 2} {
		list, err := w.as(name).ListOverdue(t.Context(), &hubv1.ListOverdueRequest{})
		require.NoError(t, err)
		require.Len(t, list.GetOverdue(), want, name)
	}
	_, err = w.as("G01/registry").ListOverdue(t.Context(), &hubv1.ListOverdueRequest{})
	refused(t, err, reason.ActNotAllowed)
}

func TestAPanicEndsOneRequestAlone(t *testing.T) {
	w := newWorld(t, func(c *service.Config) {
		c.Explain = func(context.Context, peer.ID, *hubv1.ExplainRequest) (*hubv1.ExplainResponse, error) {
			panic("042187001234")
		}
	})
	_, err := w.as("G06/operator").Explain(t.Context(), &hubv1.ExplainRequest{Method: "x/y"})
	refused(t, err, reason.Internal)
	require.NotContains(t, w.log.String(), "042187001234")
	_, err = w.as("G06/operator").ListSuspensions(t.Context(), &hubv1.ListSuspensionsRequest{})
	require.NoError(t, err)
}
