package mask

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/proto/contract"
	"github.com/lienthong/lienthong/proto/internal/wire"
)

// What can be wrong with a mask. The error that wraps one of them names the field.
var (
	// ErrUnknown says that the message has no such field.
	ErrUnknown = errors.New("no such field")
	// ErrNotLeaf says that the path leads to a message; contract.Expand turns it into leaves.
	ErrNotLeaf = errors.New("not a leaf")
	// ErrShape says that the field is a group, is required or has a closed enum, which no published contract has.
	ErrShape = errors.New("a group, a required field or a closed enum cannot be masked")
)

// branch is a message of which something may pass, before it becomes a node.
type branch struct {
	md   protoreflect.MessageDescriptor
	kids map[protoreflect.FieldNumber]*branch // nil for a leaf that is no message
}

// Compile returns the mask that lets the leaves of md pass, by proto names joined by dots, and the answer's own
// `result` whether it is named or not. Lists and maps add no step to a path; a map's keys pass with its values.
// It fails with ErrUnknown, ErrNotLeaf, ErrShape or ErrDepth.
func Compile(md protoreflect.MessageDescriptor, leaves []string) (*Mask, error) {
	root := newBranch(md)
	for _, path := range leaves {
		if err := root.add(path); err != nil {
			return nil, fmt.Errorf("field %q of %s: %w", path, md.FullName(), err)
		}
	}
	if fd := contract.ResultField(md); fd != nil {
		root.whole(fd)
	}
	c := compiler{gauges: newGauges()}
	n, err := c.node(root)
	if err != nil {
		return nil, err
	}
	return &Mask{root: n}, nil
}

func newBranch(md protoreflect.MessageDescriptor) *branch {
	return &branch{md: md, kids: map[protoreflect.FieldNumber]*branch{}}
}

// add lets the leaf at path pass.
func (b *branch) add(path string) error {
	steps := strings.Split(path, ".")
	if len(steps) > wire.MaxDepth+1 {
		return ErrDepth
	}
	for i, step := range steps {
		fd := b.md.Fields().ByName(protoreflect.Name(step))
		if fd == nil {
			return ErrUnknown
		}
		inner := contract.Inner(fd)
		if last := i == len(steps)-1; last {
			if inner != nil {
				return ErrNotLeaf
			}
			b.whole(fd)
			return nil
		}
		if inner == nil {
			return ErrUnknown
		}
		kid := b.kids[fd.Number()]
		if kid == nil {
			kid = newBranch(inner)
			b.kids[fd.Number()] = kid
		}
		b = kid
	}
	return nil
}

// whole lets a leaf pass. One that is a message, such as a Timestamp, passes with its own scalar fields.
func (b *branch) whole(fd protoreflect.FieldDescriptor) {
	md := held(fd)
	if md == nil {
		b.kids[fd.Number()] = nil
		return
	}
	kid := newBranch(md)
	for i := range md.Fields().Len() {
		if inner := md.Fields().Get(i); held(inner) == nil {
			kid.kids[inner.Number()] = nil
		}
	}
	b.kids[fd.Number()] = kid
}

// held returns the message type of a field or of a map's values, or nil.
func held(fd protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	if fd.IsMap() {
		fd = fd.MapValue()
	}
	return fd.Message()
}

// compiler turns branches into nodes.
type compiler struct {
	gauges gauges
}

// node returns what to do with each field of a branch's message.
func (c *compiler) node(b *branch) (*node, error) {
	n := new(node)
	oneofs := map[protoreflect.Name]int{} // slot of each
	for i := range b.md.Fields().Len() {
		fd := b.md.Fields().Get(i)
		f, err := c.field(b, fd)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", fd.FullName(), err)
		}
		if od := fd.ContainingOneof(); od != nil && !od.IsSynthetic() {
			if oneofs[od.Name()] == 0 {
				n.slots++
				oneofs[od.Name()] = n.slots
			}
			f.slot = oneofs[od.Name()]
		}
		n.place(fd, f)
	}
	return n, nil
}

// field returns what to do with one field.
func (c *compiler) field(b *branch, fd protoreflect.FieldDescriptor) (field, error) {
	kid, passes := b.kids[fd.Number()]
	if fd.IsMap() {
		return c.entry(fd, kid, passes)
	}
	f := field{typ: wireType(fd.Kind()), levels: 1}
	if fd.Cardinality() == protoreflect.Required {
		return f, ErrShape
	}
	if !passes {
		return c.dropped(f, fd), nil
	}
	if fd.Kind() == protoreflect.GroupKind || fd.Enum() != nil && fd.Enum().IsClosed() {
		return f, ErrShape
	}
	switch {
	case kid != nil:
		child, err := c.node(kid)
		f.action, f.child = enter, child
		return f, err
	case fd.Kind() == protoreflect.StringKind:
		f.action = passText
	case fd.IsList() && f.typ != wire.Bytes:
		f.action = passList
	default:
		f.action = pass1
	}
	return f, nil
}

// entry returns what to do with a map: its entries are messages of two fields, of which the key passes with the entry.
func (c *compiler) entry(fd protoreflect.FieldDescriptor, kid *branch, passes bool) (field, error) {
	f := field{typ: wire.Bytes}
	if !passes {
		return c.dropped(f, fd), nil
	}
	b := newBranch(fd.Message())
	b.kids[fd.MapKey().Number()] = nil
	b.kids[fd.MapValue().Number()] = kid
	child, err := c.node(b)
	f.action, f.child = enter, child
	return f, err
}

// dropped returns what to do with a field that does not pass.
func (c *compiler) dropped(f field, fd protoreflect.FieldDescriptor) field {
	if f.typ != wire.Bytes {
		return f
	}
	if f.gauge = c.gauges.of(fd.Message()); f.gauge != nil {
		f.action = measure
	}
	return f
}

// wireType returns the wire type of a single value of the kind.
func wireType(k protoreflect.Kind) wire.Type {
	switch k {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return wire.Fixed32
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return wire.Fixed64
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return wire.Bytes
	case protoreflect.GroupKind:
		return wire.StartGroup
	}
	return wire.Varint
}
