package ledger

import (
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

const (
	ownRecords = 10     // refusals of one kind in a minute that have records of their own
	maxKinds   = 10_000 // kinds of refusals that are counted at a time; more have records of their own
)

// sameRefusal is what equal refusals have in common. Exchanges have no method here: which one was refused matters less
// than by whom, and there are many.
type sameRefusal struct{ agency, system, reason, method string }

// counted is how often something was refused in one minute.
type counted struct {
	minute      int64 // since 1970
	own         int   // records of their own
	more        uint64
	first, last time.Time // of those in more
}

// flood keeps equal refusals from filling the ledger: beyond some in a minute they are counted, and one record says
// how many they were.
type flood struct {
	own   int // refusals of one kind in a minute that have records of their own
	mu    sync.Mutex
	kinds map[sameRefusal]*counted
	ended []*hubv1.Notice_Refusals // minutes that are over and not recorded yet
}

// counts reports whether a refusal was counted, so that it needs no record of its own.
func (f *flood) counts(r sameRefusal, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.kind(r, now)
	if c == nil {
		return false
	}
	if c.own < f.own {
		c.own++
		return false
	}
	c.count(now)
	return true
}

// count counts a refusal that never has a record of its own.
func (f *flood) count(r sameRefusal, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.kind(r, now); c != nil {
		c.count(now)
	}
}

// kind finds the count of this minute; nil if there are too many kinds.
func (f *flood) kind(r sameRefusal, now time.Time) *counted {
	if f.kinds == nil {
		f.kinds = map[sameRefusal]*counted{}
	}
	minute := now.Unix() / 60
	c := f.kinds[r]
	switch {
	case c == nil && len(f.kinds) >= maxKinds:
		return nil
	case c == nil:
		c = &counted{minute: minute}
		f.kinds[r] = c
	case c.minute != minute:
		f.end(r, c)
		*c = counted{minute: minute}
	}
	return c
}

func (c *counted) count(now time.Time) {
	if c.more == 0 {
		c.first = now
	}
	c.more++
	c.last = now
}

// end makes a counting record of a minute that is over.
func (f *flood) end(r sameRefusal, c *counted) {
	if c.more == 0 {
		return
	}
	f.ended = append(f.ended, &hubv1.Notice_Refusals{
		ConsumerAgency: r.agency, ConsumerSystem: r.system, Reason: r.reason, Method: r.method, Count: c.more,
		First: timestamppb.New(c.first), Last: timestamppb.New(c.last),
	})
}

// over ends the minutes that are over.
func (f *flood) over(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r, c := range f.kinds {
		if c.minute != now.Unix()/60 {
			f.end(r, c)
			delete(f.kinds, r)
		}
	}
}

// next returns what was counted in a minute that is over, without taking it out; nil if there is nothing.
func (f *flood) next() *hubv1.Notice_Refusals {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ended) == 0 {
		return nil
	}
	return f.ended[0]
}

// drop takes out what next returned.
func (f *flood) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = f.ended[1:]
}

// sayRefusals records what was counted.
func (l *Ledger) sayRefusals(now time.Time) error {
	l.flood.over(now)
	for {
		r := l.flood.next()
		if r == nil {
			return nil
		}
		if err := l.say(&hubv1.Notice{About: &hubv1.Notice_Refusals_{Refusals: r}}, l.flood.drop); err != nil {
			return err
		}
	}
}
