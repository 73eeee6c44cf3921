package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const latencies = `"latencyDistribution":[{"percentage":50,"latency":1500000},{"percentage":99,"latency":9000000}]`

func TestOutcomeOfLoadIsReadFromItsReport(t *testing.T) {
	o, err := parseOutcome([]byte(`{"count":10,"rps":2000.5,"statusCodeDistribution":{"OK":10},` + latencies + `}`))
	require.NoError(t, err)
	require.Equal(t, 10, o.Count)
	require.Equal(t, 2000.5, o.RPS)
	require.Equal(t, 1.5, o.percentile(50))
	require.Equal(t, 9.0, o.percentile(99))
}

func TestLoadWithAFailedCallIsNoMeasurement(t *testing.T) {
	for name, report := range map[string]string{
		"one refused":         `{"count":10,"statusCodeDistribution":{"OK":9,"PermissionDenied":1},"errorDistribution":{"NO_AGREEMENT":1},` + latencies + `}`,
		"one missing":         `{"count":10,"statusCodeDistribution":{"OK":9},` + latencies + `}`,
		"error without a sum": `{"count":10,"statusCodeDistribution":{"OK":10},"errorDistribution":{"reset":1},` + latencies + `}`,
		"no calls":            `{"count":0,"statusCodeDistribution":{}}`,
		"no latencies":        `{"count":10,"statusCodeDistribution":{"OK":10}}`,
		"no report":           `flag needs an argument`,
	} {
		_, err := parseOutcome([]byte(report))
		require.Error(t, err, name)
	}
}
