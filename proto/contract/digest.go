package contract

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// digestDomain begins every digest's input; it changes when what a digest covers does.
const digestDomain = "lienthong contract 1"

// Digest returns the SHA-256 of what the service's contract means: its methods with their policy, every message
// and enum they reach, every field's number, name, shape, class and subject labels. It does not depend on how the
// descriptor was made, on the order of declarations or files, nor on titles, examples and comments, which may be
// mended without a new contract.
func Digest(sd protoreflect.ServiceDescriptor) [32]byte {
	d := digester{h: sha256.New()}
	d.text(digestDomain)
	d.service(sd)
	var reached []protoreflect.MessageDescriptor
	for i := range sd.Methods().Len() {
		reached = append(reached, sd.Methods().Get(i).Input(), sd.Methods().Get(i).Output())
	}
	reached = reach(reached...)
	slices.SortFunc(reached, byName)
	enums := map[protoreflect.FullName]protoreflect.EnumDescriptor{}
	d.count(len(reached))
	for _, md := range reached {
		d.message(md, enums)
	}
	d.enums(enums)
	return [32]byte(d.h.Sum(nil))
}

func byName[D protoreflect.Descriptor](a, b D) int { return cmp.Compare(a.FullName(), b.FullName()) }

// digester writes to a hash such that different contracts write different bytes: everything of variable length
// goes behind its length.
type digester struct {
	h hash.Hash
}

func (d *digester) count(n int) { d.number(int64(n)) }

func (d *digester) number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	d.h.Write(b[:])
}

func (d *digester) text(s string) {
	d.count(len(s))
	d.h.Write([]byte(s))
}

func (d *digester) flags(set ...bool) {
	for _, f := range set {
		if f {
			d.number(1)
		} else {
			d.number(0)
		}
	}
}

func (d *digester) service(sd protoreflect.ServiceDescriptor) {
	d.text(string(sd.FullName()))
	methods := make([]protoreflect.MethodDescriptor, sd.Methods().Len())
	for i := range methods {
		methods[i] = sd.Methods().Get(i)
	}
	slices.SortFunc(methods, byName)
	d.count(len(methods))
	for _, md := range methods {
		d.text(string(md.Name()))
		d.text(string(md.Input().FullName()))
		d.text(string(md.Output().FullName()))
		d.flags(md.IsStreamingClient(), md.IsStreamingServer())
		p := Method(md)
		d.flags(p != nil)
		d.number(int64(p.GetEffect()))
		d.text(p.GetIdempotencyKey())
		d.text(p.GetJurisdiction())
		d.number(p.GetDeadline().GetSeconds())
		d.number(int64(p.GetDeadline().GetNanos()))
		d.flags(p.GetOfficerRequired(), p.GetCaseRequired())
	}
}

// message writes a message's fields by number, and notes the enums it meets.
func (d *digester) message(md protoreflect.MessageDescriptor, enums map[protoreflect.FullName]protoreflect.EnumDescriptor) {
	d.text(string(md.FullName()))
	fields := make([]protoreflect.FieldDescriptor, md.Fields().Len())
	for i := range fields {
		fields[i] = md.Fields().Get(i)
	}
	slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return cmp.Compare(a.Number(), b.Number()) })
	d.count(len(fields))
	for _, fd := range fields {
		d.field(fd, enums)
		p := Field(fd)
		d.flags(p != nil)
		d.number(int64(p.GetClass()))
		d.number(int64(p.GetSubject()))
		d.number(int64(p.GetSubjectKey()))
	}
}

// field writes a field's shape; for a map that of its keys and values too.
func (d *digester) field(fd protoreflect.FieldDescriptor, enums map[protoreflect.FullName]protoreflect.EnumDescriptor) {
	d.number(int64(fd.Number()))
	d.text(string(fd.Name()))
	d.number(int64(fd.Kind()))
	d.number(int64(fd.Cardinality()))
	d.flags(fd.HasPresence(), fd.IsMap(), real(fd.ContainingOneof()))
	if od := fd.ContainingOneof(); real(od) {
		d.text(string(od.Name()))
	}
	if fd.IsMap() {
		d.field(fd.MapKey(), enums)
		d.field(fd.MapValue(), enums)
		return
	}
	switch {
	case fd.Message() != nil:
		d.text(string(fd.Message().FullName()))
	case fd.Enum() != nil:
		d.text(string(fd.Enum().FullName()))
		enums[fd.Enum().FullName()] = fd.Enum()
	default:
		d.text("")
	}
}

// enums writes every enum's values by number and name.
func (d *digester) enums(enums map[protoreflect.FullName]protoreflect.EnumDescriptor) {
	sorted := make([]protoreflect.EnumDescriptor, 0, len(enums))
	for _, ed := range enums {
		sorted = append(sorted, ed)
	}
	slices.SortFunc(sorted, byName)
	d.count(len(sorted))
	for _, ed := range sorted {
		d.text(string(ed.FullName()))
		d.flags(ed.IsClosed())
		values := make([]protoreflect.EnumValueDescriptor, ed.Values().Len())
		for i := range values {
			values[i] = ed.Values().Get(i)
		}
		slices.SortFunc(values, func(a, b protoreflect.EnumValueDescriptor) int {
			return cmp.Or(cmp.Compare(a.Number(), b.Number()), cmp.Compare(a.Name(), b.Name()))
		})
		d.count(len(values))
		for _, v := range values {
			d.number(int64(v.Number()))
			d.text(string(v.Name()))
		}
	}
}
