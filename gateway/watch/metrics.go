package watch

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// maxSeries bounds the label sets of one metric; beyond it exchanges are counted under "other".
const maxSeries = 5000

// buckets of the time an exchange took, in seconds.
var buckets = []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics counts exchanges and refused connections, and shows them to Prometheus. It is safe for concurrent use.
type Metrics struct {
	registry  *prometheus.Registry
	exchanges *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	bytes     *prometheus.CounterVec
	rejected  *prometheus.CounterVec
	alarms    *prometheus.CounterVec

	series sync.Map // seriesKey → *series
	mu     sync.Mutex
	known  int
}

// seriesKey tells one time series from another.
type seriesKey struct {
	agency, system, method, reason string
	outcome                        hubv1.Exchange_Outcome
}

// series are the counters of one label set, found once.
type series struct {
	exchanges, bytes prometheus.Counter
	seconds          prometheus.Observer
}

// NewMetrics makes the counters of one gateway.
func NewMetrics() *Metrics {
	labels := []string{"consumer", "method", "outcome", "reason"}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		exchanges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lienthong_exchanges_total", Help: "Exchanges that ended, by how.",
		}, labels),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lienthong_exchange_seconds", Help: "How long exchanges took in the gateway.", Buckets: buckets,
		}, labels),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lienthong_answer_bytes_total", Help: "Bytes of answers that were released.",
		}, labels),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lienthong_rejected_connections_total", Help: "Connections refused for their certificate, by reason.",
		}, []string{"reason"}),
		alarms: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lienthong_guard_alarms_total", Help: "Alarms of the guard against guessing: stops, and questions about decoys.",
		}, []string{"kind"}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.exchanges, m.seconds, m.bytes, m.rejected, m.alarms)
	return m
}

// Exchange counts an exchange that ended.
func (m *Metrics) Exchange(e *hubv1.Exchange, took time.Duration) {
	s := m.find(seriesKey{e.GetConsumerAgency(), e.GetConsumerSystem(), e.GetMethod(), e.GetReason(), e.GetOutcome()})
	s.exchanges.Inc()
	s.seconds.Observe(took.Seconds())
	s.bytes.Add(float64(e.GetAnswerBytes()))
}

// Rejected counts a connection that was refused for its certificate.
func (m *Metrics) Rejected(why string) { m.rejected.WithLabelValues(why).Inc() }

// Alarm counts an alarm of the guard.
func (m *Metrics) Alarm(decoy bool) {
	kind := "stop"
	if decoy {
		kind = "decoy"
	}
	m.alarms.WithLabelValues(kind).Inc()
}

// Gauge shows a figure that is read whenever somebody looks. The name must be new.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Handler shows the metrics in Prometheus's text form.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// find returns the counters of a series.
func (m *Metrics) find(key seriesKey) *series {
	if found, ok := m.series.Load(key); ok {
		return found.(*series)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if found, ok := m.series.Load(key); ok {
		return found.(*series) // another caller was quicker
	}
	consumer := key.agency + "/" + key.system
	if m.known >= maxSeries {
		consumer, key.method = "other", "other"
	}
	m.known++
	values := []string{consumer, key.method, key.outcome.String(), key.reason}
	s := &series{m.exchanges.WithLabelValues(values...), m.bytes.WithLabelValues(values...), m.seconds.WithLabelValues(values...)}
	if m.known <= maxSeries {
		m.series.Store(key, s)
	}
	return s
}
