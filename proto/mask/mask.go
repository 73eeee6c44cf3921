// Package mask cuts a message on the wire down to the fields that may pass, without decoding it into Go types.
//
// Invariants, for every input:
//   - What Append adds holds no field outside the mask, no unknown field and no value in a wrong wire type.
//   - It decodes, and to the same as decoding the whole, clearing all other fields and encoding again.
//   - An answer that cannot be cut safely is refused whole: on an error nothing is added.
//
// What is dropped is skipped unread, with two exceptions: members of a oneof are counted, and types that can contain
// themselves are measured for depth.
//
// What does not belong here: which fields may pass (packages agreement and contract say so).
package mask

import (
	"errors"
	"slices"

	"github.com/lienthong/lienthong/proto/internal/wire"
)

// Why an answer is refused.
var (
	// ErrMalformed says that the bytes are no message: cut off, a bad varint, tag, group or packed list, or text
	// that is not UTF-8.
	ErrMalformed = wire.ErrMalformed
	// ErrDepth says that messages or groups are nested deeper than 32.
	ErrDepth = wire.ErrDepth
	// ErrOneof says that two members of one oneof are on the wire, so that it depends on the reader which counts.
	ErrOneof = errors.New("two members of one oneof")
)

// Mask is the set of fields of one message type that may pass. It is made by Compile, never changes, and is safe
// for concurrent use.
type Mask struct {
	root *node
}

// Append appends to dst the message, cut down to the mask, and returns the longer dst. It fails with ErrMalformed,
// ErrDepth or ErrOneof; then it returns dst as it was. It allocates nothing but room in dst, which must not
// overlap the message.
func (m *Mask) Append(dst, message []byte) ([]byte, error) {
	out, err := m.append(dst, message)
	if err != errRepeated {
		return out, err
	}
	// Decoding merges what is repeated, and a oneof may clash only then: merge first.
	merged, err := m.root.merge(message, 0)
	if err != nil {
		return dst, err
	}
	return m.append(dst, merged)
}

func (m *Mask) append(dst, message []byte) ([]byte, error) {
	w := walk{src: message, dst: slices.Grow(dst, len(message))}
	if err := w.message(m.root, 0, len(message), 0); err != nil {
		return dst, err
	}
	return append(w.dst, message[w.run:]...), nil
}
