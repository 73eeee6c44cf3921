package index

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

// pairBytes is a key of 8 bytes and an ordinal of 2, both big endian, so that pairs sort as bytes.
const pairBytes = 10

type pair struct {
	key     uint64
	ordinal uint16
}

func (p pair) append(b []byte) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64(b, p.key), p.ordinal)
}

// keySpan is where the pairs of a key are.
func keySpan(key uint64) span {
	return span{string(pair{key, 0}.append(nil)), string(append(pair{key, 1<<16 - 1}.append(nil), 0))}
}

// sorted returns a column's pairs in order. Keys are spread evenly, as a rule: so their first two bytes bring nearly
// every pair to its place.
func (k *keys) sorted() []pair {
	const shift = 64 - 16
	var ends [1 << 16]int
	for _, key := range k.key {
		ends[key>>shift]++
	}
	for i := 1; i < len(ends); i++ {
		ends[i] += ends[i-1]
	}
	all := make([]pair, len(k.key))
	for i, key := range slices.Backward(k.key) {
		ends[key>>shift]--
		all[ends[key>>shift]] = pair{key, k.ordinal[i]}
	}
	for i, start := range ends { // now they are where each begins
		end := len(all)
		if i+1 < len(ends) {
			end = ends[i+1]
		}
		if end-start > 1 {
			slices.SortFunc(all[start:end], pair.compare)
		}
	}
	return all
}

func (p pair) compare(other pair) int {
	return cmp.Or(cmp.Compare(p.key, other.key), cmp.Compare(p.ordinal, other.ordinal))
}

// pairs writes a column of keys.
func (p *pager) pairs(all []pair) error {
	for _, one := range all {
		if len(p.body)+pairBytes > pageBytes {
			if err := p.flush(string(one.append(nil))); err != nil {
				return err
			}
		}
		p.body = one.append(p.body)
	}
	return p.flush("")
}

// findPairs adds the ordinals of the pairs within a span.
func (p page) findPairs(s span, found set) error {
	if len(p.body)%pairBytes != 0 {
		return errPage
	}
	n := len(p.body) / pairBytes
	at := func(i int) []byte { return p.body[i*pairBytes : (i+1)*pairBytes] }
	for i := sort.Search(n, func(i int) bool { return string(at(i)) >= s.lo }); i < n && string(at(i)) < s.hi; i++ {
		o := binary.BigEndian.Uint16(at(i)[8:])
		if int(o) >= 64*len(found) {
			return errPage
		}
		found.add(o)
	}
	return nil
}
