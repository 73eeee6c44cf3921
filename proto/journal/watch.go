package journal

import (
	"context"
	"sync"
)

// Watch waits until more than `after` entries are durable, and returns nil then. It fails with the context's error,
// and with ErrClosed when the journal is closed first.
func (j *Journal) Watch(ctx context.Context, after uint64) error {
	for {
		next, ended := j.pulse.next()
		if j.Durable() > after {
			return nil
		}
		if ended {
			return ErrClosed
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pulse wakes any number of waiters at each beat. Its zero value is ready.
type pulse struct {
	mu    sync.Mutex
	wait  chan struct{} // closed at the next beat; nil when nobody waits
	ended bool
}

// next returns what is closed at the next beat. After the end it is closed already.
func (p *pulse) next() (beat <-chan struct{}, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wait == nil {
		p.wait = make(chan struct{})
	}
	return p.wait, p.ended
}

func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wait != nil {
		close(p.wait)
		p.wait = nil
	}
}

func (p *pulse) end() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.beat()
}
