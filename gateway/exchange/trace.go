package exchange

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/reason"
)

// startSpan starts the exchange's span where spans are read. ctx may carry the consumer's trace.
func (x *exchange) startSpan() {
	if x.hub.cfg.Tracer == nil {
		return
	}
	x.ctx, x.span = x.hub.cfg.Tracer.Start(x.ctx, "exchange", trace.WithSpanKind(trace.SpanKindServer))
}

func (x *exchange) endSpan(err error) {
	if x.span == nil {
		return
	}
	if x.span.IsRecording() {
		x.span.SetAttributes(
			attribute.String("lt.exchange", x.reply.Exchange.String()),
			attribute.String("rpc.method", x.methodName()),
			attribute.String("lt.consumer", x.call.Caller.ID.String()),
		)
	}
	if err != nil {
		x.span.SetStatus(codes.Error, string(reason.Of(err).Reason))
	}
	x.span.End()
}

// spanAsk starts the span of the way to the registry and back.
func (x *exchange) spanAsk(ctx context.Context) (context.Context, func(error)) {
	if x.span == nil || !x.span.IsRecording() {
		return ctx, func(error) {}
	}
	ctx, span := x.hub.cfg.Tracer.Start(ctx, "ask "+x.method.Name, trace.WithSpanKind(trace.SpanKindClient))
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, string(reason.Of(err).Reason))
		}
		span.End()
	}
}

// traceparent is what the bus carries of the trace: nothing unless somebody reads it.
func traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[bus.HeaderTrace]
}

// traceID is the consumer's trace, or the hub's own, or where there is none the exchange's id, which has the same form.
func (x *exchange) traceID() []byte {
	if sc := trace.SpanContextFromContext(x.ctx); sc.HasTraceID() {
		id := sc.TraceID()
		return id[:]
	}
	return x.reply.Exchange[:]
}
