// Package snapshot keeps one immutable value that was loaded from files, and loads it anew when they change.
//
// What does not belong here: what is loaded, and any opinion of it. A value that cannot be loaded is not shown:
// the one before it stays, and Err says why.
package snapshot

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// errMoving says that files changed while they were read, so what was read may be half of each.
var errMoving = errors.New("the files changed while they were read")

// Snapshot is a value that changes as a whole. Its methods may be called by any number of goroutines.
type Snapshot[T any] struct {
	load    func() (T, error)
	stamp   func() (string, error)
	current atomic.Pointer[T]
	failure atomic.Pointer[error]
	seen    string // stamp of the last attempt, good or bad; touched by one goroutine at a time
	done    chan struct{}
}

// Watch loads the value once before it returns, then again whenever stamp answers something new, asked each
// interval, until ctx ends. The zero T stands where nothing could be loaded yet. A load that fails is tried
// again when the stamp changes; a stamp that fails, or that moves during a load, at the next interval.
func Watch[T any](ctx context.Context, load func() (T, error), stamp func() (string, error), interval time.Duration) *Snapshot[T] {
	s := &Snapshot[T]{load: load, stamp: stamp, done: make(chan struct{})}
	s.current.Store(new(T))
	s.attempt(true)
	go s.run(ctx, interval)
	return s
}

// Load returns the last value that could be loaded. It never blocks.
func (s *Snapshot[T]) Load() T { return *s.current.Load() }

// Err says why the files as they are now are not what Load returns; nil when they are.
func (s *Snapshot[T]) Err() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Wait returns when the watching has ended, which it does when its context ends.
func (s *Snapshot[T]) Wait() { <-s.done }

func (s *Snapshot[T]) run(ctx context.Context, interval time.Duration) {
	defer close(s.done)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.attempt(false)
		}
	}
}

// attempt loads if the stamp is new, and shows what it loaded only if the stamp held still meanwhile.
func (s *Snapshot[T]) attempt(first bool) {
	before, err := s.stamp()
	if err != nil {
		s.seen = ""
		s.fail(fmt.Errorf("look for changes: %w", err))
		return
	}
	if !first && before == s.seen {
		return
	}
	value, err := s.load()
	after, stampErr := s.stamp()
	if stampErr != nil || after != before {
		s.seen = ""
		s.fail(errors.Join(errMoving, stampErr))
		return
	}
	s.seen = before
	if err != nil {
		s.fail(err)
		return
	}
	s.current.Store(&value)
	s.failure.Store(nil)
}

func (s *Snapshot[T]) fail(err error) { s.failure.Store(&err) }
