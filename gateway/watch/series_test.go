package watch

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// The first moments of a gateway are many callers at once, each with a series that nobody has counted yet.
func TestASeriesThatManyFindAtOnceIsCountedOnce(t *testing.T) {
	m := NewMetrics()
	var callers, began sync.WaitGroup
	began.Add(64)
	m.mu.Lock() // all of them see that the series is not there, and wait
	for range 64 {
		callers.Go(func() {
			began.Done()
			m.find(seriesKey{agency: "H27", system: "one-stop"})
		})
	}
	began.Wait()
	for range 1000 {
		runtime.Gosched()
	}
	m.mu.Unlock()
	callers.Wait()
	require.Equal(t, 1, m.known)
}
