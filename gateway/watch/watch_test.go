package watch_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/watch"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// pages serves health and metrics as the gateway does.
func pages(t *testing.T, reasons func() []string, m *watch.Metrics) func(path string) (int, string) {
	mux := http.NewServeMux()
	watch.Routes(mux, watch.Health{Reasons: reasons}, m)
	server := httptest.NewServer(watch.NewServer(mux).Handler)
	t.Cleanup(server.Close)
	return func(path string) (int, string) {
		answer, err := http.Get(server.URL + path)
		require.NoError(t, err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(body)
	}
}

func TestReadinessSaysWhyNot(t *testing.T) {
	var reasons []string
	get := pages(t, func() []string { return reasons }, watch.NewMetrics())
	status, body := get("/readyz")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"ready": true}`, body)
	reasons = []string{"the bus is not connected"}
	status, body = get("/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.JSONEq(t, `{"ready": false, "reasons": ["the bus is not connected"]}`, body)
	status, body = get("/healthz")
	require.Equal(t, http.StatusOK, status, "alive all the same")
	require.True(t, json.Valid([]byte(body)))
}

// ended is an exchange as it is counted.
func ended(system, reason string) *hubv1.Exchange {
	e := &hubv1.Exchange{ConsumerAgency: "H27", ConsumerSystem: system, Method: "s.S/M", Outcome: hubv1.Exchange_OUTCOME_ANSWERED, AnswerBytes: 100}
	if reason != "" {
		e.Outcome, e.Reason, e.AnswerBytes = hubv1.Exchange_OUTCOME_REFUSED, reason, 0
	}
	return e
}

func TestExchangesAndRefusedConnectionsAreCounted(t *testing.T) {
	m := watch.NewMetrics()
	get := pages(t, func() []string { return nil }, m)
	m.Exchange(ended("one-stop", ""), 3*time.Millisecond)
	m.Exchange(ended("one-stop", ""), 3*time.Millisecond)
	m.Exchange(ended("one-stop", "NO_AGREEMENT"), time.Millisecond)
	m.Rejected("REVOKED")
	m.Gauge("lienthong_test", "A test.", func() float64 { return 42 })
	status, body := get("/metrics")
	require.Equal(t, http.StatusOK, status)
	for _, line := range []string{
		`lienthong_exchanges_total{consumer="H27/one-stop",method="s.S/M",outcome="OUTCOME_ANSWERED",reason=""} 2`,
		`lienthong_exchanges_total{consumer="H27/one-stop",method="s.S/M",outcome="OUTCOME_REFUSED",reason="NO_AGREEMENT"} 1`,
		`lienthong_answer_bytes_total{consumer="H27/one-stop",method="s.S/M",outcome="OUTCOME_ANSWERED",reason=""} 200`,
		`lienthong_exchange_seconds_count{consumer="H27/one-stop",method="s.S/M",outcome="OUTCOME_ANSWERED",reason=""} 2`,
		`lienthong_rejected_connections_total{reason="REVOKED"} 1`,
		`lienthong_test 42`,
	} {
		require.Contains(t, body, line)
	}
}

func TestSeriesAreBoundedAndNothingIsLost(t *testing.T) {
	m := watch.NewMetrics()
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			for i := range 2000 {
				m.Exchange(ended("s"+strconv.Itoa(caller*2000+i), ""), time.Millisecond)
			}
		})
	}
	callers.Wait()
	_, body := pages(t, func() []string { return nil }, m)("/metrics")
	series, total := 0, 0
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "lienthong_exchanges_total{") {
			series++
			n, err := strconv.Atoi(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]))
			require.NoError(t, err)
			total += n
		}
	}
	require.LessOrEqual(t, series, 5001)
	require.Equal(t, 8000, total)
}

func TestWithoutAnEndpointNoSpanIsMade(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
	traces, err := watch.OpenTraces(t.Context(), "test")
	require.NoError(t, err)
	require.Nil(t, traces.Tracer())
	require.NoError(t, traces.Close(t.Context()))
	require.Nil(t, (*watch.Traces)(nil).Tracer())
}
