package courier

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/peer"
)

// maxProcesses is how many connector processes of one provider may come and go at one place within bus.MaxAge.
const maxProcesses = 256

// place is a service in a jurisdiction.
type place struct{ service, jurisdiction string }

// source is a connector process at a place.
type source struct {
	place    place
	id       peer.ID
	instance string
}

// route is one connector process that answers for a place.
type route struct {
	source
	party    *bus.Party
	own      *ownKey // with which the pair was agreed
	pair     *bus.Pair
	heard    time.Time
	busy     *atomic.Int64 // questions under way; shared by the routes that follow each other
	subjects *sync.Map     // method → subject
}

// routes knows which connector processes answer for which places. Readers take no lock.
type routes struct {
	mu     sync.Mutex
	own    *ownKey              // agrees new pairs
	last   map[source]time.Time // what was heard of late, so that nothing older is believed after it
	table  atomic.Pointer[map[place][]*route]
	signal atomic.Pointer[chan struct{}] // closed at the next change
	turn   atomic.Uint32
}

func newRoutes() *routes {
	r := &routes{last: make(map[source]time.Time)}
	r.table.Store(&map[place][]*route{})
	signal := make(chan struct{})
	r.signal.Store(&signal)
	return r
}

func (r *routes) find(service, jurisdiction string) []*route {
	return (*r.table.Load())[place{service, jurisdiction}]
}

// changed returns a channel that is closed at the next change.
func (r *routes) changed() <-chan struct{} { return *r.signal.Load() }

// pick returns the least busy connector of the question's provider, in turn where several are, or nil.
func (r *routes) pick(q *Question) *route {
	var best *route
	list := r.find(q.Service, q.Jurisdiction)
	turn := int(r.turn.Add(1))
	for i := range list {
		one := list[(turn+i)%len(list)]
		if one.id == q.Provider && (best == nil || one.busy.Load() < best.busy.Load()) {
			best = one
		}
	}
	return best
}

// now returns the route that leads now to where one led, or nil if none does.
func (r *routes) now(old *route) *route {
	for _, one := range r.find(old.place.service, old.place.jurisdiction) {
		if one.source == old.source {
			return one
		}
	}
	return nil
}

// learn takes in a verified announcement for the places it was heard at: a new process, a new key, a sign of life,
// or a farewell.
func (r *routes) learn(party *bus.Party, now time.Time, here func(place) bool) error {
	var failed error
	r.change(func(table map[place][]*route) bool {
		changed := false
		for _, offer := range party.Offers {
			p := place{offer.GetService(), offer.GetJurisdiction()}
			if !here(p) {
				continue
			}
			list, c, err := r.merge(table[p], source{p, party.ID, party.Instance}, party, now)
			table[p], changed, failed = list, changed || c, errors.Join(failed, err)
		}
		return changed
	})
	return failed
}

// merge returns the routes of one place after an announcement, and whether that changed who can be asked.
func (r *routes) merge(list []*route, s source, party *bus.Party, now time.Time) ([]*route, bool, error) {
	if newer, err := r.newer(s, party.Announced, now); !newer {
		return list, false, err
	}
	list = slices.Clone(list)
	i := slices.IndexFunc(list, func(one *route) bool { return one.source == s })
	if party.Leaving {
		if i < 0 {
			return list, false, nil
		}
		return slices.Delete(list, i, i+1), true, nil
	}
	next := &route{source: s, party: party, heard: now, busy: new(atomic.Int64), subjects: new(sync.Map)}
	if i >= 0 {
		next.busy, next.subjects = list[i].busy, list[i].subjects
		if list[i].party.Key == party.Key {
			next.own, next.pair = list[i].own, list[i].pair
			list[i] = next
			return list, false, nil
		}
	}
	pair, err := r.own.key.Pair(party)
	if err != nil {
		return list, false, err
	}
	next.own, next.pair = r.own, pair
	if i < 0 {
		return append(list, next), true, nil
	}
	list[i] = next
	return list, true, nil
}

// newer reports whether a process says something newer than it said before, and remembers it. What it said remains
// known after it left, for as long as that could be played again. After the clock was set back, what comes from the
// future does not count.
func (r *routes) newer(s source, said, now time.Time) (bool, error) {
	last, known := r.last[s]
	if known && !said.After(last) && !last.After(now.Add(bus.MaxSkew)) {
		return false, nil
	}
	if !known {
		n := 0
		for other := range r.last {
			if other.place == s.place && other.id == s.id {
				n++
			}
		}
		if n >= maxProcesses {
			return false, fmt.Errorf("%w: %s has %d processes already", bus.ErrAnnouncement, s.id, n)
		}
	}
	r.last[s] = said
	return true, nil
}

// rekey agrees new keys with everybody after this gateway made a new one. Answers under way are opened with the
// old ones, which their questions hold.
func (r *routes) rekey(own *ownKey) error {
	var failed error
	r.change(func(table map[place][]*route) bool {
		r.own = own
		for p, list := range table {
			next := make([]*route, 0, len(list))
			for _, one := range list {
				pair, err := own.key.Pair(one.party)
				if err != nil {
					failed = errors.Join(failed, err)
					continue
				}
				again := *one
				again.own, again.pair = own, pair
				next = append(next, &again)
			}
			table[p] = next
		}
		return true
	})
	return failed
}

// drop forgets a process that nobody hears any more.
func (r *routes) drop(gone *route) {
	r.remove(func(one *route) bool { return one.source == gone.source })
}

// forgetSilent forgets processes that have not been heard for bus.Silence, and what was said too long ago to be
// believed if it were said again.
func (r *routes) forgetSilent(now time.Time) {
	r.remove(func(one *route) bool { return one.heard.Before(now.Add(-bus.Silence)) })
	r.mu.Lock()
	defer r.mu.Unlock()
	for s, said := range r.last {
		if said.Before(now.Add(-bus.MaxAge)) {
			delete(r.last, s)
		}
	}
}

func (r *routes) remove(which func(*route) bool) {
	r.change(func(table map[place][]*route) bool {
		changed := false
		for p, list := range table {
			if slices.ContainsFunc(list, which) {
				table[p] = slices.DeleteFunc(slices.Clone(list), which)
				changed = true
			}
		}
		return changed
	})
}

// change publishes a changed copy of the table, and wakes whoever waits if do says that there is something new.
func (r *routes) change(do func(map[place][]*route) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := make(map[place][]*route, len(*r.table.Load())+1)
	for p, list := range *r.table.Load() {
		if len(list) > 0 {
			next[p] = list
		}
	}
	woken := do(next)
	r.table.Store(&next)
	if woken {
		signal := make(chan struct{})
		close(*r.signal.Swap(&signal))
	}
}
