package index

import (
	"math"
	"strings"
)

// live is a block in the making. Whoever adds to it holds Index.mu for writing, whoever asks it for reading, until it
// is full: then it never changes again.
type live struct {
	number uint64
	size   int // records of a full block
	n      int // positions so far, void ones included

	values [valueColumns]map[string]*[]uint16
	keys   [keyColumns]keys
	times  []int64 // the latest time of a record up to each position: they never decrease

	volumes volumes
	fields  map[[32]byte]string // lists that were new

	earliest, latest int64 // of the records' own times
	late             int64 // how much earlier a record's own time is than the latest before it, at most
	digest           [32]byte
	scratch          []byte
}

// keys are the keys of one column in the order they came, each with its ordinal.
type keys struct {
	key     []uint64
	ordinal []uint16
}

func newLive(number uint64, size int) *live {
	b := &live{number: number, size: size, volumes: volumes{}, fields: map[[32]byte]string{},
		times: make([]int64, 0, size), earliest: math.MaxInt64, latest: math.MinInt64}
	for c := range b.values {
		b.values[c] = map[string]*[]uint16{}
	}
	return b
}

// start is the position of the block's first record.
func (b *live) start() uint64 { return b.number * uint64(b.size) }

func (b *live) full() bool { return b.n == b.size }

// skip adds a position that has no record.
func (b *live) skip() {
	var last int64 = math.MinInt64
	if b.n > 0 {
		last = b.times[b.n-1]
	}
	b.times = append(b.times, last)
	b.n++
}

// add adds the next position's record.
func (b *live) add(t *terms) {
	o := uint16(b.n)
	b.skip()
	b.addTime(t.time)
	b.value(colKind, o, t.kind.key())
	b.scratch = appendConsumer(b.scratch[:0], t.agency, t.system)
	b.value(colConsumer, o, b.scratch)
	b.value(colProvider, o, t.provider)
	b.value(colMethod, o, t.method)
	b.value(colMethodName, o, methodName(t.method))
	b.value(colPurpose, o, t.purpose)
	b.value(colOfficer, o, t.officer)
	b.value(colReason, o, t.reason)
	b.value(colAgreement, o, t.agreement)
	if t.outcome != 0 {
		b.value(colOutcome, o, outcomeKeys[byte(t.outcome)])
	}
	if t.kind == KindExchange {
		b.value(colLatency, o, latencyKeys[latencyClass(t.totalUS)])
	}
	for _, id := range t.ids {
		b.key(colExchange, o, randomKey(id))
	}
	if len(t.trace) > 0 {
		b.key(colTrace, o, randomKey(t.trace))
	}
	if len(t.dossier) > 0 {
		b.key(colCase, o, hashedKey(t.dossier))
	}
	for _, s := range t.subjects {
		b.key(colSubject, o, randomKey(s))
	}
	b.volumes.add(t, &b.scratch)
}

func (b *live) addTime(at int64) {
	o := b.n - 1
	b.earliest, b.latest = min(b.earliest, at), max(b.latest, at)
	if latest := b.times[o]; at < latest {
		b.late = max(b.late, lateness(latest, at))
		return
	}
	b.times[o] = at
}

// lateness is latest - at, or the most there is. latest is not before at.
func lateness(latest, at int64) int64 {
	if by := latest - at; by >= 0 {
		return by
	}
	return math.MaxInt64
}

// Keys of the columns that are no text.
var (
	kindKeys, outcomeKeys = singleBytes(), singleBytes()
	latencyKeys           = singleBytes()
)

func singleBytes() (all [256][]byte) {
	for i := range all {
		all[i] = []byte{byte(i)}
	}
	return all
}

func (k Kind) key() []byte { return kindKeys[k] }

// value adds the record to those of a value. What is empty is not found by.
func (b *live) value(c column, ordinal uint16, value []byte) {
	if len(value) == 0 {
		return
	}
	ordinals, known := b.values[c][string(value)]
	if !known {
		ordinals = new([]uint16)
		b.values[c][string(value)] = ordinals
	}
	*ordinals = append(*ordinals, ordinal)
}

func (b *live) key(c column, ordinal uint16, key uint64) {
	k := &b.keys[c-firstKeyColumn]
	k.key = append(k.key, key)
	k.ordinal = append(k.ordinal, ordinal)
}

// find adds the ordinals of all values in a span.
func (b *live) find(c column, s span, found set) {
	if s == exactly(s.lo) {
		if ordinals, known := b.values[c][s.lo]; known {
			addAll(found, *ordinals)
		}
		return
	}
	for value, ordinals := range b.values[c] {
		if strings.Compare(value, s.lo) >= 0 && strings.Compare(value, s.hi) < 0 {
			addAll(found, *ordinals)
		}
	}
}

func addAll(found set, ordinals []uint16) {
	for _, o := range ordinals {
		found.add(o)
	}
}

// findKey adds the ordinals of a key. It looks at every key: fewer than a hundred thousand, one after the other.
func (b *live) findKey(c column, key uint64, found set) {
	k := &b.keys[c-firstKeyColumn]
	for i, other := range k.key {
		if other == key {
			found.add(k.ordinal[i])
		}
	}
}
