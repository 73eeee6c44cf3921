package mask

import (
	"errors"
	"unicode/utf8"

	"github.com/lienthong/lienthong/proto/internal/wire"
)

// errRepeated says that a message which holds a oneof came in parts, which decoding would merge.
var errRepeated = errors.New("one message in several parts")

// walk is one message on its way through a mask.
//
// Bytes that pass are not copied one by one: a run of them grows until something must be dropped, and is copied
// then. So the bytes of src before run are in dst or dropped; those from run to where the walk is will pass.
type walk struct {
	src   []byte
	dst   []byte
	run   int
	slots []int32 // a stack with the slots of each message the walk is inside of, see field.slot
}

// message walks the message n in src[i:end], which lies depth messages deep.
func (w *walk) message(n *node, i, end, depth int) error {
	src := w.src[:end]
	base := len(w.slots)
	for range n.slots {
		w.slots = append(w.slots, 0)
	}
	for i < len(src) {
		start := i
		tag := uint64(src[i])
		if tag < 0x80 {
			i++
		} else if tag, i = wire.Uvarint(src, i); i < 0 {
			return ErrMalformed
		}
		num, typ := tag>>3, wire.Type(tag&7)
		if num == 0 || num > wire.MaxNumber {
			return ErrMalformed
		}
		body, next, err := extent(src, i, int32(num), typ)
		if err != nil {
			return err
		}
		f := n.field(num)
		pass := false
		switch {
		case typ == f.typ:
			if f.slot > 0 {
				if err := f.occupy(&w.slots[base+int(f.slot)-1], int32(num)); err != nil {
					return err
				}
			}
			pass, err = w.value(f, i, body, next, depth)
		case typ == wire.Bytes && f.action == passList:
			pass = true
			if !wire.Packed(src[body:next], f.typ) {
				return ErrMalformed
			}
		}
		if err != nil {
			return err
		}
		if !pass {
			w.drop(start, next)
		}
		i = next
	}
	w.slots = w.slots[:base]
	return nil
}

// extent returns where the value at b[i:] begins, behind its length if it has one, and where it ends.
func extent(b []byte, i int, num int32, typ wire.Type) (body, next int, err error) {
	switch typ {
	case wire.Bytes:
		if i < len(b) && b[i] < 0x80 {
			body, next = i+1, i+1+int(b[i])
			break
		}
		if body, next = wire.Length(b, i); next < 0 {
			return 0, 0, ErrMalformed
		}
	case wire.Varint:
		if i < len(b) && b[i] < 0x80 {
			return i, i + 1, nil
		}
		if _, next = wire.Uvarint(b, i); next < 0 {
			return 0, 0, ErrMalformed
		}
		body = i
	default:
		next, err = wire.Skip(b, i, num, typ)
		return i, next, err
	}
	if next > len(b) {
		return 0, 0, ErrMalformed
	}
	return body, next, nil
}

// value decides on the value in src[body:next] of a field in its right wire type; its length, if it has one, is at.
func (w *walk) value(f *field, at, body, next, depth int) (pass bool, err error) {
	switch f.action {
	case pass1, passList:
		return true, nil
	case passText:
		if !utf8.Valid(w.src[body:next]) {
			return false, ErrMalformed
		}
		return true, nil
	case enter:
		return true, w.nested(f, at, body, next, depth)
	case measure:
		return false, f.gauge.measure(w.src[body:next], depth+f.levels)
	}
	return false, nil
}

// occupy takes a slot for the field num.
func (f *field) occupy(slot *int32, num int32) error {
	switch {
	case *slot == 0:
		*slot = num
	case *slot != num:
		return ErrOneof
	case f.whole:
		return errRepeated
	}
	return nil
}

// drop leaves out src[start:next].
func (w *walk) drop(start, next int) {
	if w.run < start {
		w.dst = append(w.dst, w.src[w.run:start]...)
	}
	w.run = next
}

// nested walks the message of a field in src[body:end], and puts its length right where something was dropped.
func (w *walk) nested(f *field, at, body, end, depth int) error {
	depth += f.levels
	if depth > wire.MaxDepth {
		return ErrDepth
	}
	// Where the length is in dst, or will be once the run is copied.
	place := len(w.dst) + at - w.run
	if err := w.message(f.child, body, end, depth); err != nil {
		return err
	}
	prefix := body - at
	size := len(w.dst) + end - w.run - (place + prefix)
	if size == end-body {
		return nil
	}
	// Something was dropped, so the run with the length was copied.
	short := wire.UvarintSize(uint64(size))
	wire.PutUvarint(w.dst[place:], uint64(size))
	if short < prefix {
		w.dst = append(w.dst[:place+short], w.dst[place+prefix:]...)
	}
	return nil
}
