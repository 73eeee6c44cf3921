package journal

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAReaderThatAsksForAllThereIsMeetsNoFaultWhileSegmentsBegin(t *testing.T) {
	cfg := small(t)
	cfg.Disk, cfg.SegmentSize, cfg.tiny = lazyDisk{osDisk{}}, 8<<10, true
	j, _ := open(t, cfg)
	r := j.Reader()
	done := make(chan error, 1)
	go func() {
		defer close(done)
		for range 3000 {
			if _, err := j.Append(make([]byte, 900)); err != nil {
				done <- err
				return
			}
		}
	}()
	for running := true; running; {
		select {
		case err, ok := <-done:
			require.NoError(t, err)
			running = ok && err == nil
		default:
		}
		for _, err := range r.Scan(t.Context(), j.Durable(), math.MaxUint64) {
			require.NoError(t, err)
		}
	}
	require.NoError(t, j.Close())
}
