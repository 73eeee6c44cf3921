package exchange_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// order asks a registry to change something.
func order(t testing.TB) *exchange.Call {
	call := question(t)
	call.Method = "/sample.v1.PeopleService/RegisterParcel"
	call.Request = exchangetest.Message(t, "RegisterParcelRequest", `{"requestId": "r-1", "provinceCode": "01", "ownerId": "042187001234"}`)
	return call
}

func TestAnIntentIsRecordedBeforeARegistryIsAskedToChangeSomething(t *testing.T) {
	f := newFixture(t)
	f.carrier = func(context.Context, *courier.Question) (*hubv1.Answer, error) {
		kept := f.recorder.Records()
		require.Len(t, kept, 1)
		i := kept[0].GetIntent()
		require.Equal(t, []string{"H27", "one-stop", "an.nv", "H27-1", "HT-KS", "G01", "sample.v1.PeopleService/RegisterParcel", "vn", "H27-G01"}, []string{
			i.GetConsumerAgency(), i.GetConsumerSystem(), i.GetOfficer(), i.GetCase(), i.GetPurpose(), i.GetProviderAgency(), i.GetMethod(),
			i.GetJurisdiction(), i.GetAgreement()})
		require.Equal(t, "042187001234", i.GetSubjects()[0].GetValue())
		return exchangetest.Answers(exchangetest.Message(t, "RegisterParcelResponse", `{"parcelId": "p"}`))(context.Background(), nil)
	}
	reply, err := f.Do(t.Context(), order(t))
	require.NoError(t, err)
	kept := f.recorder.Records()
	require.Len(t, kept, 2)
	require.Equal(t, reply.Exchange[:], kept[0].GetIntent().GetExchangeId())
	require.Equal(t, reply.Exchange[:], kept[1].GetExchange().GetId())
	require.False(t, kept[1].GetExchange().GetInDoubt())
}

func TestWithoutARecordedIntentNoRegistryIsAsked(t *testing.T) {
	f := newFixture(t)
	f.recorder.Before = func(context.Context, *hubv1.LedgerRecord) error { return errors.New("disk full") }
	f.carrier = func(context.Context, *courier.Question) (*hubv1.Answer, error) {
		t.Error("the registry was asked")
		return nil, reason.Internal
	}
	_, err := f.Do(t.Context(), order(t))
	require.Equal(t, reason.LedgerUnavailable, reason.Of(err).Reason)
}

func TestAReadHasNoIntent(t *testing.T) {
	f := newFixture(t)
	_, err := f.Do(t.Context(), question(t))
	require.NoError(t, err)
	require.Len(t, f.recorder.Records(), 1)
}

func TestAnOrderThatMayHaveBeenCarriedOutIsInDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		sent    bool
		err     error
		inDoubt bool
	}{
		"the deadline passed while a registry had it": {true, reason.DeadlineExceeded, true},
		"the consumer left while a registry had it":   {true, reason.Cancelled, true},
		"the bus broke":               {true, reason.BusOffline, true},
		"nobody was there to take it": {false, reason.RegistryOffline, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.carrier = func(_ context.Context, q *courier.Question) (*hubv1.Answer, error) {
				q.Sent = c.sent
				return nil, c.err
			}
			f.refused(t, t.Context(), order(t))
			require.Equal(t, c.inDoubt, f.recorder.Kept()[0].GetInDoubt())
		})
	}
	t.Run("a read never is", func(t *testing.T) {
		f := newFixture(t)
		f.carrier = func(_ context.Context, q *courier.Question) (*hubv1.Answer, error) {
			q.Sent = true
			return nil, reason.DeadlineExceeded
		}
		f.refused(t, t.Context(), question(t))
		require.False(t, f.recorder.Kept()[0].GetInDoubt())
	})
	t.Run("a registry that answers, even with a failure, leaves no doubt", func(t *testing.T) {
		f := newFixture(t)
		f.carrier = func(_ context.Context, q *courier.Question) (*hubv1.Answer, error) {
			q.Sent = true
			return exchangetest.Fails("REGISTRY_FAILED", "")(context.Background(), q)
		}
		f.refused(t, t.Context(), order(t))
		require.False(t, f.recorder.Kept()[0].GetInDoubt())
	})
}

func TestWhomAQuestionIsAboutIsRecordedEvenIfNobodyCarriesIt(t *testing.T) {
	f := newFixture(t)
	call := question(t)
	call.Caller = as(exchangetest.Stranger)
	f.refused(t, t.Context(), call)
	require.Equal(t, "042187001234", f.recorder.Kept()[0].GetSubjects()[0].GetValue())
}

func TestAConnectorCannotHideWhomItWasAskedAbout(t *testing.T) {
	f := newFixture(t)
	_, err := f.Do(t.Context(), question(t)) // its carrier names nobody
	require.NoError(t, err)
	require.Len(t, f.recorder.Kept()[0].GetSubjects(), 1)
}

func TestTheReceiptComesWithTheReply(t *testing.T) {
	f := newFixture(t)
	reply, err := f.Do(t.Context(), question(t))
	require.NoError(t, err)
	require.Equal(t, exchange.Receipt{Position: "G06/gateway:0", Key: "key"}, reply.Receipt)
}
