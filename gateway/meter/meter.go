// Package meter counts what agreements bound: how much is asked (quotas), how often about one person (frequency), and
// which answers must be destroyed by when (retention).
//
// Invariants:
//   - All gateways together never let more calls through than a quota allows. Each leases blocks of it from SQL, a
//     twentieth at a time, and answers from its block; what cannot be leased is refused.
//   - A gateway that dies takes at most the block that it holds with it: for the rest of that second or day.
//   - A call that is refused by one bound uses up none of the others.
//   - Of data subjects only a keyed hash is kept, in memory, in SQL and on the bus; no number.
//   - A call about a data subject is counted once, however often it is heard or restored.
//   - Answers that must be destroyed are counted before Close returns; a crash loses those of the last second.
//
// Frequency is exact within one gateway. Another one hears of a call within some 50 ms, or reads of it in SQL within
// some seconds if the word is lost; two that are asked about one person in that time may both say yes. If all gateways
// crash, the calls of the last second are forgotten.
//
// What does not belong here: what the bounds are (agreement), and who guesses numbers (guard).
package meter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

const (
	leaseWithin  = time.Second
	shareEvery   = 50 * time.Millisecond // so late do other gateways learn of a call
	storeEvery   = time.Second
	cleanEvery   = time.Minute
	healEvery    = 5 * time.Second // so late at most, if a word is lost
	storeTimeout = 5 * time.Second // for one round
)

// Use is a call that is about to be made.
type Use struct {
	Limits                  *agreement.Limits    // nil: nothing is bound
	Agency, System, Officer string               // who asks; the officer may be empty, and is one then
	Subjects                []*hubv1.DataSubject // about whom; only needed where Limits.Times is not 0
	Now                     time.Time
}

// Link carries words to the meters of other gateways, and theirs here (tally.Bus). A payload has at most 64 KiB.
type Link interface {
	Send(kind byte, payload []byte) error
	Handle(kind byte, handler func(payload []byte))
}

// Config says where counts are kept.
type Config struct {
	DB          *state.DB
	Link        Link             // nil: this is the only gateway
	Log         *slog.Logger     // default slog.Default
	Now         func() time.Time // default time.Now
	LeaseWithin time.Duration    // so long a call waits for SQL before it is denied; default 1 s
}

// Meter counts for one gateway. Its methods may be called concurrently.
type Meter struct {
	cfg Config

	mu       sync.RWMutex
	accounts map[string]*account // by agreement
	lessor   lessor

	windows  windows
	outbox   outbox
	retained retained
}

// Open restores the calls that still count. It starts nothing: leases are granted and counts stored while Run runs. The
// caller closes it.
func Open(ctx context.Context, cfg Config) (*Meter, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.LeaseWithin == 0 {
		cfg.LeaseWithin = leaseWithin
	}
	secret, err := cfg.DB.Secret(ctx, "meter")
	if err != nil {
		return nil, fmt.Errorf("open meter: %w", err)
	}
	m := &Meter{cfg: cfg, accounts: map[string]*account{}, retained: retained{counts: map[held]int64{}}}
	m.lessor.init(cfg)
	m.windows.init(secret)
	if cfg.Link != nil {
		cfg.Link.Handle(linkKind, m.hear) // before restoring: nothing falls between
	}
	if err := m.restore(ctx, 0); err != nil {
		return nil, fmt.Errorf("open meter: %w", err)
	}
	return m, nil
}

// Run grants leases, tells other gateways what was counted and stores it, until ctx ends. SQL that fails is tried again.
func (m *Meter) Run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { m.lessor.run(ctx); return nil })
	tasks.Go(func() error { every(ctx, shareEvery, m.share); return nil })
	tasks.Go(func() error { every(ctx, shareEvery, m.lookAhead); return nil })
	tasks.Go(func() error { every(ctx, storeEvery, func() { m.round(ctx) }); return nil })
	tasks.Go(func() error { every(ctx, healEvery, func() { m.heal(ctx) }); return nil })
	tasks.Go(func() error { every(ctx, cleanEvery, func() { m.sweep(ctx) }); return nil })
	return tasks.Wait()
}

// every calls do again and again until ctx ends.
func every(ctx context.Context, gap time.Duration, do func()) {
	tick := time.NewTicker(gap)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

// round stores what was counted since the last one.
func (m *Meter) round(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	m.rest(m.cfg.Now(), idleTime)
	if err := m.store(ctx); err != nil && ctx.Err() == nil {
		m.cfg.Log.Error("counts not stored; they are kept and tried again", "error", err)
	}
}

func (m *Meter) store(ctx context.Context) error {
	return errors.Join(m.storeCalls(ctx), m.storeRetained(ctx))
}

// heal counts what other gateways stored lately: words that the link lost, and what was stored while this one began to
// listen.
func (m *Meter) heal(ctx context.Context) {
	if m.cfg.Link == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := m.restore(ctx, m.cfg.Now().Add(-2*healEvery).UnixMilli()); err != nil && ctx.Err() == nil {
		m.cfg.Log.Error("calls of other gateways not read; that is tried again", "error", err)
	}
}

// sweep removes what counts no more.
func (m *Meter) sweep(ctx context.Context) {
	if err := m.clean(ctx); err != nil && ctx.Err() == nil {
		m.cfg.Log.Error("old counts not removed; that is tried again", "error", err)
	}
}

// clean removes what counts no more, here and in SQL.
func (m *Meter) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	now := m.cfg.Now()
	m.forget(now)
	m.windows.clean(now.UnixMilli())
	return errors.Join(m.cleanQuotas(ctx, now), m.cleanCalls(ctx, now))
}

// Close gives unused parts of blocks back and stores what was counted. Run must have ended.
func (m *Meter) Close(ctx context.Context) error {
	m.share()
	m.rest(m.cfg.Now(), 0)
	if err := errors.Join(m.lessor.giveBack(ctx), m.store(ctx)); err != nil {
		return fmt.Errorf("close meter: %w", err)
	}
	return nil
}

// Take counts a call, or refuses it with QUOTA_EXCEEDED or FREQUENCY_EXCEEDED, both with the time from when on it may be
// asked again, or with POLICY_STALE if SQL does not say in time. A call that is refused is not counted.
func (m *Meter) Take(ctx context.Context, u Use) error {
	l := u.Limits
	if l == nil {
		return nil
	}
	var taken [3]lot
	n, err := m.takeQuotas(ctx, &u, &taken)
	if err == nil && l.Times > 0 && len(u.Subjects) > 0 {
		err = m.takeSubjects(&u)
	}
	if err != nil {
		for _, t := range taken[:n] {
			t.block.undo(t.window)
		}
	}
	return err
}

// exceeded is the refusal of a quota whose window ends then.
func exceeded(end int64) error { return reason.QuotaExceeded.Until(time.Unix(end, 0).UTC()) }
