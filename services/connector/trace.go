package connector

import (
	"context"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/reason"
)

// traced returns a context with the caller's W3C trace context, if it sent one. Gateways send it only for traces
// that somebody reads.
func (c *connector) traced(traceparent string) context.Context {
	ctx := context.Background()
	if traceparent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{bus.HeaderTrace: traceparent})
}

// span starts the registry's part of a trace; end ends it. Nothing about a person is in it.
func (c *connector) span(ctx context.Context, m *method) (context.Context, func(error)) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, func(error) {}
	}
	ctx, span := c.cfg.Tracer.Start(ctx, m.name, trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, string(reason.Of(err).Reason))
		}
		span.End()
	}
}
