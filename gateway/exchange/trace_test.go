package exchange_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	"github.com/lienthong/lienthong/gateway/policy"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// consumers is a trace that a consumer began.
func consumers(ctx context.Context, flags trace.TraceFlags) (context.Context, trace.SpanContext) {
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, 2}, SpanID: trace.SpanID{3}, TraceFlags: flags, Remote: true})
	return trace.ContextWithRemoteSpanContext(ctx, sc), sc
}

// traced is a hub that makes spans.
func traced(t *testing.T, carrier exchangetest.Carrier) (*exchange.Hub, *exchangetest.Recorder, *tracetest.SpanRecorder) {
	var recorder exchangetest.Recorder
	spans := tracetest.NewSpanRecorder()
	current := exchangetest.Policy(t)
	return exchange.New(exchange.Config{
		Policy: func(time.Time) (*policy.Policy, error) { return current, nil }, Carrier: carrier, Recorder: &recorder,
		Tracer: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test"),
	}), &recorder, spans
}

func TestAConsumersTraceGoesThroughTheExchangeToTheBusAndIntoTheRecord(t *testing.T) {
	var rode string
	answer := exchangetest.Answers(exchangetest.Message(t, "GetPersonResponse", person))
	hub, recorder, spans := traced(t, func(ctx context.Context, q *courier.Question) (*hubv1.Answer, error) {
		rode = q.Trace
		return answer(ctx, q)
	})
	ctx, sc := consumers(t.Context(), trace.FlagsSampled)
	_, err := hub.Do(ctx, question(t))
	require.NoError(t, err)

	ended := spans.Ended()
	require.Len(t, ended, 2)
	ask, exchange := ended[0], ended[1]
	require.Equal(t, sc.SpanID(), exchange.Parent().SpanID())
	require.Equal(t, exchange.SpanContext().SpanID(), ask.Parent().SpanID())
	require.Equal(t, "00-"+sc.TraceID().String()+"-"+ask.SpanContext().SpanID().String()+"-01", rode)
	id := sc.TraceID()
	require.Equal(t, id[:], recorder.Kept()[0].GetTraceId())
}

func TestATraceThatNobodyReadsCostsNothingOnTheBusAndIsStillRecorded(t *testing.T) {
	var rode string
	hub, recorder, spans := traced(t, func(_ context.Context, q *courier.Question) (*hubv1.Answer, error) {
		rode = q.Trace
		return &hubv1.Answer{}, nil
	})
	ctx, sc := consumers(t.Context(), 0)
	_, err := hub.Do(ctx, question(t))
	require.NoError(t, err)
	require.Empty(t, spans.Ended())
	require.Empty(t, rode)
	id := sc.TraceID()
	require.Equal(t, id[:], recorder.Kept()[0].GetTraceId())
}

func TestASpanOfARefusalSaysTheReasonAndNoWordOfTheConsumer(t *testing.T) {
	hub, _, spans := traced(t, exchangetest.Answers(nil))
	call := question(t)
	call.Purpose, call.Method = "042187001234", "/042187001234"
	_, err := hub.Do(t.Context(), call)
	require.Error(t, err)
	span := spans.Ended()[0]
	require.Equal(t, sdktrace.Status{Code: codes.Error, Description: "SERVICE_UNKNOWN"}, span.Status())
	for _, a := range span.Attributes() {
		require.NotContains(t, a.Value.String(), "042187001234")
	}
}

func TestWithoutATraceTheRecordHasTheExchangesOwnId(t *testing.T) {
	f := newFixture(t)
	reply, err := f.Do(t.Context(), question(t))
	require.NoError(t, err)
	require.Equal(t, reply.Exchange[:], f.recorder.Kept()[0].GetTraceId())
}
