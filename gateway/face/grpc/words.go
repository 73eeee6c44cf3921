package grpc

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc/metadata"

	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/proto/reason"
)

// readWords takes the consumer's words from the call's metadata. A word that comes twice is refused: two readers
// could take different ones. Everything else in the metadata is ignored; identity is never taken from it.
func readWords(md metadata.MD, call *exchange.Call) error {
	for _, w := range [...]struct {
		name string
		into *string
	}{
		{exchange.WordPurpose, &call.Purpose},
		{exchange.WordCase, &call.Case},
		{exchange.WordOfficer, &call.Officer},
		{exchange.WordFields, &call.Fields},
		{exchange.WordConsent, &call.Consent},
	} {
		values := md[w.name]
		if len(values) > 1 {
			return reason.MetadataInvalid.At(w.name)
		}
		if len(values) == 1 {
			*w.into = values[0]
		}
	}
	return nil
}

// answerWords is the metadata that goes with an answer.
func answerWords(reply *exchange.Reply) metadata.MD {
	md := metadata.MD{exchange.WordExchange: {reply.Exchange.String()}}
	for _, w := range [...]struct{ name, value string }{
		{exchange.WordWithheld, reply.Withheld}, {exchange.WordKeep, reply.Keep}, {exchange.WordLedger, reply.Receipt.Position}, {exchange.WordReceipt, reply.Receipt.Key},
	} {
		if w.value != "" {
			md[w.name] = []string{w.value}
		}
	}
	return md
}

// traced returns ctx with the consumer's W3C trace context, if it sent one. Its tracestate stays outside: free text of
// a consumer has no place in spans.
func traced(ctx context.Context, md metadata.MD) context.Context {
	if len(md["traceparent"]) != 1 {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, carrier(md))
}

// carrier lets OpenTelemetry read gRPC metadata.
type carrier metadata.MD

// Get returns the traceparent, and nothing else.
func (c carrier) Get(key string) string {
	if v := c[key]; key == "traceparent" && len(v) == 1 {
		return v[0]
	}
	return ""
}

// Set does nothing: the carrier is only read.
func (c carrier) Set(string, string) {}

// Keys lists what could be read.
func (c carrier) Keys() []string { return []string{"traceparent"} }
