package courier

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lienthong/lienthong/proto/bus"
)

// place is a service in a jurisdiction.
type place struct{ service, jurisdiction string }

// route is one connector process that answers for a place.
type route struct {
	place    place
	party    *bus.Party
	pair     *bus.Pair
	heard    time.Time
	busy     *atomic.Int64 // questions under way; shared by the routes that follow each other
	subjects *sync.Map     // method → subject
}

// routes knows which connector processes answer for which places. Readers take no lock.
type routes struct {
	mu     sync.Mutex
	table  atomic.Pointer[map[place][]*route]
	signal atomic.Pointer[chan struct{}] // closed at the next change
	turn   atomic.Uint32
}

func newRoutes() *routes {
	r := &routes{}
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
		if one.party.ID == q.Provider && (best == nil || one.busy.Load() < best.busy.Load()) {
			best = one
		}
	}
	return best
}

// learn takes in a verified announcement: a new process, a new key, a sign of life, or a farewell.
func (r *routes) learn(own *bus.Key, party *bus.Party, now time.Time) error {
	var failed error
	r.change(func(table map[place][]*route) bool {
		changed := false
		for _, offer := range party.Offers {
			p := place{offer.GetService(), offer.GetJurisdiction()}
			list, c, err := merge(table[p], p, own, party, now)
			table[p], changed, failed = list, changed || c, errors.Join(failed, err)
		}
		return changed
	})
	return failed
}

// merge returns the routes of one place after an announcement, and whether that changed who can be asked.
func merge(list []*route, p place, own *bus.Key, party *bus.Party, now time.Time) ([]*route, bool, error) {
	i := slices.IndexFunc(list, func(r *route) bool {
		return r.party.Instance == party.Instance && r.party.ID == party.ID
	})
	if i >= 0 && !party.Announced.After(list[i].party.Announced) {
		return list, false, nil // an old announcement, played again or overtaken
	}
	list = slices.Clone(list)
	if party.Leaving {
		if i < 0 {
			return list, false, nil
		}
		return slices.Delete(list, i, i+1), true, nil
	}
	next := &route{place: p, party: party, heard: now, busy: new(atomic.Int64), subjects: new(sync.Map)}
	if i >= 0 {
		next.busy, next.subjects = list[i].busy, list[i].subjects
		if list[i].party.Key == party.Key {
			next.pair = list[i].pair
			list[i] = next
			return list, false, nil
		}
	}
	pair, err := own.Pair(party)
	if err != nil {
		return list, false, err
	}
	next.pair = pair
	if i >= 0 {
		list[i] = next
	} else {
		list = append(list, next)
	}
	return list, true, nil
}

// rekey agrees new keys with everybody after this gateway made a new one. Answers under way are opened with the
// old ones, which their questions hold.
func (r *routes) rekey(own *bus.Key) error {
	var failed error
	r.change(func(table map[place][]*route) bool {
		for p, list := range table {
			next := make([]*route, 0, len(list))
			for _, one := range list {
				pair, err := own.Pair(one.party)
				if err != nil {
					failed = errors.Join(failed, err)
					continue
				}
				again := *one
				again.pair = pair
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
	r.remove(func(one *route) bool { return one.party.Instance == gone.party.Instance && one.place == gone.place })
}

// forgetSilent forgets processes that were not heard since then.
func (r *routes) forgetSilent(since time.Time) {
	r.remove(func(one *route) bool { return one.heard.Before(since) })
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
		next[p] = list
	}
	woken := do(next)
	r.table.Store(&next)
	if woken {
		signal := make(chan struct{})
		close(*r.signal.Swap(&signal))
	}
}
