package notary

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// slowest is the longest time between two attempts while something fails.
const slowest = 5 * time.Second

// recosign is how long Run waits before it asks witnesses again about a checkpoint that lacks cosignatures.
const recosign = 10 * time.Second

// Run follows the journal until ctx ends: each Interval in which something became durable it adds the new leaves and
// publishes a checkpoint. What fails is tried again, and Err says so meanwhile. When ctx ends, Run publishes what is
// durable by then, or what it can add in ten seconds, and returns what is wrong with that. The next Run does the rest.
func (n *Notary) Run(ctx context.Context) error {
	pause := time.Duration(0)
	for n.rest(ctx, pause) {
		err := n.news(ctx)
		if ctx.Err() != nil {
			break
		}
		start := time.Now()
		if err == nil {
			err = n.advance(ctx)
		}
		n.report(err)
		if err != nil {
			pause = min(slowest, max(n.cfg.Interval, 2*pause))
		} else {
			pause = max(0, n.cfg.Interval-time.Since(start)) // none while it catches up
		}
	}
	return n.finish(ctx)
}

func (n *Notary) finish(ctx context.Context) error {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), hung)
	defer cancel()
	goal := n.cfg.Source.Durable()
	for {
		if err := n.advance(last); err != nil {
			return fmt.Errorf("finish log: %w", err)
		}
		if n.size >= goal || last.Err() != nil {
			return nil
		}
	}
}

// rest waits, and says whether ctx goes on.
func (n *Notary) rest(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// news waits until there is something to add or to publish.
func (n *Notary) news(ctx context.Context) error {
	if n.unpublished() || n.cfg.Source.Durable() > n.size {
		return nil
	}
	if n.cosigned() {
		return n.cfg.Source.Watch(ctx, n.size)
	}
	soon, cancel := context.WithTimeout(ctx, recosign)
	defer cancel()
	if err := n.cfg.Source.Watch(soon, n.size); err != nil && soon.Err() == nil {
		return err
	}
	return nil
}

// advance adds what is durable and publishes it; when there is much to add, what could be added in one Interval.
// What was added is published even if the rest could not be.
func (n *Notary) advance(ctx context.Context) error {
	err := n.grow(ctx, n.cfg.Source.Durable(), time.Now().Add(n.cfg.Interval))
	if !n.unpublished() && n.cosigned() {
		return err
	}
	return errors.Join(err, n.publish(ctx))
}

func (n *Notary) unpublished() bool {
	cp := n.published.Load()
	return cp == nil || cp.Size < n.size
}

// cosigned tells whether as many witnesses as are asked for have cosigned what is published.
func (n *Notary) cosigned() bool {
	cp := n.published.Load()
	return cp != nil && (cp.cosigned >= n.gateway.need || cp.Size == 0)
}

func (n *Notary) report(err error) {
	err = errors.Join(err, n.gateway.refused()) // also where enough others cosign
	if err == nil && n.published.Load() != nil && !n.cosigned() {
		err = fmt.Errorf("%d of the %d witnesses that are asked for cosigned the last checkpoint; see the log for the reasons",
			n.Cosigned(), n.gateway.need)
	}
	n.fail(err)
}

// fail keeps err for Err, and logs when it changes.
func (n *Notary) fail(err error) {
	n.mu.Lock()
	old := n.err
	n.err = err
	n.mu.Unlock()
	switch {
	case err == nil && old != nil:
		n.cfg.Log.Info("the transparency log grows again", slog.Uint64("published", n.Published()))
	case err != nil && (old == nil || old.Error() != err.Error()) && !errors.Is(err, context.Canceled):
		n.cfg.Log.Error("the transparency log does not grow as it should", slog.Any("error", err))
	}
}
