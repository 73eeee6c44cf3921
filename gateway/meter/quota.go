package meter

import (
	"context"
	"sync"
	"time"

	"github.com/lienthong/lienthong/proto/reason"
)

// bound is what a quota counts in. Its values are stored.
type bound int64

const (
	perSecond bound = 1
	perDay    bound = 2
	perOther  bound = 3 // per officer and day

	hanoi     = 7 * 3600 // seconds that clocks in Hà Nội are ahead of UTC; there is no summer time
	daySize   = 86400
	share     = 20                     // a block is this part of a quota
	idleTime  = time.Second            // after which a gateway gives the rest of a day's block back
	fullTime  = 500 * time.Millisecond // that a used-up day is believed to be used up: others may give back
	aheadFrom = 700 * time.Millisecond // of a second: then the next one is leased
)

// length of a window in seconds.
func (b bound) length() int64 {
	if b == perSecond {
		return 1
	}
	return daySize
}

// start of the window that a moment lies in, in Unix seconds.
func (b bound) start(unix int64) int64 {
	if b == perSecond {
		return unix
	}
	day := (unix + hanoi) / daySize
	return day*daySize - hanoi
}

// lot is one call of a block, taken in a window.
type lot struct {
	block  *block
	window int64
}

// block is what a gateway has leased of one quota and not used yet.
type block struct {
	agreement string
	bound     bound
	who       string

	mu        sync.Mutex
	limit     int64
	window    int64 // its start, Unix seconds
	left      int64
	next      int64         // left of the window after this one, leased ahead; -1 while that is on its way
	lastUse   int64         // Unix ms
	full      bool          // SQL had no more for this window
	fullUntil time.Time     // then it is asked again
	asking    bool          // a lease is on its way
	ready     chan struct{} // closed when it is here; only while asking
	waiters   int64
}

func (b *block) size() int64 { return max(1, b.limit/share) }

// takeQuotas takes a call of each quota, in the order of their names, and says which it has taken.
func (m *Meter) takeQuotas(ctx context.Context, u *Use, taken *[3]lot) (n int, err error) {
	l := u.Limits
	if l.PerSecond <= 0 && l.PerDay <= 0 && l.PerOfficerPerDay <= 0 {
		return 0, nil
	}
	a := m.account(l.Agreement)
	if l.PerSecond > 0 {
		if taken[n], err = a.second.take(ctx, &m.lessor, u.Now, l.PerSecond); err != nil {
			return n, err
		}
		n++
	}
	if l.PerDay > 0 {
		if taken[n], err = a.day.take(ctx, &m.lessor, u.Now, l.PerDay); err != nil {
			return n, err
		}
		n++
	}
	if l.PerOfficerPerDay > 0 {
		b := a.officer(officer{u.Agency, u.Officer})
		if taken[n], err = b.take(ctx, &m.lessor, u.Now, l.PerOfficerPerDay); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// take takes one call, and waits for a lease if there is none left.
func (b *block) take(ctx context.Context, l *lessor, now time.Time, limit int64) (lot, error) {
	b.mu.Lock()
	if b.serve(l, now, limit) {
		t := lot{b, b.window}
		b.mu.Unlock()
		return t, nil
	}
	b.mu.Unlock()
	return b.wait(ctx, l, now, limit)
}

// serve takes a call that is there. The lock is held.
func (b *block) serve(l *lessor, now time.Time, limit int64) bool {
	b.turn(l, now, limit)
	if b.left <= 0 {
		return false
	}
	b.left--
	if size := b.size(); size > 1 && b.left <= size/2 && !b.asking && !b.full {
		b.ask(l)
	}
	return true
}

// turn brings the block to the window and the limit of a call. A call that began before the window turned is counted in
// the new one; a clock that went further back is believed. The lock is held.
func (b *block) turn(l *lessor, now time.Time, limit int64) {
	b.lastUse = max(b.lastUse, now.UnixMilli())
	if start := b.bound.start(now.Unix()); start > b.window || start < b.window-b.bound.length() {
		b.left = 0
		if start == b.window+b.bound.length() {
			b.left = max(b.next, 0)
		}
		b.window, b.next, b.full = start, 0, false
	}
	if limit != b.limit {
		if b.left > 0 && b.limit > 0 {
			l.give(b, b.left) // leased under another limit
			b.left = 0
		}
		b.limit, b.next, b.full = limit, 0, false
	}
}

// ask has a block leased. The lock is held, and none is on its way.
func (b *block) ask(l *lessor) {
	b.asking, b.ready = true, make(chan struct{})
	l.push(lease{block: b})
}

// wait takes a call as soon as there is one, or says that there will be none.
func (b *block) wait(ctx context.Context, l *lessor, now time.Time, limit int64) (lot, error) {
	late := time.NewTimer(l.within)
	defer late.Stop()
	for {
		b.mu.Lock()
		if b.serve(l, now, limit) {
			t := lot{b, b.window}
			b.mu.Unlock()
			return t, nil
		}
		if b.full && (b.bound == perSecond || l.now().Before(b.fullUntil)) {
			end := b.window + b.bound.length()
			b.mu.Unlock()
			return lot{}, exceeded(end)
		}
		b.full = false
		if !b.asking {
			b.ask(l)
		}
		if l.stale() {
			b.mu.Unlock()
			return lot{}, reason.PolicyStale
		}
		b.waiters++
		ready := b.ready
		b.mu.Unlock()
		err := error(nil)
		select {
		case <-ready:
		case <-late.C:
			err = reason.PolicyStale
		case <-ctx.Done():
			err = ctx.Err()
		}
		b.mu.Lock()
		b.waiters--
		b.mu.Unlock()
		if err != nil {
			return lot{}, err
		}
	}
}

// undo puts back a call that was not made.
func (b *block) undo(window int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.window == window {
		b.left++
	}
}
