package guard

import (
	"hash/maphash"
	"slices"
	"sync"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// shards is over how many locks the pairs are spread.
const shards = 64

// shard is some of the pairs.
type shard struct {
	mu       sync.Mutex
	pairs    map[pairKey]*pair
	unshared map[who]counts // that the others have not been told of
	_        [64]byte       // the next one's lock is on another cache line
}

// pairKey names a pair.
type pairKey struct{ agency, purpose string }

// counts is how many people were found and how many were not.
type counts struct {
	matched, missed uint64
	clean           bool // its officer has missed nobody in the window
}

func (c *counts) add(other counts) {
	c.matched += other.matched
	c.missed += other.missed
	c.clean = other.clean
}

// shard returns the shard of a pair.
func (g *Guard) shard(k pairKey) *shard {
	h := maphash.String(g.seed, k.agency) ^ maphash.String(g.seed, k.purpose)<<1
	return &g.shards[h%shards]
}

// pair returns a pair, which is made if there is none. The shard's lock is held.
func (s *shard) pair(k pairKey) *pair {
	p, ok := s.pairs[k]
	if !ok {
		p = newPair()
		s.pairs[k] = p
	}
	return p
}

// Count counts how many people of a question were found and how many were not. subjects are those whom the exchange is
// about, first those who were asked for. decoy says that somebody is among them for whom nobody has reason to ask.
func (g *Guard) Count(agency, purpose, officer string, matched, missed uint32, subjects []*hubv1.DataSubject) (decoy bool) {
	if d := g.decoys.Load(); d != nil && d.among(subjects) {
		decoy = true
		g.noteDecoy(who{agency, purpose, officer})
	}
	if matched == 0 && missed == 0 {
		return decoy
	}
	var few [16]uint64
	people := few[:0]
	if matched > 0 {
		people = g.people(people, subjects, uint64(matched)+uint64(missed))
	}
	now := g.now()
	k := pairKey{agency, purpose}
	s := g.shard(k)
	s.mu.Lock()
	if g.Check(agency, purpose, officer) != nil {
		s.mu.Unlock()
		return decoy // it was asked before the stop
	}
	p := s.pair(k)
	found := uint64(matched)
	if len(people) > 0 {
		found = min(found, p.fresh(&g.rules, now.Unix(), people))
	}
	done := p.add(&g.rules, now.Unix(), officer, found, uint64(missed))
	for _, t := range done.trips {
		g.stop(Stop{agency, purpose, t.officer, now.UTC(), t.missed, t.matched, t.why}, true)
	}
	s.note(who{agency, purpose, done.as}, counts{found, uint64(missed), done.clean})
	s.mu.Unlock()
	wake(g.counted)
	return decoy
}

// note keeps what the other gateways are to be told. The shard's lock is held.
func (s *shard) note(w who, c counts) {
	sum := s.unshared[w]
	sum.add(c)
	s.unshared[w] = sum
}

// people appends the hashes of those who were asked for: the first asked of subjects, which are all if no number was
// asked for but, say, a name.
func (g *Guard) people(people []uint64, subjects []*hubv1.DataSubject, asked uint64) []uint64 {
	subjects = subjects[:min(uint64(len(subjects)), asked)]
	people = slices.Grow(people, len(subjects))
	for _, s := range subjects {
		people = append(people, maphash.String(g.seed, s.GetValue())+uint64(s.GetKind()))
	}
	return people
}
