package connector_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/bus"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/connector"
)

func TestAConnectorFillsInWhatARegistryLeavesOut(t *testing.T) {
	given := new(hubv1.Result)
	r := &registry{getPerson: func(context.Context, *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
		return &populationv1.GetPersonResponse{Result: given}, nil
	}}
	w := newWorld(t)
	w.run(r)
	l := w.gateway().known()
	for _, c := range []struct{ given, want *hubv1.Result }{
		{nil, &hubv1.Result{Code: hubv1.Result_FOUND, Next: hubv1.Result_USE_DATA}},
		{&hubv1.Result{Code: hubv1.Result_NO_MATCH}, &hubv1.Result{Code: hubv1.Result_NO_MATCH, Next: hubv1.Result_CHECK_INPUT}},
		{&hubv1.Result{Code: hubv1.Result_MULTIPLE}, &hubv1.Result{Code: hubv1.Result_MULTIPLE, Next: hubv1.Result_ASK_MORE}},
		{&hubv1.Result{Code: hubv1.Result_DECEASED}, &hubv1.Result{Code: hubv1.Result_DECEASED, Next: hubv1.Result_STOP}},
		{&hubv1.Result{Code: hubv1.Result_MISSING}, &hubv1.Result{Code: hubv1.Result_MISSING, Next: hubv1.Result_ASK_PAPER}},
		{&hubv1.Result{Code: hubv1.Result_WRONG}, &hubv1.Result{Code: hubv1.Result_WRONG, Next: hubv1.Result_ASK_PAPER}},
		{&hubv1.Result{Code: hubv1.Result_PARTIAL}, &hubv1.Result{Code: hubv1.Result_PARTIAL, Next: hubv1.Result_TRY_LATER}},
		{&hubv1.Result{Code: hubv1.Result_FOUND, Next: hubv1.Result_STOP}, &hubv1.Result{Code: hubv1.Result_FOUND, Next: hubv1.Result_STOP}},
	} {
		given = c.given
		answer := l.ask(l.call(getPerson, person("1"), "result.code", "result.next"))
		require.Empty(t, answer.GetReason())
		require.True(t, proto.Equal(c.want, answer.GetResult()), "%v", answer.GetResult())
		var response populationv1.GetPersonResponse
		require.NoError(t, proto.Unmarshal(answer.GetResponse(), &response))
		require.True(t, proto.Equal(c.want, response.GetResult()), "the record and the consumer are told the same")
	}
}

func TestSubjectsAndMatchesAreCountedBeforeTheAnswerIsCut(t *testing.T) {
	w := newWorld(t)
	w.run(&registry{
		getPerson: func(_ context.Context, q *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
			return &populationv1.GetPersonResponse{Person: &populationv1.Person{
				PersonalId: q.GetPersonalId(), OldId: "183000111",
				Relatives: []*populationv1.Relative{{PersonalId: "042060000001"}, {PersonalId: "042060000001"}},
			}}, nil
		},
		batchVerify: func(_ context.Context, q *populationv1.BatchVerifyRequest) (*populationv1.BatchVerifyResponse, error) {
			a := new(populationv1.BatchVerifyResponse)
			for i, one := range q.GetPeople() {
				item := &populationv1.BatchVerifyItem{PersonalId: one.GetPersonalId(), Result: &hubv1.Result{Code: hubv1.Result_NO_MATCH}}
				if i%3 == 0 {
					item.Result.Code = hubv1.Result_FOUND
				}
				a.Items = append(a.Items, item)
			}
			return a, nil
		},
	})
	l := w.gateway().known()

	answer := l.ask(l.call(getPerson, person("042187001234"), "result.code"))
	require.Equal(t, []string{"042187001234", "183000111", "042060000001"}, values(answer))
	require.Equal(t, hubv1.Subject_SUBJECT_OLD_ID, answer.GetSubjects()[1].GetKind())
	require.EqualValues(t, 1, answer.GetMatched())
	require.Zero(t, answer.GetMissed())
	require.NotContains(t, string(answer.GetResponse()), "042")

	batch := new(populationv1.BatchVerifyRequest)
	for _, id := range []string{"1", "2", "3", "4"} {
		batch.People = append(batch.People, &populationv1.VerifyIdentityRequest{PersonalId: id})
	}
	answer = l.ask(l.call(batchVerify, batch, "items.matched"))
	require.Equal(t, []string{"1", "2", "3", "4"}, values(answer))
	require.EqualValues(t, 2, answer.GetMatched())
	require.EqualValues(t, 2, answer.GetMissed())
}

func values(a *hubv1.Answer) (list []string) {
	for _, s := range a.GetSubjects() {
		list = append(list, s.GetValue())
	}
	return list
}

func TestNoFieldLeavesThatTheEnvelopeDoesNotName(t *testing.T) {
	const canary = "canary"
	w := newWorld(t)
	w.run(&registry{getPerson: func(context.Context, *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
		return &populationv1.GetPersonResponse{Person: &populationv1.Person{
			PersonalId: "1", BirthDate: "1987", Religion: canary, EthnicGroup: canary, Phone: canary, Nationality: canary,
			Name: &hubv1.PersonName{Full: canary}, Relatives: []*populationv1.Relative{{FullName: canary, Nationality: "VNM"}},
			PermanentResidence: &hubv1.Address{Detail: canary},
		}}, nil
	}})
	l := w.gateway().known()
	found := &hubv1.Result{Code: hubv1.Result_FOUND, Next: hubv1.Result_USE_DATA} // every answer says so much
	for fields, want := range map[string]*populationv1.GetPersonResponse{
		"": {Result: found},
		"person.birth_date,person.relatives.nationality": {Result: found, Person: &populationv1.Person{
			BirthDate: "1987", Relatives: []*populationv1.Relative{{Nationality: "VNM"}},
		}},
	} {
		answer := l.ask(l.call(getPerson, person("1"), fields))
		require.Empty(t, answer.GetReason())
		got := new(populationv1.GetPersonResponse)
		require.NoError(t, proto.Unmarshal(answer.GetResponse(), got))
		require.True(t, proto.Equal(want, got), "%v", got)
		raw, err := proto.Marshal(answer)
		require.NoError(t, err)
		require.NotContains(t, string(raw), canary)
	}
}

func TestARegistryLearnsOnWhoseAuthorityItIsAsked(t *testing.T) {
	callers := make(chan connector.Caller, 2)
	w := newWorld(t)
	w.run(&registry{getPerson: func(ctx context.Context, _ *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
		caller, ok := connector.CallerFrom(ctx)
		if !ok {
			return nil, errors.New("nobody")
		}
		callers <- caller
		return new(populationv1.GetPersonResponse), nil
	}})
	w.gateway().known()
	require.Equal(t, connector.Caller{
		Agency: "H27", System: "one-stop", Officer: "lan", Case: "000.00.01", Purpose: "HT-KS", Agreement: "H27-population",
	}, await(t, callers, "not asked"))
	_, ok := connector.CallerFrom(context.Background())
	require.False(t, ok)
}

func TestFailuresOfARegistryHaveAReasonAndNeverAnAnswer(t *testing.T) {
	const secret = "Nguyễn Thị Hoà 042187001234"
	var fail func() (*populationv1.GetPersonResponse, error)
	full := &populationv1.GetPersonResponse{Person: &populationv1.Person{PersonalId: "1"}}
	w := newWorld(t)
	p := w.run(&registry{getPerson: func(context.Context, *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
		if fail == nil {
			return full, nil
		}
		return fail()
	}}, func(c *connector.Config) { c.Workers = 1 })
	l := w.gateway().known()
	for name, c := range map[string]struct {
		fail  func() (*populationv1.GetPersonResponse, error)
		want  reason.Reason
		field string
	}{
		"a reason":               {func() (*populationv1.GetPersonResponse, error) { return full, reason.IDMalformed.At("personal_id") }, reason.IDMalformed, "personal_id"},
		"a reason as a status":   {func() (*populationv1.GetPersonResponse, error) { return nil, reason.DateMalformed.GRPCStatus().Err() }, reason.DateMalformed, ""},
		"a reason of nobody's":   {func() (*populationv1.GetPersonResponse, error) { return nil, reason.Reason("MADE_UP") }, reason.RegistryFailed, ""},
		"a value for a field":    {func() (*populationv1.GetPersonResponse, error) { return nil, reason.IDMalformed.At(secret) }, reason.IDMalformed, ""},
		"an error":               {func() (*populationv1.GetPersonResponse, error) { return full, errors.New("disk") }, reason.RegistryFailed, ""},
		"a status":               {func() (*populationv1.GetPersonResponse, error) { return nil, status.Error(codes.NotFound, secret) }, reason.RegistryFailed, ""},
		"a method it has not":    {func() (*populationv1.GetPersonResponse, error) { return nil, status.Error(codes.Unimplemented, "") }, reason.MethodUnknown, ""},
		"nothing":                {func() (*populationv1.GetPersonResponse, error) { return nil, nil }, reason.RegistryFailed, ""},
		"a panic":                {func() (*populationv1.GetPersonResponse, error) { panic(secret) }, reason.RegistryFailed, ""},
		"a panic with nothing":   {func() (*populationv1.GetPersonResponse, error) { var q *call; return nil, errors.New(q.subject) }, reason.RegistryFailed, ""},
		"a cancelled statement":  {func() (*populationv1.GetPersonResponse, error) { return nil, context.Canceled }, reason.Cancelled, ""},
		"text that is not UTF-8": {func() (*populationv1.GetPersonResponse, error) { return spoilt("\xff"), nil }, reason.AnswerMalformed, ""},
		"an id beyond all ids": {func() (*populationv1.GetPersonResponse, error) {
			return &populationv1.GetPersonResponse{Person: &populationv1.Person{PersonalId: strings.Repeat("1", 65)}}, nil
		}, reason.AnswerMalformed, ""},
	} {
		fail = c.fail
		answer := l.ask(l.call(getPerson, person("1"), "person.personal_id"))
		require.Equal(t, string(c.want), answer.GetReason(), name)
		require.Equal(t, uint32(c.want.Form().Code), answer.GetStatus(), name)
		require.Equal(t, c.field, answer.GetFaultField(), name)
		require.Empty(t, answer.GetResponse(), name)
		require.Equal(t, []string{"1"}, values(answer), "%s: whom it was about is known all the same", name)
		fail = nil
		require.Empty(t, l.ask(l.call(getPerson, person("1"))).GetReason(), "%s: the one worker still works", name)
	}
	require.NotContains(t, p.log.String(), "042187001234\n", "a panic's words are not logged")
}

func spoilt(s string) *populationv1.GetPersonResponse {
	return &populationv1.GetPersonResponse{Person: &populationv1.Person{OtherName: s}}
}

func TestAnAnswerThatIsTooLargeSaysSo(t *testing.T) {
	size := 0
	r := &registry{getPerson: func(context.Context, *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
		return spoilt(strings.Repeat("x", size)), nil
	}}
	for name, c := range map[string]struct {
		size, payload int
		want          reason.Reason
	}{
		"as large as may be":              {bus.MaxAnswer - 100, bus.MaxFrame, ""},
		"over the limit":                  {bus.MaxAnswer, bus.MaxFrame, reason.AnswerTooLarge},
		"over what this server will take": {600 << 10, 512 << 10, reason.AnswerTooLarge},
	} {
		w := newWorld(t, func(o *server.Options) { o.MaxPayload = int32(c.payload) })
		w.run(r)
		size = 0
		l := w.gateway().known()
		size = c.size
		answer := l.ask(l.call(getPerson, person("1"), "person.other_name"))
		require.Equal(t, string(c.want), answer.GetReason(), name)
		require.Equal(t, c.want != "", len(answer.GetResponse()) == 0, name)
	}
}

func TestTimingsSayWhereTheTimeWent(t *testing.T) {
	w := newWorld(t)
	w.run(&registry{getPerson: func(context.Context, *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
		w.clock.advance(7 * time.Millisecond)
		return new(populationv1.GetPersonResponse), nil
	}})
	l := w.gateway().known()
	timings := l.ask(l.call(getPerson, person("1"))).GetTimings()
	require.GreaterOrEqual(t, timings.GetRegistryUs(), uint32(7000))
	require.Less(t, timings.GetConnectorUs(), uint32(10_000_000), "it did not wrap around")
}

func TestAConditionOverTheAnswerIsDecidedBeforeAnythingLeaves(t *testing.T) {
	answer := &populationv1.GetPersonResponse{Person: &populationv1.Person{
		PersonalId: "042187001234", PermanentResidence: &hubv1.Address{ProvinceCode: "42"},
	}}
	asked := 0
	w := newWorld(t)
	w.run(&registry{getPerson: func(context.Context, *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
		asked++
		return proto.CloneOf(answer), nil
	}})
	l := w.gateway().known()
	const own = "answer.person.permanent_residence.province_code == caller.province"
	for name, c := range map[string]struct {
		condition, province string
		found               hubv1.Result_Code
		want                reason.Reason
	}{
		"holds":                       {own, "42", hubv1.Result_FOUND, ""},
		"does not hold":               {own, "08", hubv1.Result_FOUND, reason.ConditionNotMet},
		"somebody dead":               {own, "08", hubv1.Result_DECEASED, reason.ConditionNotMet},
		"cannot be decided":           {"1 / size(answer.person.old_id) > 0", "42", hubv1.Result_FOUND, reason.ConditionNotMet},
		"nobody: nothing is told":     {own, "08", hubv1.Result_NO_MATCH, ""},
		"is none":                     {"answer.", "42", hubv1.Result_FOUND, reason.ContractMismatch},
		"a field of another contract": {"answer.shoe_size == 1", "42", hubv1.Result_FOUND, reason.ContractMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			answer.Result = &hubv1.Result{Code: c.found}
			call := l.call(getPerson, person("042187001234"), "person.personal_id")
			call.message.Envelope.AnswerCondition, call.message.Envelope.ConsumerProvince = c.condition, c.province
			got := l.ask(call)
			require.Equal(t, string(c.want), got.GetReason())
			if c.want == "" {
				require.NotEmpty(t, got.GetResponse())
				return
			}
			require.Empty(t, got.GetResponse())
			if c.want == reason.ConditionNotMet {
				require.Equal(t, []string{"042187001234"}, values(got), "the ledger knows about whom it was")
				require.EqualValues(t, 1, got.GetMatched())
			}
		})
	}
}

func TestAPersonWhoIsNotFoundIsAMissAlsoWithoutAnAnswer(t *testing.T) {
	w := newWorld(t)
	w.run(&registry{getPerson: func(_ context.Context, q *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
		if q.GetPersonalId() == "042187001234" {
			return nil, reason.PersonNotFound.At("personal_id")
		}
		return new(populationv1.GetPersonResponse), nil
	}})
	l := w.gateway().known()
	answer := l.ask(l.call(getPerson, person("042187001234"), "result.code"))
	require.Equal(t, string(reason.PersonNotFound), answer.GetReason())
	require.EqualValues(t, 1, answer.GetMissed())
	require.Zero(t, answer.GetMatched())
}
