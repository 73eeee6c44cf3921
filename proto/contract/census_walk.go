package contract

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/internal/wire"
)

// censusNode is what a census looks for in one type of message.
type censusNode struct {
	dense  []censusField // by field number, as far as denseNumbers
	sparse map[int32]censusField
}

// denseNumbers is how far a node's table reaches.
const denseNumbers = 64

// set says what to look for in the field num.
func (n *censusNode) set(num int32, f censusField) {
	switch {
	case f.subject == 0 && !f.result && f.child == nil:
	case num < denseNumbers:
		for int32(len(n.dense)) <= num {
			n.dense = append(n.dense, censusField{})
		}
		n.dense[num] = f
	default:
		if n.sparse == nil {
			n.sparse = map[int32]censusField{}
		}
		n.sparse[num] = f
	}
}

// field returns what to look for in the field num.
func (n *censusNode) field(num int32) censusField {
	if int(num) < len(n.dense) {
		return n.dense[num]
	}
	return n.sparse[num]
}

// censusField is what a census looks for in one field. The zero value is of no interest.
type censusField struct {
	subject hubv1.Subject // the field's value is a number of this kind
	result  bool          // the field is a hub.v1.Result
	child   *censusNode   // the field's value is a message to look into
	many    bool          // the field is a list or a map
	entry   bool          // the child is a map's entry: no level of its own
}

// CompileCensus prepares the census of messages of one type.
func CompileCensus(md protoreflect.MessageDescriptor) *Census {
	c := censusCompiler{
		relevant: relevant(md),
		nodes:    map[protoreflect.FullName]*censusNode{},
	}
	return &Census{root: c.node(md), result: resultOf(md)}
}

// censusCompiler makes one node for each type of message, so types may contain themselves.
type censusCompiler struct {
	relevant map[protoreflect.FullName]bool
	nodes    map[protoreflect.FullName]*censusNode
}

// node returns what to look for in a message of type md, nil when nothing.
func (c *censusCompiler) node(md protoreflect.MessageDescriptor) *censusNode {
	if md == nil || !c.relevant[md.FullName()] {
		return nil
	}
	if n := c.nodes[md.FullName()]; n != nil {
		return n
	}
	n := new(censusNode)
	c.nodes[md.FullName()] = n
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		n.set(int32(fd.Number()), c.field(fd, Field(fd)))
	}
	return n
}

// field returns what to look for in a field.
func (c *censusCompiler) field(fd protoreflect.FieldDescriptor, p *hubv1.FieldPolicy) censusField {
	f := censusField{many: fd.Cardinality() == protoreflect.Repeated}
	switch {
	case fd.IsMap():
		entry := new(censusNode)
		entry.set(1, censusField{subject: subjectOf(fd.MapKey(), p.GetSubjectKey())})
		entry.set(2, c.field(fd.MapValue(), p))
		if len(entry.dense) > 0 {
			f.child, f.entry = entry, true
		}
	case fd.Message() == nil:
		f.subject = subjectOf(fd, p.GetSubject())
	case fd.Message().FullName() == resultName:
		f.result = true
	default:
		f.child = c.node(fd.Message())
	}
	return f
}

// subjectOf returns the kind of number in fd, which can only be text.
func subjectOf(fd protoreflect.FieldDescriptor, kind hubv1.Subject) hubv1.Subject {
	if fd.Kind() != protoreflect.StringKind {
		return 0
	}
	return kind
}

// relevant returns the types reachable from md in which, at any depth, there is something to count.
func relevant(md protoreflect.MessageDescriptor) map[protoreflect.FullName]bool {
	holders := map[protoreflect.FullName][]protoreflect.FullName{} // which types hold a type
	found := map[protoreflect.FullName]bool{}
	var mark func(protoreflect.FullName)
	mark = func(name protoreflect.FullName) {
		if found[name] {
			return
		}
		found[name] = true
		for _, h := range holders[name] {
			mark(h)
		}
	}
	reached := reach(md)
	for _, m := range reached {
		for i := range m.Fields().Len() {
			if inner := valueMessage(m.Fields().Get(i)); inner != nil {
				holders[inner.FullName()] = append(holders[inner.FullName()], m.FullName())
			}
		}
	}
	for _, m := range reached {
		for i := range m.Fields().Len() {
			fd := m.Fields().Get(i)
			p := Field(fd)
			inner := valueMessage(fd)
			if p.GetSubject() != 0 || p.GetSubjectKey() != 0 || inner != nil && inner.FullName() == resultName {
				mark(m.FullName())
			}
		}
	}
	return found
}

// valueMessage returns the message type of a field or of a map's values, or nil.
func valueMessage(fd protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	if fd.IsMap() {
		return fd.MapValue().Message()
	}
	return fd.Message()
}

// reach returns md and every message type it can hold, each once, map entries left out.
func reach(mds ...protoreflect.MessageDescriptor) []protoreflect.MessageDescriptor {
	seen := map[protoreflect.FullName]bool{}
	var out []protoreflect.MessageDescriptor
	for len(mds) > 0 {
		md := mds[len(mds)-1]
		mds = mds[:len(mds)-1]
		if seen[md.FullName()] {
			continue
		}
		seen[md.FullName()] = true
		out = append(out, md)
		for i := range md.Fields().Len() {
			if inner := valueMessage(md.Fields().Get(i)); inner != nil {
				mds = append(mds, inner)
			}
		}
	}
	return out
}

// censusWalk is one count under way.
type censusWalk struct {
	tally                  *Tally
	items, matched, missed int // results of items
}

// message looks through b, which lies depth messages deep, inside a list or map or not.
func (w *censusWalk) message(n *censusNode, b []byte, depth int, item bool) error {
	if depth > wire.MaxDepth {
		return ErrDepth
	}
	for i := 0; i < len(b); {
		num, typ, at := wire.Tag(b, i)
		if at < 0 {
			return ErrMalformed
		}
		next, err := wire.Skip(b, at, num, typ)
		if err != nil {
			return err
		}
		i = next
		if typ != wire.Bytes {
			continue
		}
		f := n.field(num)
		if f == (censusField{}) {
			continue
		}
		body, end := wire.Length(b, at)
		if err := w.field(f, b[body:end], depth, item || f.many); err != nil {
			return err
		}
	}
	return nil
}

// field takes what is in a field's value.
func (w *censusWalk) field(f censusField, b []byte, depth int, item bool) error {
	switch {
	case f.subject != 0:
		return w.tally.add(f.subject, b)
	case f.child != nil && f.entry:
		return w.message(f.child, b, depth, item)
	case f.child != nil:
		return w.message(f.child, b, depth+1, item)
	case f.result && item:
		var found found
		if err := found.merge(b); err != nil {
			return err
		}
		w.items++
		w.count(found.code)
	}
	return nil
}

// count takes one result. An unset code is taken as found, as the connector will say.
func (w *censusWalk) count(code hubv1.Result_Code) {
	switch code {
	case hubv1.Result_MISSING:
	case hubv1.Result_NO_MATCH:
		w.missed++
	default:
		w.matched++
	}
}
