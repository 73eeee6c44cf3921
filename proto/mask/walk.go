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
	slots slots
	used  int // slots of the messages the walk is inside of
}

// message walks the message n in src[i:end], which lies depth messages deep.
func (w *walk) message(n *node, i, end, depth int) error {
	src := w.src[:end]
	base := w.used
	w.used += n.slots
	w.slots.clear(base, w.used)
	for i < len(src) {
		start := i
		tag := uint64(src[i])
		if i++; tag >= 0x80 {
			if tag, i = wire.Uvarint(src, start); i < 0 {
				return ErrMalformed
			}
		}
		num, typ := tag>>3, wire.Type(tag&7)
		if num == 0 || num > wire.MaxNumber {
			return ErrMalformed
		}
		at := i
		body, next, err := extent(src, i, int32(num), typ)
		if err != nil {
			return err
		}
		i = next
		f := n.field(num)
		if f.slot > 0 && typ == f.typ {
			if err := f.occupy(w.slots.at(base+f.slot-1), int32(num)); err != nil {
				return err
			}
		}
		pass := typ == f.typ && f.action == pass1
		if !pass && f.action != drop {
			if pass, err = w.value(f, typ, at, body, next, depth); err != nil {
				return err
			}
		}
		if !pass {
			if w.run < start {
				w.dst = append(w.dst, src[w.run:start]...)
			}
			w.run = next
		}
	}
	w.used = base
	return nil
}

// extent returns where the value at b[i:] begins, behind its length if it has one, and where it ends.
func extent(b []byte, i int, num int32, typ wire.Type) (body, next int, err error) {
	if i < len(b) && b[i] < 0x80 {
		// Most are short.
		if typ == wire.Varint {
			return i, i + 1, nil
		}
		if body = i + 1; typ == wire.Bytes && int(b[i]) <= len(b)-body {
			return body, body + int(b[i]), nil
		}
	}
	return longExtent(b, i, num, typ)
}

func longExtent(b []byte, i int, num int32, typ wire.Type) (body, next int, err error) {
	if typ == wire.Bytes {
		if body, next = wire.Length(b, i); next < 0 {
			return 0, 0, ErrMalformed
		}
		return body, next, nil
	}
	next, err = wire.Skip(b, i, num, typ)
	return i, next, err
}

// value decides on the value in src[body:next], whose length, if it has one, is at.
func (w *walk) value(f *field, typ wire.Type, at, body, next, depth int) (pass bool, err error) {
	switch {
	case typ != f.typ:
		if pass = typ == wire.Bytes && f.action == passList; pass && !wire.Packed(w.src[body:next], f.typ) {
			return false, ErrMalformed
		}
	case f.action == passText:
		if pass = utf8.Valid(w.src[body:next]); !pass {
			return false, ErrMalformed
		}
	case f.action == passList:
		pass = true
	case f.action == enter:
		return true, w.nested(f, at, body, next, depth)
	case f.action == measure:
		return false, f.gauge.measure(w.src[body:next], depth+f.levels)
	}
	return pass, nil
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

// slots are a stack of places that remember which field was seen. The first are in the walk itself.
type slots struct {
	room [32]int32
	more []int32
}

// at returns the slot i, which clear has made.
func (s *slots) at(i int) *int32 {
	if i < len(s.room) {
		return &s.room[i]
	}
	return &s.more[i-len(s.room)]
}

// clear makes the slots from up to to, and empties them.
func (s *slots) clear(from, to int) {
	for i := from; i < to; i++ {
		if i-len(s.room) == len(s.more) {
			s.more = append(s.more, 0)
		}
		*s.at(i) = 0
	}
}
