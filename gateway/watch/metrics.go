package watch

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// maxSeries bounds the label sets of one metric; beyond it exchanges are counted under "other".
const maxSeries = 5000

// buckets of the time an exchange took, in seconds.
var buckets = []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics counts exchanges and refused connections, and shows them to Prometheus. It is safe for concurrent use.
type Metrics struct {
	registry  *prometheus.Registry
	provider  *sdkmetric.MeterProvider
	exchanges metric.Int64Counter
	seconds   metric.Float64Histogram
	bytes     metric.Int64Counter
	rejected  metric.Int64Counter

	series sync.Map // seriesKey → metric.MeasurementOption
	mu     sync.Mutex
	known  int
}

// seriesKey tells one time series from another.
type seriesKey struct{ consumer, method, outcome, reason string }

// NewMetrics makes the counters of one gateway.
func NewMetrics() (*Metrics, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("make metrics: %w", err)
	}
	m := &Metrics{registry: registry, provider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))}
	meter := m.provider.Meter("lienthong")
	var errs [4]error
	m.exchanges, errs[0] = meter.Int64Counter("lienthong_exchanges", metric.WithDescription("Exchanges that ended, by how."))
	m.seconds, errs[1] = meter.Float64Histogram("lienthong_exchange_seconds", metric.WithUnit("s"),
		metric.WithDescription("How long exchanges took in the gateway."), metric.WithExplicitBucketBoundaries(buckets...))
	m.bytes, errs[2] = meter.Int64Counter("lienthong_answer_bytes", metric.WithDescription("Bytes of answers that were released."))
	m.rejected, errs[3] = meter.Int64Counter("lienthong_rejected_connections", metric.WithDescription("Connections refused for their certificate, by reason."))
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("make metrics: %w", err)
		}
	}
	return m, nil
}

// Exchange counts an exchange that ended.
func (m *Metrics) Exchange(e *hubv1.Exchange, took time.Duration) {
	ctx := context.Background()
	set := m.labels(seriesKey{
		consumer: e.GetConsumerAgency() + "/" + e.GetConsumerSystem(),
		method:   e.GetMethod(), outcome: e.GetOutcome().String(), reason: e.GetReason(),
	})
	m.exchanges.Add(ctx, 1, set)
	m.seconds.Record(ctx, took.Seconds(), set)
	if n := e.GetAnswerBytes(); n > 0 {
		m.bytes.Add(ctx, int64(n), set)
	}
}

// Rejected counts a connection that was refused for its certificate.
func (m *Metrics) Rejected(why string) {
	m.rejected.Add(context.Background(), 1, metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", why))))
}

// Gauge shows a figure that is read whenever somebody looks.
func (m *Metrics) Gauge(name, description string, read func() int64) error {
	_, err := m.provider.Meter("lienthong").Int64ObservableGauge(name, metric.WithDescription(description),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(read())
			return nil
		}))
	return err
}

// Handler shows the metrics in Prometheus's text form.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// labels finds the label set of a series, made once.
func (m *Metrics) labels(key seriesKey) metric.MeasurementOption {
	if found, ok := m.series.Load(key); ok {
		return found.(metric.MeasurementOption)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known >= maxSeries {
		key = seriesKey{consumer: "other", method: "other", outcome: key.outcome, reason: key.reason}
	} else {
		m.known++
	}
	set := metric.WithAttributeSet(attribute.NewSet(
		attribute.String("consumer", key.consumer), attribute.String("method", key.method),
		attribute.String("outcome", key.outcome), attribute.String("reason", key.reason)))
	found, _ := m.series.LoadOrStore(key, set)
	return found.(metric.MeasurementOption)
}
