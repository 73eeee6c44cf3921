package ledger

import (
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// slack is how far a clock may go back without a record that says so: clocks are corrected by less all the time.
const slack = time.Second

// clock keeps the times of records from going back. Its zero value is ready.
type clock struct {
	last   atomic.Int64 // time of the last record, Unix ns
	behind atomic.Int64 // what the clock said when it had gone back, Unix ns; 0: it has not
	told   atomic.Bool  // that it has
}

// start tells the clock when the last record was made.
func (c *clock) start(last time.Time) { c.last.Store(last.UnixNano()) }

// stamp is the time that a record carries: its own, or that of the record before if the clock has gone back.
func (c *clock) stamp(t *timestamppb.Timestamp) *timestamppb.Timestamp {
	now := t.AsTime().UnixNano()
	for {
		last := c.last.Load()
		if now <= last {
			if last-now > int64(slack) {
				c.behind.Store(now)
			}
			return timestamppb.New(time.Unix(0, last))
		}
		if c.last.CompareAndSwap(last, now) {
			c.caughtUp()
			return t
		}
	}
}

func (c *clock) caughtUp() {
	if c.told.Load() {
		c.told.Store(false)
	}
}

// sayClock records, once, that the clock went back.
func (l *Ledger) sayClock() error {
	behind := l.clock.behind.Swap(0)
	if behind == 0 || !l.clock.told.CompareAndSwap(false, true) {
		return nil
	}
	by := time.Duration(l.clock.last.Load() - behind)
	l.cfg.Log.Warn("the clock has gone back: records keep the time of the last one until it has caught up", "behind", by)
	err := l.notice(&hubv1.Notice{About: &hubv1.Notice_ClockBack_{ClockBack: &hubv1.Notice_ClockBack{
		Now: timestamppb.New(time.Unix(0, behind)), BehindMs: by.Milliseconds(),
	}}})
	if err != nil {
		l.clock.told.Store(false) // the next record that is late says so again
	}
	return err
}
