package exchange_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/policy"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestTheEnvelopeSaysOnWhoseAuthorityAndForWhichFields(t *testing.T) {
	f := newFixture(t)
	answer := f.carrier
	var asked *courier.Question
	f.carrier = func(ctx context.Context, q *courier.Question) (*hubv1.Answer, error) {
		asked = q
		return answer(ctx, q)
	}
	call := question(t)
	call.Fields = "person.birth_date"
	reply, err := f.Do(t.Context(), call)
	require.NoError(t, err)
	e := asked.Envelope
	require.Equal(t, []string{"H27", "one-stop", "an.nv", "H27-1", "HT-KS", "H27-G01", "vn", "C-1", "person.birth_date,result.code,result.next"}, []string{
		e.GetConsumerAgency(), e.GetConsumerSystem(), e.GetOfficer(), e.GetCase(), e.GetPurpose(), e.GetAgreement(),
		e.GetJurisdiction(), e.GetConsent(), e.GetFields()})
	require.Equal(t, call.Request, asked.Request)
	require.Equal(t, [16]byte(reply.Exchange), asked.Exchange)
	require.Empty(t, asked.Trace, "nobody reads a trace")
}

func TestAPolicyThatChangesDuringACallDoesNotChangeItsDecision(t *testing.T) {
	f := newFixture(t)
	answer := f.carrier
	f.carrier = func(ctx context.Context, q *courier.Question) (*hubv1.Answer, error) {
		f.policy = &policy.Policy{Members: exchangetest.Members(t, "abc")} // revokes the caller, withdraws everything
		return answer(ctx, q)
	}
	reply, err := f.Do(t.Context(), question(t))
	require.NoError(t, err)
	require.NotEmpty(t, reply.Response)
	require.EqualValues(t, 3, f.recorder.Kept()[0].GetAgreementVersion())
	require.Equal(t, reason.CertificateRevoked, f.refused(t, t.Context(), question(t)).Reason, "the next call sees the new policy")
}

func TestARegistrysFailureBecomesItsReasonAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		said, at string
		want     reason.Reason
		field    string
	}{
		"a field of the request":     {"ID_MALFORMED", "personal_id", reason.IDMalformed, "personal_id"},
		"a field it does not have":   {"ID_MALFORMED", "ethnic_group", reason.IDMalformed, ""},
		"a value for a field":        {"ID_MALFORMED", "n.042187001234", reason.IDMalformed, ""},
		"an unregistered reason":     {"NGUYEN_THI_HOA", "personal_id", reason.RegistryFailed, ""},
		"no reason":                  {"", "", reason.RegistryFailed, ""},
		"one that is the hub's":      {"NO_AGREEMENT", "", reason.RegistryFailed, ""},
		"one about the certificate":  {"CERTIFICATE_REVOKED", "", reason.RegistryFailed, ""},
		"one about the caller":       {"CANCELLED", "", reason.RegistryFailed, ""},
		"one about the catalog":      {"JURISDICTION_NOT_SERVED", "", reason.RegistryFailed, ""},
		"one about the hub's ledger": {"LEDGER_UNAVAILABLE", "", reason.RegistryFailed, ""},
		"the registry's own":         {"PERSON_NOT_FOUND", "", reason.PersonNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.carrier = exchangetest.Fails(c.said, c.at)
			fault := f.refused(t, t.Context(), question(t))
			require.Equal(t, c.want, fault.Reason)
			require.Equal(t, c.field, fault.Field)
		})
	}
}

func TestAnAnswerThatBreaksItsContractIsNotReleased(t *testing.T) {
	cutOff := protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.BytesType), 1000) // and no bytes come
	for name, c := range map[string]struct {
		response []byte
		want     reason.Reason
		outcome  hubv1.Exchange_Outcome
	}{
		"cut off":           {cutOff, reason.AnswerMalformed, hubv1.Exchange_OUTCOME_FAILED},
		"over one mebibyte": {make([]byte, 1<<20+1), reason.AnswerTooLarge, hubv1.Exchange_OUTCOME_REFUSED},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.carrier = exchangetest.Answers(c.response)
			require.Equal(t, c.want, f.refused(t, t.Context(), question(t)).Reason)
			require.Equal(t, c.outcome, f.recorder.Kept()[0].GetOutcome())
		})
	}
}

func TestEveryQuestionHasADeadlineThatLeavesTimeToReport(t *testing.T) {
	for name, c := range map[string]struct{ asked, want time.Duration }{
		"none asked: the method's":      {0, 5 * time.Second},
		"the caller's, less a margin":   {time.Second, time.Second - 20*time.Millisecond},
		"no longer than the bus allows": {time.Hour, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newSilent(t)
				ctx, cancel := context.WithCancel(t.Context())
				if c.asked > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), c.asked)
				}
				defer cancel()
				began := time.Now()
				fault := f.refused(t, ctx, question(t))
				require.Equal(t, reason.DeadlineExceeded, fault.Reason)
				require.Equal(t, c.want, time.Since(began))
				require.Equal(t, hubv1.Exchange_OUTCOME_TIMED_OUT, f.recorder.Kept()[0].GetOutcome())
			})
		})
	}
}

// newSilent is a hub of whose registry nothing comes back.
func newSilent(t *testing.T) *fixture {
	f := newFixture(t)
	f.carrier = func(ctx context.Context, _ *courier.Question) (*hubv1.Answer, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return f
}

func TestADeadlineTooShortIsRefusedBeforeAnybodyIsAsked(t *testing.T) {
	f := newFixture(t)
	f.carrier = func(context.Context, *courier.Question) (*hubv1.Answer, error) {
		t.Error("it was asked")
		return nil, reason.Internal
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	require.Equal(t, reason.DeadlineTooShort, f.refused(t, ctx, question(t)).Reason)
}

func TestWhatTheWayReportsIsTheReason(t *testing.T) {
	for _, want := range []reason.Reason{reason.RegistryOffline, reason.BusOffline, reason.Overloaded, reason.SealRefused} {
		f := newFixture(t)
		f.carrier = func(context.Context, *courier.Question) (*hubv1.Answer, error) { return nil, want }
		require.Equal(t, want, f.refused(t, t.Context(), question(t)).Reason)
	}
}

func TestACertificateThatIsRevokedIsRefusedFirst(t *testing.T) {
	f := newFixture(t)
	f.policy.Members = exchangetest.Members(t, "abc")
	call := question(t)
	call.Method, call.Purpose = "/nothing/known", "\x00"
	require.Equal(t, reason.CertificateRevoked, f.refused(t, t.Context(), call).Reason)
	require.Equal(t, "abc", f.recorder.Kept()[0].GetCertificate())
	f.policy.Members = exchangetest.Members(t)
	call.Caller = &member.Certificate{ID: exchangetest.Desk, Serial: "def", NotAfter: time.Now().Add(time.Hour)}
	require.Equal(t, reason.MetadataInvalid, f.refused(t, t.Context(), call).Reason)
}
