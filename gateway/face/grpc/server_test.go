package grpc_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	grpcface "github.com/lienthong/lienthong/gateway/face/grpc"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestAPublishedMethodIsAnsweredWithItsReceipt(t *testing.T) {
	f := newFace(t)
	answer, receipt, err := f.getPerson(purpose(t.Context()), f.desk())
	require.NoError(t, err)
	require.Contains(t, exchangetest.Text(t, "GetPersonResponse", answer), "1987-04-21")
	require.Contains(t, receipt.Withheld, "person.religion")
	kept := f.recorder.Kept()
	require.Len(t, kept, 1)
	require.Equal(t, receipt.Exchange, uuidOf(kept[0]))
	require.Equal(t, "grpc", kept[0].GetFace())
}

func uuidOf(e *hubv1.Exchange) string {
	h := fmt.Sprintf("%x", e.GetId())
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

func TestEveryRefusalHasReasonSentenceExchangeAndRecordAndTheFaceGoesOn(t *testing.T) {
	f := newFace(t)
	conn := f.desk()
	stranger := f.dial(f.authority.issue(exchangetest.Stranger))
	person := exchangetest.Message(t, "GetPersonRequest", `{"personalId": "042187001234"}`)
	good := metadata.Pairs("lt-purpose", exchangetest.Purpose)
	with := func(pairs ...string) metadata.MD { return metadata.Join(good, metadata.Pairs(pairs...)) }
	for name, c := range map[string]struct {
		conn    *grpc.ClientConn
		method  string
		words   metadata.MD
		request []byte
		want    reason.Reason
		field   string
	}{
		"unknown service":       {conn, "/sample.v1.Nobody/GetPerson", good, person, reason.ServiceUnknown, ""},
		"unknown method":        {conn, "/sample.v1.PeopleService/Drop", good, person, reason.MethodUnknown, ""},
		"a method of health":    {conn, "/grpc.health.v1.Health/Drop", good, person, reason.ServiceUnknown, ""},
		"missing purpose":       {conn, catalogtest.GetPerson, nil, person, reason.PurposeRequired, "lt-purpose"},
		"purpose not agreed":    {conn, catalogtest.GetPerson, metadata.Pairs("lt-purpose", "THUE"), person, reason.PurposeNotAgreed, "lt-purpose"},
		"no agreement":          {stranger, catalogtest.GetPerson, good, person, reason.NoAgreement, ""},
		"unknown field":         {conn, catalogtest.GetPerson, with("lt-fields", "person.shoe"), person, reason.FieldUnknown, "lt-fields"},
		"oversized":             {conn, catalogtest.GetPerson, good, make([]byte, 256<<10+1), reason.RequestTooLarge, ""},
		"oversized by far":      {conn, catalogtest.GetPerson, good, make([]byte, 1<<20), reason.RequestTooLarge, ""},
		"purpose twice":         {conn, catalogtest.GetPerson, with("lt-purpose", exchangetest.Purpose), person, reason.MetadataInvalid, "lt-purpose"},
		"fields twice":          {conn, catalogtest.GetPerson, with("lt-fields", "person.name", "lt-fields", "person"), person, reason.MetadataInvalid, "lt-fields"},
		"officer too long":      {conn, catalogtest.GetPerson, with("lt-officer", strings.Repeat("a", 129)), person, reason.MetadataInvalid, "lt-officer"},
		"fields too long":       {conn, catalogtest.GetPerson, with("lt-fields", strings.Repeat("a", 4097)), person, reason.MetadataInvalid, "lt-fields"},
		"case twice, one empty": {conn, catalogtest.GetPerson, with("lt-case", "", "lt-case", "1"), person, reason.MetadataInvalid, "lt-case"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(f.recorder.Kept())
			answer, receipt, err := ask(metadata.NewOutgoingContext(t.Context(), c.words), c.conn, c.method, c.request)
			refusal := client.RefusalOf(err)
			require.Equal(t, string(c.want), refusal.Reason)
			require.Equal(t, c.field, refusal.Field)
			require.Equal(t, string(c.want.Form().Mender), refusal.Mender)
			require.Contains(t, refusal.Message, c.want.Form().Message)
			require.Empty(t, answer)
			kept := f.recorder.Kept()
			require.Len(t, kept, before+1)
			require.Equal(t, receipt.Exchange, uuidOf(kept[before]))
			require.Equal(t, string(c.want), kept[before].GetReason())

			_, _, err = f.getPerson(purpose(t.Context()), conn)
			require.NoError(t, err, "the face goes on")
		})
	}
}

func TestARequestOfExactlyTheLimitPasses(t *testing.T) {
	f := newFace(t)
	name := strings.Repeat("a", 256<<10-4)
	request := exchangetest.Message(t, "GetPersonRequest", `{"fullName": "`+name+`"}`)
	require.Len(t, request, 256<<10)
	_, _, err := ask(purpose(t.Context()), f.desk(), catalogtest.GetPerson, request)
	require.NoError(t, err)
}

func TestARequestFarOverTheLimitIsCutOffAndRecorded(t *testing.T) {
	f := newFace(t)
	conn := f.desk()
	for name, opts := range map[string][]grpc.CallOption{"plain": nil, "compressed": {grpc.UseCompressor(gzip.Name)}} {
		t.Run(name, func(t *testing.T) {
			before := len(f.recorder.Kept())
			_, _, err := ask(purpose(t.Context()), conn, catalogtest.GetPerson, make([]byte, 16<<20), opts...)
			require.Equal(t, codes.ResourceExhausted, status.Code(err))
			require.Eventually(t, func() bool { return len(f.recorder.Kept()) == before+1 }, 10*time.Second, time.Millisecond)
			require.Equal(t, "REQUEST_TOO_LARGE", f.recorder.Kept()[before].GetReason())
			_, _, err = f.getPerson(purpose(t.Context()), conn)
			require.NoError(t, err)
		})
	}
}

func TestAnAnswerUpToTheLimitPassesAndALargerOneIsRefused(t *testing.T) {
	f := newFace(t)
	conn := f.desk()
	at := func(size int) []byte {
		frame := exchangetest.Message(t, "GetPersonResponse", `{"person": {"birthDate": "`+strings.Repeat("1", size)+`"}}`)
		return frame
	}
	overhead := len(at(1<<20-100)) - (1<<20 - 100)
	f.change(func() { f.carrier = exchangetest.Answers(at(1<<20 - overhead)) })
	answer, _, err := f.getPerson(purpose(t.Context()), conn)
	require.NoError(t, err)
	require.Len(t, answer, 1<<20)

	f.change(func() { f.carrier = exchangetest.Answers(at(1<<20 - overhead + 1)) })
	answer, receipt, err := f.getPerson(purpose(t.Context()), conn)
	require.Equal(t, "ANSWER_TOO_LARGE", client.RefusalOf(err).Reason)
	require.Empty(t, answer)
	require.NotEmpty(t, receipt.Exchange)
}

func TestACallersDeadlineReachesTheRegistry(t *testing.T) {
	f := newFace(t)
	var left time.Duration
	f.change(func() {
		f.carrier = func(ctx context.Context, _ *courier.Question) (*hubv1.Answer, error) {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return &hubv1.Answer{}, nil
		}
	})
	ctx, cancel := context.WithTimeout(purpose(t.Context()), 3*time.Second)
	defer cancel()
	_, _, err := f.getPerson(ctx, f.desk())
	require.NoError(t, err)
	require.Less(t, left, 3*time.Second)
	require.Greater(t, left, time.Second)
}

func TestManyCallersGetTheirOwnAnswers(t *testing.T) {
	f := newFace(t)
	f.change(func() {
		f.carrier = func(_ context.Context, q *courier.Question) (*hubv1.Answer, error) {
			asked := exchangetest.Text(t, "GetPersonRequest", q.Request)
			id := asked[strings.LastIndex(asked, ":")+1:]
			id = strings.Trim(strings.TrimSuffix(id, "}"), `" `)
			return &hubv1.Answer{Response: exchangetest.Message(t, "GetPersonResponse", `{"person": {"birthDate": "`+id+`"}}`)}, nil
		}
	})
	conn := f.desk()
	var callers sync.WaitGroup
	for caller := range 16 {
		callers.Go(func() {
			for i := range 20 {
				id := fmt.Sprintf("%06d%06d", caller, i)
				request := exchangetest.Message(t, "GetPersonRequest", `{"personalId": "`+id+`"}`)
				answer, _, err := ask(purpose(t.Context()), conn, catalogtest.GetPerson, request)
				if err != nil || !strings.Contains(exchangetest.Text(t, "GetPersonResponse", answer), id) {
					t.Errorf("asked for %s, got %q, %v", id, answer, err)
				}
			}
		})
	}
	callers.Wait()
	require.Len(t, f.recorder.Kept(), 320)
}

// endless is a service whose streams end when it is drained.
type endless struct{ drained bool }

func (e *endless) Register(grpc.ServiceRegistrar) {}
func (e *endless) Drain()                         { e.drained = true }

func TestAStoppingFaceEndsStreamsWithoutAnEnd(t *testing.T) {
	service := new(endless)
	s := grpcface.NewServer(grpcface.Config{Services: []grpcface.Service{service}})
	require.False(t, service.drained)
	s.Stop(t.Context())
	require.True(t, service.drained)
}
