package meter

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lienthong/lienthong/gateway/state"
)

const (
	leaseMost  = 500                   // leases in one transaction
	leaseRetry = 20 * time.Millisecond // after SQL failed
	keepOld    = 10 * time.Minute      // that windows stay after their end, for clocks that are behind

	leaseQuery = `INSERT INTO quota (agreement, bound, who, window_start, used) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (agreement, bound, who, window_start) DO UPDATE SET used = quota.used + excluded.used
		WHERE quota.used + excluded.used <= $6 RETURNING used`
	usedQuery = `SELECT used FROM quota WHERE agreement = $1 AND bound = $2 AND who = $3 AND window_start = $4`
	giveQuery = `UPDATE quota SET used = used - $5
		WHERE agreement = $1 AND bound = $2 AND who = $3 AND window_start = $4 AND used >= $5`
	oldQuery = `DELETE FROM quota WHERE bound = $1 AND window_start < $2`
)

// lease is a block that is wanted.
type lease struct {
	block *block
	ahead bool // of the next window

	window, limit, want, got int64 // filled in when it is its turn
}

// gift is a part of a block that is given back.
type gift struct {
	block          *block
	window, amount int64
}

// lessor leases blocks from SQL: all that wait, in one transaction.
type lessor struct {
	db     *state.DB
	log    *slog.Logger
	now    func() time.Time
	within time.Duration

	mu    sync.Mutex
	queue []lease
	gifts []gift
	wake  chan struct{}

	failing atomic.Int64 // since when SQL has failed, Unix ms; 0 it works
}

func (l *lessor) init(cfg Config) {
	l.db, l.log, l.now, l.within, l.wake = cfg.DB, cfg.Log, cfg.Now, cfg.LeaseWithin, make(chan struct{}, 1)
}

func (l *lessor) push(wanted lease) {
	l.mu.Lock()
	l.queue = append(l.queue, wanted)
	l.mu.Unlock()
	l.stir()
}

// give gives back a part of a block's window. The block's lock is held.
func (l *lessor) give(b *block, amount int64) {
	l.giveOf(gift{b, b.window, amount})
}

func (l *lessor) giveOf(g gift) {
	l.mu.Lock()
	l.gifts = append(l.gifts, g)
	l.mu.Unlock()
	l.stir()
}

func (l *lessor) stir() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// stale reports whether SQL has been failing for so long that waiting is in vain.
func (l *lessor) stale() bool {
	since := l.failing.Load()
	return since != 0 && l.now().UnixMilli()-since > l.within.Milliseconds()
}

// run leases until ctx ends.
func (l *lessor) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		for {
			queue, gifts := l.due()
			if len(queue) == 0 && len(gifts) == 0 {
				break
			}
			if err := l.settle(ctx, queue, gifts); err != nil {
				if ctx.Err() != nil {
					return
				}
				if l.failing.CompareAndSwap(0, l.now().UnixMilli()) {
					l.log.Error("quotas cannot be leased; calls are denied until they can", "error", err)
				}
				pause(ctx, leaseRetry)
				continue
			}
			l.failing.Store(0)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// due takes what waits, as much of it as goes into one transaction.
func (l *lessor) due() ([]lease, []gift) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, g := min(len(l.queue), leaseMost), min(len(l.gifts), leaseMost)
	queue, gifts := slices.Clone(l.queue[:n]), slices.Clone(l.gifts[:g])
	l.queue, l.gifts = slices.Delete(l.queue, 0, n), slices.Delete(l.gifts, 0, g)
	return queue, gifts
}

// settle leases and gives back in one transaction, and tells who waits. What is not certain to be done counts as used:
// a quota may lose by it and is never exceeded.
func (l *lessor) settle(ctx context.Context, queue []lease, gifts []gift) error {
	ctx, cancel := context.WithTimeout(ctx, l.within)
	defer cancel()
	for i := range queue {
		queue[i].fill()
	}
	// All gateways lock rows in one order.
	slices.SortFunc(gifts, func(a, b gift) int { return inOrder(a.block, b.block, a.window, b.window) })
	slices.SortFunc(queue, func(a, b lease) int { return inOrder(a.block, b.block, a.window, b.window) })
	err := l.db.InTx(ctx, func(tx *sql.Tx) error {
		for _, g := range gifts {
			b := g.block
			if _, err := tx.ExecContext(ctx, giveQuery, b.agreement, int64(b.bound), b.who, g.window, g.amount); err != nil {
				return fmt.Errorf("give quota back: %w", err)
			}
		}
		for i := range queue {
			if err := queue[i].take(ctx, tx); err != nil {
				return fmt.Errorf("lease quota: %w", err)
			}
		}
		return nil
	})
	for i := range queue {
		queue[i].answer(l, err)
	}
	return err
}

func inOrder(a, b *block, aw, bw int64) int {
	return cmp.Or(cmp.Compare(a.agreement, b.agreement), cmp.Compare(a.bound, b.bound), cmp.Compare(a.who, b.who), cmp.Compare(aw, bw))
}

// fill says how much is wanted: what the block lacks, or what those need that wait for it.
func (q *lease) fill() {
	b := q.block
	b.mu.Lock()
	defer b.mu.Unlock()
	q.limit, q.window, q.want = b.limit, b.window, b.size()
	if q.ahead {
		q.window += b.bound.length()
	} else {
		q.want = max(q.want-b.left, b.waiters-b.left)
	}
	q.want = min(max(q.want, 1), q.limit)
}

// take leases, if need be what is left.
func (q *lease) take(ctx context.Context, tx *sql.Tx) error {
	b := q.block
	q.got = 0
	for want := q.want; want > 0; {
		var used int64
		err := tx.QueryRowContext(ctx, leaseQuery, b.agreement, int64(b.bound), b.who, q.window, want, q.limit).Scan(&used)
		if err == nil {
			q.got = want
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := tx.QueryRowContext(ctx, usedQuery, b.agreement, int64(b.bound), b.who, q.window).Scan(&used); err != nil {
			return err
		}
		want = min(want-1, q.limit-used)
	}
	return nil
}

// answer puts what was leased into the block and wakes those who wait for it.
func (q *lease) answer(l *lessor, err error) {
	b := q.block
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		q.got = 0
	}
	current := q.limit == b.limit && q.window == b.window
	switch {
	case q.ahead && err == nil && q.limit == b.limit && q.window == b.window+b.bound.length():
		b.next = q.got
	case q.ahead && current:
		b.left += q.got // it turned meanwhile
	case current:
		b.left += q.got
		if err == nil && q.got < q.want {
			b.full, b.fullUntil = true, l.now().Add(fullTime)
		}
	case q.got > 0:
		l.giveOf(gift{b, q.window, q.got})
	}
	if q.ahead {
		b.next = max(b.next, 0)
	} else {
		b.asking = false
		close(b.ready)
	}
}

// giveBack gives back what waits to be, when Run has ended. Who waits for a lease is denied.
func (l *lessor) giveBack(ctx context.Context) error {
	l.failing.Store(1)
	for {
		queue, gifts := l.due()
		if len(queue) == 0 && len(gifts) == 0 {
			return nil
		}
		for i := range queue {
			queue[i].answer(l, errStopped)
		}
		if err := l.settle(ctx, nil, gifts); err != nil {
			return err
		}
	}
}

var errStopped = errors.New("the meter is closed")

// cleanQuotas removes windows that ended.
func (m *Meter) cleanQuotas(ctx context.Context, now time.Time) error {
	return m.cfg.DB.InTx(ctx, func(tx *sql.Tx) error {
		for _, b := range []bound{perSecond, perDay, perOther} {
			if _, err := tx.ExecContext(ctx, oldQuery, int64(b), b.start(now.Add(-keepOld).Unix())); err != nil {
				return fmt.Errorf("remove old quotas: %w", err)
			}
		}
		return nil
	})
}
