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

func TestNothingLeavesBeforeTheRecordWasTaken(t *testing.T) {
	f := newFixture(t)
	asked, taken := make(chan struct{}), make(chan struct{})
	f.recorder.Before = func(context.Context, *hubv1.LedgerRecord) error {
		close(asked)
		<-taken
		return nil
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, err := f.Do(context.Background(), question(t))
		require.NoError(t, err)
	}()
	<-asked
	select {
	case <-left:
		t.Fatal("the answer left while the recorder had not returned")
	default:
	}
	require.Empty(t, f.recorder.Kept())
	close(taken)
	<-left
	require.Len(t, f.recorder.Kept(), 1)
}

func TestWithoutARecordThereIsNoAnswer(t *testing.T) {
	f := newFixture(t)
	f.recorder.Before = func(context.Context, *hubv1.LedgerRecord) error { return errors.New("disk full") }
	reply, err := f.Do(t.Context(), question(t))
	require.ErrorIs(t, err, reason.LedgerUnavailable)
	require.Nil(t, reply.Response)
	require.Empty(t, reply.Withheld)
	require.NotZero(t, reply.Exchange)
	require.Contains(t, f.log.String(), "exchange not recorded")

	e := f.ended[0].Record
	require.Equal(t, hubv1.Exchange_OUTCOME_FAILED, e.GetOutcome(), "counters do not count it as answered")
	require.Equal(t, "LEDGER_UNAVAILABLE", e.GetReason())
	require.Empty(t, e.GetReleased())
}

func TestARefusalThatCannotBeRecordedSaysNothingElse(t *testing.T) {
	f := newFixture(t)
	f.recorder.Before = func(context.Context, *hubv1.LedgerRecord) error { return errors.New("disk full") }
	call := question(t)
	call.Caller = as(exchangetest.Stranger)
	_, err := f.Do(t.Context(), call)
	require.Equal(t, reason.LedgerUnavailable, reason.Of(err).Reason)
}

func TestTheRecordIsTakenEvenIfTheConsumerGoesAway(t *testing.T) {
	f := newFixture(t)
	ctx, leave := context.WithCancel(t.Context())
	f.carrier = func(ctx context.Context, _ *courier.Question) (*hubv1.Answer, error) {
		leave()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	f.recorder.Before = func(ctx context.Context, _ *hubv1.LedgerRecord) error { return ctx.Err() }
	fault := f.refused(t, ctx, question(t))
	require.Equal(t, reason.Cancelled, fault.Reason)
	require.Equal(t, hubv1.Exchange_OUTCOME_CANCELLED, f.recorder.Kept()[0].GetOutcome())
}

func TestAnAnswerThatComesAfterTheConsumerLeftIsRecordedAsReleased(t *testing.T) {
	f := newFixture(t)
	ctx, leave := context.WithCancel(t.Context())
	answer := f.carrier
	f.carrier = func(ctx context.Context, q *courier.Question) (*hubv1.Answer, error) {
		leave()
		return answer(ctx, q)
	}
	f.recorder.Before = func(ctx context.Context, _ *hubv1.LedgerRecord) error { return ctx.Err() }
	_, err := f.Do(ctx, question(t))
	require.NoError(t, err)
	require.Equal(t, hubv1.Exchange_OUTCOME_ANSWERED, f.recorder.Kept()[0].GetOutcome())
}

func TestAPanicIsAFailureThatIsRecordedAndTheHubGoesOn(t *testing.T) {
	f := newFixture(t)
	answer := f.carrier
	f.carrier = func(context.Context, *courier.Question) (*hubv1.Answer, error) { panic("042187001234") }
	fault := f.refused(t, t.Context(), question(t))
	require.Equal(t, reason.Internal, fault.Reason)
	require.Equal(t, hubv1.Exchange_OUTCOME_FAILED, f.recorder.Kept()[0].GetOutcome())
	require.Contains(t, f.log.String(), "exchange panicked")
	require.NotContains(t, f.log.String(), "042187001234", "what a panic says may be anything")

	f.carrier = answer
	_, err := f.Do(t.Context(), question(t))
	require.NoError(t, err)
}

func TestEveryExchangeIsCountedOnce(t *testing.T) {
	f := newFixture(t)
	_, err := f.Do(t.Context(), question(t))
	require.NoError(t, err)
	call := question(t)
	call.Purpose = ""
	f.refused(t, t.Context(), call)
	require.Len(t, f.ended, 2)
	require.Equal(t, "PURPOSE_REQUIRED", f.ended[1].Record.GetReason())
	require.Positive(t, f.ended[0].Took)
}

func TestARecorderThatPanicsAnswersNothingAndTheHubGoesOn(t *testing.T) {
	f := newFixture(t)
	f.recorder.Before = func(context.Context, *hubv1.LedgerRecord) error { panic("042187001234") }
	reply, err := f.Do(t.Context(), question(t))
	require.Equal(t, reason.LedgerUnavailable, reason.Of(err).Reason)
	require.Empty(t, reply.Response)
	require.NotContains(t, f.log.String(), "042187001234")

	f.recorder.Before = nil
	_, err = f.Do(t.Context(), question(t))
	require.NoError(t, err)
}

func TestAPanicWhileTheRecordIsMadeAnswersNothingAndTheHubGoesOn(t *testing.T) {
	f := newFixture(t)
	call := question(t)
	call.Caller = nil // whom the record names
	f.carrier = nil
	var reply *exchange.Reply
	var err error
	require.NotPanics(t, func() { reply, err = f.Do(t.Context(), call) })
	require.Equal(t, reason.Internal, reason.Of(err).Reason)
	require.Empty(t, reply.Response)
	require.Empty(t, reply.Receipt)
}
