package hubtest_test

import (
	"context"
	"encoding/hex"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/watch"
)

// collector receives spans by OTLP/gRPC, as any collector does.
type collector struct {
	collectorv1.UnimplementedTraceServiceServer
	mu    sync.Mutex
	spans []*tracev1.Span
	names map[string]bool // of services
}

// Export implements collectorv1.TraceServiceServer.
func (c *collector) Export(_ context.Context, r *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range r.GetResourceSpans() {
		for _, a := range resource.GetResource().GetAttributes() {
			if a.GetKey() == "service.name" {
				c.names[a.GetValue().GetStringValue()] = true
			}
		}
		for _, scope := range resource.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

// newCollector listens, and tells the environment where.
func newCollector(t *testing.T) *collector {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c, s := &collector{names: map[string]bool{}}, grpc.NewServer()
	collectorv1.RegisterTraceServiceServer(s, c)
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		require.NoError(t, <-done)
	})
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+l.Addr().String())
	return c
}

// The consumer's own trace and span.
const (
	consumersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	consumersSpan  = "00f067aa0ba902b7"
)

func TestOneTraceGoesFromTheConsumerToTheStatementAndBack(t *testing.T) {
	received := newCollector(t)
	traces, err := watch.OpenTraces(t.Context(), "lienthong")
	require.NoError(t, err)
	hub := hubtest.Start(t, hubtest.Config{Registries: hubtest.Sandbox("population"), Population: 100, Tracer: traces.Tracer()})
	person := hub.Sample(t, "married", 1)[0]
	conn := hub.Dial(t, "H27/one-stop")

	ctx := metadata.AppendToOutgoingContext(within(t), "traceparent", "00-"+consumersTrace+"-"+consumersSpan+"-01",
		"tracestate", "consumer="+person.Number.String())
	a := ask(ctx, t, conn, population+"GetResidence", desk, `{"personal_id": "`+person.Number.String()+`"}`)
	require.NoError(t, a.err)
	require.NoError(t, traces.Close(t.Context()), "sends what is left")

	require.Equal(t, consumersTrace, hex.EncodeToString(hub.Exchange(t, a.receipt.Exchange).GetTraceId()))
	received.mu.Lock()
	defer received.mu.Unlock()
	require.Equal(t, map[string]bool{"lienthong": true}, received.names)
	chain := chainOf(t, received.spans, consumersSpan)
	require.Len(t, chain, 4, "exchange, the way over the bus, the registry, its statement: %v", chain)
	require.Equal(t, []string{"exchange", "ask " + population + "GetResidence", population + "GetResidence"}, chain[:3])
	require.True(t, strings.HasPrefix(chain[3], "population."), chain[3])
	for _, s := range received.spans {
		require.Equal(t, consumersTrace, hex.EncodeToString(s.GetTraceId()), "one trace and no other: %s", s.GetName())
		require.NotContains(t, s.String(), person.Number.String())
		require.Empty(t, s.GetTraceState(), "a consumer's text does not reach the spans")
	}
}

// chainOf follows the spans from a parent down, one child each, and returns their names.
func chainOf(t *testing.T, spans []*tracev1.Span, parent string) (names []string) {
	for {
		var next *tracev1.Span
		for _, s := range spans {
			if hex.EncodeToString(s.GetParentSpanId()) == parent {
				require.Nil(t, next, "two children of %s", parent)
				next = s
			}
		}
		if next == nil {
			return names
		}
		names, parent = append(names, next.GetName()), hex.EncodeToString(next.GetSpanId())
	}
}
