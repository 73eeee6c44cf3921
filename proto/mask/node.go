package mask

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/proto/internal/wire"
)

// denseNumbers is how far a node's table reaches; fields with greater numbers are looked up in a map.
const denseNumbers = 256

// node is what to do with each field of one message at one place in the mask.
type node struct {
	dense  []field // by field number
	sparse map[uint64]*field
	slots  int  // how many slots the fields use
	oneofs bool // the message or one that passes inside it has a oneof
}

// field is what to do with one field.
type field struct {
	action action
	typ    wire.Type // the wire type of a single value; what comes in another is dropped
	whole  bool      // a message that must come in one part, because it holds a oneof
	slot   int       // 1 + index among the node's slots: a oneof, or a message that must be whole; 0 is none
	levels int       // what the field adds to the depth: 1, or 0 for a map, whose entries are no level
	child  *node     // what to do inside, when the action is enter
	gauge  *gauge    // how to measure, when the action is measure
}

// action is what is done with a field's value.
type action uint8

const (
	drop     action = iota // leave it out
	pass1                  // keep it as it is
	passList               // keep it as it is, packed or not
	passText               // keep it if it is UTF-8
	enter                  // keep it, and cut what is inside
	measure                // leave it out, but look how deep it is
)

// noType is a wire type that no field comes in.
const noType wire.Type = 0xff

// unknown is what to do with a field that the message type does not have.
var unknown = field{action: drop, typ: noType}

// field returns what to do with the field num.
func (n *node) field(num uint64) *field {
	if num < uint64(len(n.dense)) {
		return &n.dense[num]
	}
	if f := n.sparse[num]; f != nil {
		return f
	}
	return &unknown
}

// place puts f in the node's tables.
func (n *node) place(fd protoreflect.FieldDescriptor, f field) {
	holds := f.child != nil && f.child.oneofs
	n.oneofs = n.oneofs || holds || f.slot > 0
	single := fd.Cardinality() != protoreflect.Repeated
	if f.whole = holds && single; f.whole && f.slot == 0 {
		n.slots++
		f.slot = n.slots
	}
	num := uint64(fd.Number())
	if num >= denseNumbers {
		if n.sparse == nil {
			n.sparse = map[uint64]*field{}
		}
		n.sparse[num] = &f
		return
	}
	for uint64(len(n.dense)) <= num {
		n.dense = append(n.dense, unknown)
	}
	n.dense[num] = f
}
