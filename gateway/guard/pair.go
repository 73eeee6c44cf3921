package guard

// others stands for the officers of a pair beyond those that are counted one by one. No officer can be called so: the
// words of a call are printable.
const others = "\tothers"

// rules are the limits in the units that are counted in.
type rules struct {
	window        int64 // seconds
	misses, total uint64
	percent       uint64
	officers      int
	mostOfficers  int
	mostSubjects  int
}

// pair is what is counted of one agency and purpose.
//
// total is always the sum of officers: whoever is stopped is taken out of both, so that what one officer did never
// weighs on the rest.
type pair struct {
	now      int64 // Unix time in seconds; never goes back
	total    window
	officers map[string]*window // "": calls that name none
	tripped  map[string]int64   // officers who were stopped, and when
	seen     map[uint64]int64   // people who were found, and when that was counted last

	// When that was done last which is done once a second.
	swept, evicted, pruned int64
}

func newPair() *pair {
	return &pair{officers: map[string]*window{}, tripped: map[string]int64{}, seen: map[uint64]int64{}}
}

// trip is a limit that was passed.
type trip struct {
	officer         string // empty: the whole pair
	why             Why
	matched, missed uint64
}

// added is what counting came to.
type added struct {
	as    string // the officer that was counted: others, where one more could not be
	clean bool   // that officer has missed nobody in the window
	trips []trip // limits that were passed
}

// add counts.
func (p *pair) add(r *rules, second int64, officer string, matched, missed uint64) added {
	officer, w := p.put(r, second, officer, matched, missed)
	a := added{as: officer, clean: w.missed == 0}
	if missed > 0 {
		a.trips = p.judge(r, officer, w)
	}
	return a
}

// put counts without judging.
func (p *pair) put(r *rules, second int64, officer string, matched, missed uint64) (as string, w *window) {
	p.to(r, second)
	as, w = p.counted(r, officer, missed > 0)
	w.add(p.now, matched, missed)
	p.total.add(p.now, matched, missed)
	return as, w
}

// judge says which limits an officer has passed, who has just missed somebody, and stops counting whoever did.
func (p *pair) judge(r *rules, officer string, w *window) (trips []trip) {
	if officer != others && w.over(r.misses, r.percent) {
		if officer == "" {
			return []trip{p.whole(Unnamed, w)}
		}
		trips = append(trips, trip{officer, Guessing, w.matched, w.missed})
		p.takeOut(officer)
		p.tripped[officer] = p.now
		if p.recentTrips(r) >= r.officers {
			return append(trips, p.whole(Officers, w))
		}
	}
	if p.total.over(r.total, r.percent) {
		trips = append(trips, p.whole(Total, &p.total))
	}
	return trips
}

// whole is the trip of the whole pair for what a window shows. The pair begins anew.
func (p *pair) whole(why Why, w *window) trip {
	t := trip{"", why, w.matched, w.missed}
	p.clear()
	return t
}

// to moves the pair to a second, or leaves it where it is if that lies in the past.
func (p *pair) to(r *rules, second int64) {
	p.now = max(p.now, second)
	p.total.expire(p.now - r.window)
}

// counted returns as whom an officer is counted, and the window for it.
func (p *pair) counted(r *rules, officer string, missed bool) (string, *window) {
	w, ok := p.officers[officer]
	if !ok && officer != "" && officer != others && len(p.officers) >= r.mostOfficers && !p.crowded(r, missed) {
		officer = others
		w, ok = p.officers[others]
	}
	if !ok {
		w = new(window)
		p.officers[officer] = w
	}
	w.expire(p.now - r.window)
	return officer, w
}

// crowded makes room for one more officer and reports whether there is. Who missed somebody takes the place of those
// who did not. As this looks at all officers, it is done once a second.
func (p *pair) crowded(r *rules, missed bool) bool {
	if p.swept != p.now {
		p.sweep(r)
	}
	if len(p.officers) >= r.mostOfficers && missed && p.evicted != p.now {
		p.evict(r)
	}
	return len(p.officers) < r.mostOfficers
}

// evict counts officers who missed nobody among the others.
func (p *pair) evict(r *rules) {
	p.evicted = p.now
	rest, ok := p.officers[others]
	if !ok {
		rest = new(window)
	}
	rest.expire(p.now - r.window)
	for name, w := range p.officers {
		if w.missed == 0 && name != "" && name != others {
			rest.merge(w)
			delete(p.officers, name)
		}
	}
	p.officers[others] = rest
}

// takeOut takes an officer out of the pair.
func (p *pair) takeOut(officer string) {
	if w, ok := p.officers[officer]; ok {
		p.total.subtract(w)
		delete(p.officers, officer)
	}
}

// noteTrip is told that another gateway stopped an officer.
func (p *pair) noteTrip(r *rules, officer string, second int64) {
	if w, ok := p.officers[officer]; ok {
		w.expire(p.now - r.window)
		p.total.expire(p.now - r.window)
		p.takeOut(officer)
	}
	p.tripped[officer] = max(second, p.tripped[officer])
}

// recentTrips counts the officers who were stopped within the window.
func (p *pair) recentTrips(r *rules) int {
	for officer, second := range p.tripped {
		if second <= p.now-r.window {
			delete(p.tripped, officer)
		}
	}
	return len(p.tripped)
}

// release lets an officer, or the whole pair, begin with a clean window.
func (p *pair) release(r *rules, officer string) {
	if officer == "" {
		p.clear()
		return
	}
	p.noteTrip(r, officer, p.now) // takes out what came while it was stopped
	delete(p.tripped, officer)
}

// clear forgets what was counted. Whom was asked for stays known: asking for them again is still nothing new.
func (p *pair) clear() {
	p.total = window{}
	clear(p.officers)
	clear(p.tripped)
}

// sweep forgets what is old, at a second of which the pair knows.
func (p *pair) sweep(r *rules) {
	p.swept = p.now
	p.total.expire(p.now - r.window)
	for name, w := range p.officers {
		if w.expire(p.now - r.window); len(w.buckets) == 0 {
			delete(p.officers, name)
		}
	}
	p.recentTrips(r)
	p.prune(r)
}

// idle reports whether nothing is known of the pair.
func (p *pair) idle() bool { return len(p.officers) == 0 && len(p.tripped) == 0 && len(p.seen) == 0 }

// fresh counts how many of these people, given by hashes, were not found within the window before, and remembers them.
// When too many are remembered, one more counts as new.
func (p *pair) fresh(r *rules, second int64, people []uint64) (n uint64) {
	p.now = max(p.now, second)
	if len(p.seen)+len(people) > r.mostSubjects && p.pruned != p.now {
		p.prune(r)
	}
	for _, h := range people {
		if last, ok := p.seen[h]; ok && last > p.now-r.window {
			continue
		}
		n++
		if len(p.seen) < r.mostSubjects {
			p.seen[h] = p.now
		}
	}
	return n
}

// prune forgets people who were found too long ago.
func (p *pair) prune(r *rules) {
	p.pruned = p.now
	for h, last := range p.seen {
		if last <= p.now-r.window {
			delete(p.seen, h)
		}
	}
}
