// Package watch shows how the hub does: traces, metrics, health.
//
// Nothing about a person is in a span, a metric or a health answer: only who asked which method, and how it went.
//
// What does not belong here: the record of exchanges (ledger), and anything an exchange waits for.
package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// endpointVariable is the standard variable that says where traces go. Without it no span is made.
const endpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT"

// Traces is where the spans of one process go.
type Traces struct{ provider *sdktrace.TracerProvider }

// OpenTraces sends spans by OTLP/gRPC to where OTEL_EXPORTER_OTLP_ENDPOINT says, or makes none if it says nothing.
// The other standard variables (OTEL_EXPORTER_OTLP_INSECURE, OTEL_TRACES_SAMPLER, …) count too.
func OpenTraces(ctx context.Context, service string) (*Traces, error) {
	if os.Getenv(endpointVariable) == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return &Traces{}, nil
	}
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("open traces: %w", err)
	}
	// What comes later counts more: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES over the name given here.
	described, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", service)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("open traces: %w", err)
	}
	return &Traces{provider: sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithBatchTimeout(time.Second)),
		sdktrace.WithResource(described),
	)}, nil
}

// Tracer makes spans, or is nil when nobody reads them.
func (t *Traces) Tracer() trace.Tracer {
	if t == nil || t.provider == nil {
		return nil
	}
	return t.provider.Tracer("lienthong")
}

// Close sends what is left.
func (t *Traces) Close(ctx context.Context) error {
	if t == nil || t.provider == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("close traces: %w", err)
	}
	return nil
}
