package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// column is something that records are found by. Its number is kept in the index: numbers are never given anew.
type column int

// Columns of values: each value with the ordinals of its records.
const (
	colKind       column = 0
	colConsumer   column = 1 // AGENCY/SYSTEM
	colProvider   column = 2
	colMethod     column = 3 // full name
	colMethodName column = 4 // the method's alone
	colPurpose    column = 5
	colOfficer    column = 6
	colOutcome    column = 7
	colReason     column = 8
	colAgreement  column = 9
	colLatency    column = 10 // see latencyClass
	valueColumns         = 11
)

// Columns of keys: 8 bytes of something that nearly every record has another of, each with one ordinal.
const (
	firstKeyColumn        = colExchange
	colExchange    column = 16
	colTrace       column = 17
	colCase        column = 18
	colSubject     column = 19
	keyColumns            = 4
)

const (
	colTime   column = 30 // the records' times, see times.go
	colVolume column = 31 // how much was exchanged, see volume.go
)

// columns are all that a block has.
var columns = []column{colKind, colConsumer, colProvider, colMethod, colMethodName, colPurpose, colOfficer, colOutcome, colReason,
	colAgreement, colLatency, colExchange, colTrace, colCase, colSubject, colTime, colVolume}

// span is a range of a column's values: lo ≤ value < hi.
type span struct{ lo, hi string }

// everything is the span of all values: none begins with so many bytes of 255.
var everything = span{"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}

// exactly is the span of one value.
func exactly(value string) span { return span{value, value + "\x00"} }

// within is the span of the values that begin with a prefix, which ends in a slash.
func within(prefix string) span {
	last := len(prefix) - 1
	return span{prefix, prefix[:last] + string(prefix[last]+1)}
}

// appendConsumer appends AGENCY/SYSTEM; nothing when there is no agency.
func appendConsumer(b, agency, system []byte) []byte {
	if len(agency) == 0 {
		return b
	}
	return append(append(append(b, agency...), '/'), system...)
}

// methodName is the last part of a full method name.
func methodName(full []byte) []byte { return full[bytes.LastIndexByte(full, '/')+1:] }

const latencyClasses = 124

// latencyClass sorts microseconds into four classes for each power of two; a longer time has no lesser class.
func latencyClass(us uint32) byte {
	if us < 8 {
		return byte(us)
	}
	n := bits.Len32(us)
	return byte(8 + 4*(n-4) + int(us>>(n-3)&3))
}

// randomKey is the key of what is made at random, or ends so: UUIDv7, trace ids.
func randomKey(b []byte) uint64 {
	if len(b) < 8 {
		var whole [8]byte
		copy(whole[:], b)
		return binary.BigEndian.Uint64(whole[:])
	}
	return binary.BigEndian.Uint64(b[len(b)-8:])
}

// hashedKey is the key of a text.
func hashedKey(b []byte) uint64 {
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}
