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

// sorted returns a column's pairs in order.
func (k *keys) sorted() []pair {
	all := make([]pair, len(k.key))
	for i, key := range k.key {
		all[i] = pair{key, k.ordinal[i]}
	}
	slices.SortFunc(all, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.ordinal, b.ordinal))
	})
	return all
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
