package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantileIsATimeThatWasMeasured(t *testing.T) {
	var all []time.Duration
	for i := range 100 {
		all = append(all, time.Duration(100-i))
	}
	all = sorted(all[:50], all[50:])
	require.Equal(t, time.Duration(50), quantile(all, 0.5))
	require.Equal(t, time.Duration(99), quantile(all, 0.99))
	require.Equal(t, time.Duration(100), quantile(all, 1))
	require.Equal(t, time.Duration(7), quantile([]time.Duration{7}, 0.99))
	require.Zero(t, quantile(nil, 0.5))
}

func TestMeanOfNothingIsNothing(t *testing.T) {
	require.Zero(t, mean(nil))
	require.Equal(t, 2*time.Second, mean([]time.Duration{time.Second, 3 * time.Second}))
}

func TestStageCountsTheTimeOfThisProcessAlone(t *testing.T) {
	m := start()
	for cpuTime()-m.cpu < 30*time.Millisecond { // until the clock has seen it
	}
	s := m.stage("busy", 10)
	require.GreaterOrEqual(t, s.CPU, 3000.0, "µs per record")
	require.InEpsilon(t, 10/s.Seconds, s.PerSecond, 1e-9)
}
