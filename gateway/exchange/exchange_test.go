package exchange_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/policy"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// fixture is a hub whose seams a test holds.
type fixture struct {
	*exchange.Hub
	policy   *policy.Policy
	stale    error
	carrier  exchangetest.Carrier
	recorder exchangetest.Recorder
	ended    []*exchange.Ended
	log      bytes.Buffer
}

// person is an answer with more than is agreed.
const person = `{"result": {"code": "FOUND"}, "person": {"personalId": "042187001234", "birthDate": "1987-04-21",
	"name": {"full": "Nguyễn Thị Hoà"}, "ethnicGroup": "CANARY", "religion": "CANARY", "residence": {"detail": "CANARY"},
	"relatives": [{"personalId": "CANARY", "relation": "mother", "illness": "CANARY"}]}}`

// newFixture is a hub that answers with the person.
func newFixture(t *testing.T) *fixture {
	f := &fixture{policy: exchangetest.Policy(t)}
	f.carrier = exchangetest.Answers(exchangetest.Message(t, "GetPersonResponse", person))
	f.Hub = exchange.New(exchange.Config{
		Origin:   "G06/gateway",
		Policy:   func(time.Time) (*policy.Policy, error) { return f.policy, f.stale },
		Carrier:  exchangetest.Carrier(func(ctx context.Context, q *courier.Question) (*hubv1.Answer, error) { return f.carrier(ctx, q) }),
		Recorder: &f.recorder,
		Observe:  func(e *exchange.Ended) { f.ended = append(f.ended, e) },
		Log:      slog.New(slog.NewTextHandler(&f.log, nil)),
	})
	return f
}

// as is the certificate that a system shows.
func as(id peer.ID) *member.Certificate {
	return &member.Certificate{ID: id, Serial: "abc", NotAfter: time.Now().Add(time.Hour)}
}

// question is one that is answered.
func question(t testing.TB) *exchange.Call {
	return &exchange.Call{
		Face: "grpc", Caller: as(exchangetest.Desk), Method: catalogtest.GetPerson, Purpose: exchangetest.Purpose,
		Case: "H27-1", Officer: "an.nv", Consent: "C-1",
		Request: exchangetest.Message(t, "GetPersonRequest", `{"personalId": "042187001234"}`),
	}
}

// refused asks and returns the reason it is refused with, after a look at what every refusal must have.
func (f *fixture) refused(t *testing.T, ctx context.Context, call *exchange.Call) *reason.Fault {
	t.Helper()
	before := len(f.recorder.Kept())
	reply, err := f.Do(ctx, call)
	require.Error(t, err)
	require.NotZero(t, reply.Exchange, "a refusal has an exchange id")
	require.Nil(t, reply.Response, "no data comes with a refusal")
	require.Empty(t, reply.Withheld)
	fault := reason.Of(err)
	require.True(t, fault.Reason.Registered())
	kept := f.recorder.Kept()
	require.Len(t, kept, before+1, "a refusal is recorded")
	last := kept[before]
	require.Equal(t, string(fault.Reason), last.GetReason())
	require.Equal(t, reply.Exchange[:], last.GetId())
	require.Empty(t, last.GetReleased())
	require.Zero(t, last.GetAnswerBytes())
	return fault
}

func TestOnlyAgreedFieldsLeaveWhateverComes(t *testing.T) {
	f := newFixture(t)
	reply, err := f.Do(t.Context(), question(t))
	require.NoError(t, err)
	require.JSONEq(t, `{"result": {"code": "FOUND"}, "person": {"personal_id": "042187001234", "birth_date": "1987-04-21",
		"name": {"full": "Nguyễn Thị Hoà"}, "relatives": [{"relation": "mother"}]}}`,
		exchangetest.Text(t, "GetPersonResponse", reply.Response))
	require.Contains(t, reply.Withheld, "person.religion")

	e := f.recorder.Kept()[0]
	require.Equal(t, hubv1.Exchange_OUTCOME_ANSWERED, e.GetOutcome())
	require.Equal(t, []string{"H27", "one-stop", "abc", "an.nv", "H27-1", "HT-KS", "C-1", "Luật Hộ tịch 60/2014/QH13", "G01", "vn", "H27-G01"}, []string{
		e.GetConsumerAgency(), e.GetConsumerSystem(), e.GetCertificate(), e.GetOfficer(), e.GetCase(), e.GetPurpose(), e.GetConsent(),
		e.GetLegalBasis(), e.GetProviderAgency(), e.GetJurisdiction(), e.GetAgreement()})
	require.EqualValues(t, 3, e.GetAgreementVersion())
	require.Equal(t, f.policy.Members.Version(), e.GetMembersVersion())
	require.Equal(t, digestOf(t, f.policy), e.GetContractDigest())
	require.Equal(t, "sample.v1.PeopleService/GetPerson", e.GetMethod())
	require.EqualValues(t, len(reply.Response), e.GetAnswerBytes())
	require.Equal(t, reply.Withheld, e.GetWithheld())
	require.NotContains(t, e.String(), "CANARY")
}

// digestOf is the digest of the contract that the catalog has.
func digestOf(t *testing.T, p *policy.Policy) []byte {
	m, ok := p.Catalog.Method(catalogtest.GetPerson)
	require.True(t, ok)
	return m.Service.Digest[:]
}

func TestLtFieldsNarrowWhatLeavesButNotTheResult(t *testing.T) {
	f := newFixture(t)
	call := question(t)
	call.Fields = "person.birth_date,person.religion"
	reply, err := f.Do(t.Context(), call)
	require.NoError(t, err)
	require.JSONEq(t, `{"result": {"code": "FOUND"}, "person": {"birth_date": "1987-04-21"}}`,
		exchangetest.Text(t, "GetPersonResponse", reply.Response))
	require.Equal(t, "person.religion", reply.Withheld)
}

func TestWhatMayNotBeAskedIsRefusedWithItsReason(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*exchange.Call)
		want  reason.Reason
		field string
	}{
		"unknown service":       {func(c *exchange.Call) { c.Method = "/sample.v1.Nobody/GetPerson" }, reason.ServiceUnknown, ""},
		"unknown method":        {func(c *exchange.Call) { c.Method = "/sample.v1.PeopleService/Delete" }, reason.MethodUnknown, ""},
		"no path at all":        {func(c *exchange.Call) { c.Method = "GetPerson" }, reason.ServiceUnknown, ""},
		"a path too long":       {func(c *exchange.Call) { c.Method += "/" }, reason.MethodUnknown, ""},
		"no purpose":            {func(c *exchange.Call) { c.Purpose = "" }, reason.PurposeRequired, "lt-purpose"},
		"another purpose":       {func(c *exchange.Call) { c.Purpose = "THUE" }, reason.PurposeNotAgreed, "lt-purpose"},
		"no agreement":          {func(c *exchange.Call) { c.Caller = as(exchangetest.Stranger) }, reason.NoAgreement, ""},
		"not agreed with vn":    {func(c *exchange.Call) { c.Method = catalogtest.ListParcels; c.Request = []byte("\x12\x0201") }, reason.MethodNotAgreed, ""},
		"unknown identity":      {func(c *exchange.Call) { c.Caller = as(peer.ID{Agency: "H30", System: "x"}) }, reason.IdentityUnknown, ""},
		"suspended":             {func(c *exchange.Call) { c.Caller = as(exchangetest.Suspended) }, reason.SystemSuspended, ""},
		"no consumer":           {func(c *exchange.Call) { c.Caller = as(exchangetest.Auditor) }, reason.NotAConsumer, ""},
		"certificate expired":   {func(c *exchange.Call) { c.Caller.NotAfter = time.Now().Add(-time.Second) }, reason.CertificateExpired, ""},
		"unknown field":         {func(c *exchange.Call) { c.Fields = "person.shoe_size" }, reason.FieldUnknown, "lt-fields"},
		"no agreed field":       {func(c *exchange.Call) { c.Fields = "person.religion" }, reason.FieldsNotAgreed, "lt-fields"},
		"a long purpose":        {func(c *exchange.Call) { c.Purpose = string(make([]byte, 129)) }, reason.MetadataInvalid, "lt-purpose"},
		"a case with a newline": {func(c *exchange.Call) { c.Case = "1\n2" }, reason.MetadataInvalid, "lt-case"},
		"an officer not ASCII":  {func(c *exchange.Call) { c.Officer = "Hoà" }, reason.MetadataInvalid, "lt-officer"},
		"a blank for a case": {func(c *exchange.Call) {
			c.Method, c.Case = catalogtest.RegisterParcel, " "
			c.Request = []byte("\x12\x0201")
		}, reason.MetadataInvalid, "lt-case"},
		"a purpose, then blank": {func(c *exchange.Call) { c.Purpose += " " }, reason.MetadataInvalid, "lt-purpose"},
		"a consent with DEL":    {func(c *exchange.Call) { c.Consent = "\x7f" }, reason.MetadataInvalid, "lt-consent"},
		"a face's complaint":    {func(c *exchange.Call) { c.Unreadable = reason.RequestMalformed }, reason.RequestMalformed, ""},
		"a large request":       {func(c *exchange.Call) { c.Request = make([]byte, 256<<10+1) }, reason.RequestTooLarge, ""},
		"a write, no case": {func(c *exchange.Call) {
			c.Method, c.Case = catalogtest.RegisterParcel, ""
			c.Request = []byte("\x12\x0201")
		}, reason.CaseRequired, "lt-case"},
		"a write, no officer": {func(c *exchange.Call) {
			c.Method, c.Officer = catalogtest.RegisterParcel, ""
			c.Request = []byte("\x12\x0201")
		}, reason.OfficerRequired, "lt-officer"},
		"no province":           {func(c *exchange.Call) { c.Method = catalogtest.RegisterParcel }, reason.FieldRequired, "province_code"},
		"a stranger's province": {func(c *exchange.Call) { c.Method, c.Caller = catalogtest.RegisterParcel, as(exchangetest.Stranger) }, reason.NoAgreement, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.carrier = func(context.Context, *courier.Question) (*hubv1.Answer, error) {
				t.Error("a refused question was carried")
				return nil, reason.Internal
			}
			call := question(t)
			c.spoil(call)
			fault := f.refused(t, t.Context(), call)
			require.Equal(t, c.want, fault.Reason)
			require.Equal(t, c.field, fault.Field)
			require.Equal(t, hubv1.Exchange_OUTCOME_REFUSED, f.recorder.Kept()[0].GetOutcome())
		})
	}
}

func TestWordsThatNobodyCheckedAreNotRecorded(t *testing.T) {
	f := newFixture(t)
	call := question(t)
	call.Method, call.Case = "/042187001234", "042187001234\x00"
	f.refused(t, t.Context(), call)
	require.NotContains(t, f.recorder.Kept()[0].String(), "042187001234")
}
