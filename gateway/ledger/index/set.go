package index

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// set is a set of ordinals of one block, as bits.
type set []uint64

func newSet(size int) set { return make(set, size/64) }

func (s set) add(ordinal uint16) { s[ordinal/64] |= 1 << (ordinal % 64) }

// addRange adds from ≤ ordinal < to.
func (s set) addRange(from, to int) {
	for i := from; i < to; {
		if i%64 == 0 && to-i >= 64 {
			s[i/64] = ^uint64(0)
			i += 64
			continue
		}
		s.add(uint16(i))
		i++
	}
}

// keep keeps what is in both. It reports whether anything is left.
func (s set) keep(other set) bool {
	var left uint64
	for i := range s {
		s[i] &= other[i]
		left |= s[i]
	}
	return left != 0
}

// last returns the greatest ordinal that is less than before, or -1.
func (s set) last(before int) int {
	if before <= 0 {
		return -1
	}
	i := (before - 1) / 64
	w := s[i] & (^uint64(0) >> (63 - (before-1)%64))
	for w == 0 {
		if i--; i < 0 {
			return -1
		}
		w = s[i]
	}
	return i*64 + bits.Len64(w) - 1
}

// first returns the least ordinal from from on, or -1.
func (s set) first(from int) int {
	i := from / 64
	if i >= len(s) {
		return -1
	}
	w := s[i] & (^uint64(0) << (from % 64))
	for w == 0 {
		if i++; i == len(s) {
			return -1
		}
		w = s[i]
	}
	return i*64 + bits.TrailingZeros64(w)
}

// appendOrdinals appends sorted ordinals in the shorter of two forms: two bytes each, or a bit for each of the block's.
func appendOrdinals(b []byte, ordinals []uint16, size int) []byte {
	b = binary.AppendUvarint(b, uint64(len(ordinals)))
	if 2*len(ordinals) <= size/8 {
		for _, o := range ordinals {
			b = binary.LittleEndian.AppendUint16(b, o)
		}
		return b
	}
	s := newSet(size)
	for _, o := range ordinals {
		s.add(o)
	}
	for _, w := range s {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

var errOrdinals = errors.New("list of ordinals does not read")

// addOrdinals adds what appendOrdinals wrote.
func (s set) addOrdinals(b []byte) error {
	count, n := binary.Uvarint(b)
	if n <= 0 || count > uint64(64*len(s)) {
		return errOrdinals
	}
	b = b[n:]
	if 2*count > uint64(8*len(s)) {
		if len(b) != 8*len(s) {
			return errOrdinals
		}
		for i := range s {
			s[i] |= binary.LittleEndian.Uint64(b[8*i:])
		}
		return nil
	}
	if uint64(len(b)) != 2*count {
		return errOrdinals
	}
	for ; len(b) > 0; b = b[2:] {
		o := binary.LittleEndian.Uint16(b)
		if int(o) >= 64*len(s) {
			return errOrdinals
		}
		s.add(o)
	}
	return nil
}
