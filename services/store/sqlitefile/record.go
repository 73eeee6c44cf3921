package sqlitefile

import (
	"encoding/binary"
	"fmt"
)

// Row puts together the record of a row, value by value, in the order of the table's columns. The zero Row is empty.
type Row struct {
	types []byte // of the values, as in a record's header
	body  []byte
}

// Reset empties the row.
func (r *Row) Reset() { r.types, r.body = r.types[:0], r.body[:0] }

// Null adds NULL; also in the place of a column that is the row id.
func (r *Row) Null() { r.types = append(r.types, 0) }

// Int adds an integer.
func (r *Row) Int(v int64) {
	size := intSize(v)
	switch {
	case size == 0:
		r.types = append(r.types, byte(8+v)) // 0 and 1 have types of their own
		return
	case size == 8:
		r.types = append(r.types, 6)
	case size == 6:
		r.types = append(r.types, 5)
	default:
		r.types = append(r.types, byte(size))
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(v))
	r.body = append(r.body, b[8-size:]...)
}

// intSize is how many bytes an integer takes in a record's body.
func intSize(v int64) int {
	switch {
	case v == 0 || v == 1:
		return 0
	case v >= -1<<7 && v < 1<<7:
		return 1
	case v >= -1<<15 && v < 1<<15:
		return 2
	case v >= -1<<23 && v < 1<<23:
		return 3
	case v >= -1<<31 && v < 1<<31:
		return 4
	case v >= -1<<47 && v < 1<<47:
		return 6
	}
	return 8
}

// Text adds a text.
func (r *Row) Text(s string) {
	r.types = appendVarint(r.types, uint64(13+2*len(s)))
	r.body = append(r.body, s...)
}

// Blob adds bytes.
func (r *Row) Blob(b []byte) {
	r.types = appendVarint(r.types, uint64(12+2*len(b)))
	r.body = append(r.body, b...)
}

// size is the length of the record.
func (r *Row) size() int { return r.header() + len(r.body) }

// header is the length of the record's header, which counts its own length.
func (r *Row) header() int {
	n := len(r.types) + 1
	if n > 127 {
		n = len(r.types) + 2 // enough for 16 KB of types
	}
	return n
}

// append appends the record.
func (r *Row) append(b []byte) []byte {
	b = appendVarint(b, uint64(r.header()))
	b = append(b, r.types...)
	return append(b, r.body...)
}

func (r *Row) check() error {
	if len(r.types) > 1<<14-3 {
		return fmt.Errorf("%d bytes of types are too many", len(r.types))
	}
	return nil
}

// appendVarint appends a number in SQLite's form: 7 bits a byte, the highest first, the ninth byte whole.
func appendVarint(b []byte, v uint64) []byte {
	if v < 1<<7 {
		return append(b, byte(v))
	}
	if v < 1<<14 {
		return append(b, byte(v>>7)|0x80, byte(v&0x7f))
	}
	if v >= 1<<56 {
		for shift := 57; shift >= 8; shift -= 7 {
			b = append(b, byte(v>>shift)|0x80)
		}
		return append(b, byte(v))
	}
	shift := 14
	for v>>(shift+7) != 0 {
		shift += 7
	}
	for ; shift > 0; shift -= 7 {
		b = append(b, byte(v>>shift)|0x80)
	}
	return append(b, byte(v&0x7f))
}
