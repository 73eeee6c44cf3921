package connector

import (
	"sync"
	"time"
)

// job is a call that waits for a worker.
type job struct {
	method  *method
	subject string
	reply   string
	trace   string
	data    []byte
	came    time.Time
}

// queue holds the calls that wait for a worker. NATS may deliver a call while the connector stops, so putting one
// into a closed queue is no mistake: nobody takes it, and its sender is told.
type queue struct {
	mu     sync.RWMutex
	closed bool
	jobs   chan job
}

// What came of putting a call into a queue.
const (
	taken = iota
	full
	closed
)

func newQueue(size int) *queue { return &queue{jobs: make(chan job, size)} }

func (q *queue) put(j job) int {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		return closed
	}
	select {
	case q.jobs <- j:
		return taken
	default:
		return full
	}
}

// close lets the workers end once they have taken what is in the queue.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.jobs)
	}
}
