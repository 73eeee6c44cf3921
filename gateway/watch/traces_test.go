package watch_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/gateway/watch"
)

// collector receives spans by OTLP/gRPC.
type collector struct {
	collectorv1.UnimplementedTraceServiceServer
	mu    sync.Mutex
	spans []*tracev1.ResourceSpans
}

// Export implements collectorv1.TraceServiceServer.
func (c *collector) Export(_ context.Context, r *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, r.GetResourceSpans()...)
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

// service is what the first spans' resource is called.
func (c *collector) service(t *testing.T) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	require.Len(t, c.spans, 1)
	for _, a := range c.spans[0].GetResource().GetAttributes() {
		if a.GetKey() == "service.name" {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

func newCollector(t *testing.T) *collector {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c, s := new(collector), grpc.NewServer()
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

func TestSpansGoWhereTheEnvironmentSays(t *testing.T) {
	c := newCollector(t)
	traces, err := watch.OpenTraces(t.Context(), "lienthong-test")
	require.NoError(t, err)
	_, span := traces.Tracer().Start(t.Context(), "work")
	span.End()
	require.NoError(t, traces.Close(t.Context()))
	require.Equal(t, "lienthong-test", c.service(t))
	require.Equal(t, "work", c.spans[0].GetScopeSpans()[0].GetSpans()[0].GetName())
}

func TestTheOperatorsNameForTheServiceCounts(t *testing.T) {
	c := newCollector(t)
	t.Setenv("OTEL_SERVICE_NAME", "hub-hanoi")
	traces, err := watch.OpenTraces(t.Context(), "lienthong-test")
	require.NoError(t, err)
	_, span := traces.Tracer().Start(t.Context(), "work")
	span.End()
	require.NoError(t, traces.Close(t.Context()))
	require.Equal(t, "hub-hanoi", c.service(t))
}

func TestAnEndpointThatDoesNotAnswerHoldsNobodyUp(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	traces, err := watch.OpenTraces(t.Context(), "lienthong-test")
	require.NoError(t, err)
	for range 10_000 {
		_, span := traces.Tracer().Start(t.Context(), "work")
		span.End()
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = traces.Close(gone) // what cannot be sent is lost, and says so
}
