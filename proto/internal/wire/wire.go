// Package wire walks protobuf's wire format without decoding it: varints, tags, the extent of a field. It allocates
// nothing and trusts nothing it reads.
//
// What does not belong here: what fields mean. Packages contract and mask know that from descriptors.
package wire

import (
	"errors"
	"math"
	"math/bits"
)

// What can be wrong with a message on the wire, whatever its type.
var (
	// ErrMalformed says that the bytes are no message: cut off, a bad varint, tag or group, or text that is not UTF-8.
	ErrMalformed = errors.New("malformed message")
	// ErrDepth says that messages or groups are nested deeper than MaxDepth.
	ErrDepth = errors.New("message nested too deep")
)

// MaxDepth is how deep messages may be nested: the message itself is at depth 0.
const MaxDepth = 32

// MaxNumber is the greatest field number.
const MaxNumber = 1<<29 - 1

// Type is a wire type.
type Type = uint8

// The wire types.
const (
	Varint     Type = 0
	Fixed64    Type = 1
	Bytes      Type = 2
	StartGroup Type = 3
	EndGroup   Type = 4
	Fixed32    Type = 5
)

// Uvarint reads the varint at b[i:] and returns its value and the index after it, or -1 when it is cut off or
// does not fit 64 bits.
func Uvarint(b []byte, i int) (v uint64, next int) {
	for shift := uint(0); i < len(b); shift += 7 {
		c := b[i]
		i++
		if shift == 63 && c > 1 {
			return 0, -1
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, i
		}
	}
	return 0, -1
}

// Tag reads the tag at b[i:] and returns field number, wire type and the index after it, or -1 when there is none.
func Tag(b []byte, i int) (num int32, typ Type, next int) {
	v, next := Uvarint(b, i)
	if next < 0 || v>>3 == 0 || v>>3 > MaxNumber {
		return 0, 0, -1
	}
	return int32(v >> 3), Type(v & 7), next
}

// Length reads the length at b[i:] of what follows it, and returns where that begins and ends, or -1 when it is
// cut off.
func Length(b []byte, i int) (body, end int) {
	n, body := Uvarint(b, i)
	if body < 0 || n > uint64(len(b)-body) {
		return 0, -1
	}
	return body, body + int(n)
}

// Skip returns the index after the value at b[i:] of the field num. Groups are skipped whole, to MaxDepth.
func Skip(b []byte, i int, num int32, typ Type) (int, error) {
	next := -1
	switch typ {
	case Varint:
		_, next = Uvarint(b, i)
	case Fixed64:
		next = i + 8
	case Bytes:
		_, next = Length(b, i)
	case Fixed32:
		next = i + 4
	case StartGroup:
		return skipGroup(b, i, num)
	}
	if next < 0 || next > len(b) {
		return 0, ErrMalformed
	}
	return next, nil
}

// skipGroup returns the index after the group num whose content begins at b[i:].
func skipGroup(b []byte, i int, num int32) (int, error) {
	var open [MaxDepth]int32
	open[0] = num
	for depth := 1; depth > 0; {
		// Inside a group, decoders take numbers over MaxNumber too.
		var tag uint64
		tag, i = Uvarint(b, i)
		if i < 0 || tag>>3 == 0 || tag>>3 > math.MaxInt32 {
			return 0, ErrMalformed
		}
		num, typ := int32(tag>>3), Type(tag&7)
		switch typ {
		case StartGroup:
			if depth == MaxDepth {
				return 0, ErrDepth
			}
			open[depth] = num
			depth++
		case EndGroup:
			depth--
			if open[depth] != num {
				return 0, ErrMalformed
			}
		default:
			var err error
			if i, err = Skip(b, i, num, typ); err != nil {
				return 0, err
			}
		}
	}
	return i, nil
}

// Packed reports whether b is a whole number of scalars of the wire type.
func Packed(b []byte, typ Type) bool {
	switch typ {
	case Fixed32:
		return len(b)%4 == 0
	case Fixed64:
		return len(b)%8 == 0
	case Varint:
		for i := 0; i < len(b); {
			if b[i] < 0x80 {
				i++
			} else if _, i = Uvarint(b, i); i < 0 {
				return false
			}
		}
		return true
	}
	return false
}

// UvarintSize returns how many bytes v takes as a varint.
func UvarintSize(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// PutUvarint writes v as a varint at the start of b, which is long enough.
func PutUvarint(b []byte, v uint64) {
	i := 0
	for ; v >= 0x80; i++ {
		b[i] = byte(v) | 0x80
		v >>= 7
	}
	b[i] = byte(v)
}
