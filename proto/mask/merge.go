package mask

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/lienthong/lienthong/proto/internal/wire"
)

// merge returns the message b with the parts of each message that must be whole put together, as decoding would:
// one after the other, in the place of the first. It is the slow way, for answers that no encoder makes.
func (n *node) merge(b []byte, depth int) ([]byte, error) {
	if depth > wire.MaxDepth {
		return nil, ErrDepth
	}
	parts, err := n.parts(b)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		num, typ, at := wire.Tag(b, i)
		body, next, err := extent(b, at, num, typ)
		if err != nil {
			return nil, err
		}
		f := n.field(uint64(num))
		start := i
		i = next
		if typ != f.typ || f.action != enter {
			out = append(out, b[start:next]...)
			continue
		}
		inner := b[body:next]
		if f.whole {
			all, first := parts[num]
			if !first {
				continue
			}
			inner = all
			delete(parts, num)
		}
		if inner, err = f.child.merge(inner, depth+f.levels); err != nil {
			return nil, err
		}
		out = protowire.AppendTag(out, protowire.Number(num), protowire.BytesType)
		out = protowire.AppendBytes(out, inner)
	}
	return out, nil
}

// parts returns all parts of each message in b that must be whole, one after the other.
func (n *node) parts(b []byte) (map[int32][]byte, error) {
	parts := map[int32][]byte{}
	for i := 0; i < len(b); {
		num, typ, at := wire.Tag(b, i)
		if at < 0 {
			return nil, ErrMalformed
		}
		body, next, err := extent(b, at, num, typ)
		if err != nil {
			return nil, err
		}
		if f := n.field(uint64(num)); f.whole && typ == f.typ {
			parts[num] = append(parts[num], b[body:next]...)
		}
		i = next
	}
	return parts, nil
}
