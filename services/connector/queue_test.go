package connector

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAQueueTakesNothingOnceItIsClosedAndLosesNothingThatItTook(t *testing.T) {
	const senders, each = 4, 200
	q := newQueue(senders * each)
	var mu sync.Mutex
	verdicts := map[int]int{}
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for i := range each {
				verdict := q.put(job{})
				mu.Lock()
				verdicts[verdict]++
				mu.Unlock()
				if i == each/2 {
					q.close()
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, closed, q.put(job{}))
	left := 0
	for range q.jobs {
		left++
	}
	require.Equal(t, verdicts[taken], left)
	require.Equal(t, senders*each, verdicts[taken]+verdicts[closed])
}

func TestAFullQueueSaysSo(t *testing.T) {
	q := newQueue(1)
	require.Zero(t, q.put(job{}))
	require.Equal(t, full, q.put(job{}))
	<-q.jobs
	require.Zero(t, q.put(job{}))
}

func TestBuffersOfLargeCallsAreNotKept(t *testing.T) {
	b := buffers{plain: make([]byte, 0, keptBuffer), frame: make([]byte, 0, keptBuffer+1)}
	b.trim()
	require.NotNil(t, b.plain)
	require.Nil(t, b.frame)
}
