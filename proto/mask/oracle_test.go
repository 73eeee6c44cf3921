package mask_test

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/proto/contract"
)

// selection is a set of leaf paths, as a mask should have it.
type selection struct {
	leaves map[string]bool
	inner  map[string]bool // every message path on the way to a leaf
}

func selected(md protoreflect.MessageDescriptor, leaves []string) selection {
	s := selection{leaves: map[string]bool{}, inner: map[string]bool{}}
	if contract.ResultField(md) != nil {
		leaves = append(slices.Clone(leaves), "result.code", "result.next")
	}
	for _, l := range leaves {
		s.leaves[l] = true
		for i, c := range l {
			if c == '.' {
				s.inner[l[:i]] = true
			}
		}
	}
	return s
}

// clear clears all fields that are not selected, and all unknown ones: what a mask must be equal to.
func (s selection) clear(m protoreflect.Message, prefix string) {
	m.SetUnknown(nil)
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		path := prefix + string(fd.Name())
		leaf := contract.Inner(fd) == nil
		switch {
		case leaf && !s.leaves[path], !leaf && !s.inner[path]:
			m.Clear(fd)
		case leaf:
			each(fd, v, func(m protoreflect.Message) { m.SetUnknown(nil) })
		default:
			each(fd, v, func(m protoreflect.Message) { s.clear(m, path+".") })
		}
		return true
	})
}

// each calls f with every message that a field holds.
func each(fd protoreflect.FieldDescriptor, v protoreflect.Value, f func(protoreflect.Message)) {
	switch {
	case fd.IsMap():
		if fd.MapValue().Message() == nil {
			return
		}
		v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
			f(v.Message())
			return true
		})
	case fd.Message() == nil:
	case fd.IsList():
		for i := range v.List().Len() {
			f(v.List().Get(i).Message())
		}
	default:
		f(v.Message())
	}
}

// clash reports whether, once the parts of a message are merged, two members of one oneof are on the wire in a
// message that a mask looks into.
func (s selection) clash(md protoreflect.MessageDescriptor, wire []byte, prefix string) bool {
	member := map[protoreflect.Name]protoreflect.FieldNumber{}
	whole := map[protoreflect.FieldNumber][]byte{}
	for len(wire) > 0 {
		num, typ, n := protowire.ConsumeTag(wire)
		size := protowire.ConsumeFieldValue(num, typ, wire[n:])
		if n < 0 || size < 0 {
			return false
		}
		value := wire[n : n+size]
		wire = wire[n+size:]
		fd := md.Fields().ByNumber(num)
		if fd == nil || typ != wireType(fd) {
			continue
		}
		if od := fd.ContainingOneof(); od != nil && !od.IsSynthetic() {
			if was := member[od.Name()]; was != 0 && was != num {
				return true
			}
			member[od.Name()] = num
		}
		if typ != protowire.BytesType || fd.Message() == nil {
			continue
		}
		body, _ := protowire.ConsumeBytes(value)
		if fd.IsList() || fd.IsMap() {
			if s.clashIn(fd, body, prefix) {
				return true
			}
			continue
		}
		whole[num] = append(whole[num], body...)
	}
	for num, body := range whole {
		if s.clashIn(md.Fields().ByNumber(num), body, prefix) {
			return true
		}
	}
	return false
}

// clashIn is clash for what a field holds.
func (s selection) clashIn(fd protoreflect.FieldDescriptor, body []byte, prefix string) bool {
	inner := contract.Inner(fd)
	switch path := prefix + string(fd.Name()); {
	case inner == nil, !s.inner[path]:
		return false
	case fd.IsMap():
		return s.clash(inner, mapValue(body), path+".")
	default:
		return s.clash(inner, body, path+".")
	}
}

// mapValue returns the value in a map's entry, its parts put together.
func mapValue(entry []byte) []byte {
	var value []byte
	for len(entry) > 0 {
		num, typ, n := protowire.ConsumeField(entry)
		if n < 0 {
			return nil
		}
		if num == 2 && typ == protowire.BytesType {
			_, _, t := protowire.ConsumeTag(entry)
			part, _ := protowire.ConsumeBytes(entry[t:])
			value = append(value, part...)
		}
		entry = entry[n:]
	}
	return value
}

func wireType(fd protoreflect.FieldDescriptor) protowire.Type {
	switch fd.Kind() {
	case protoreflect.BoolKind, protoreflect.EnumKind, protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Uint32Kind,
		protoreflect.Uint64Kind, protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return protowire.VarintType
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.GroupKind:
		return protowire.StartGroupType
	}
	return protowire.BytesType
}

// paths lists leaf paths to a depth, types inside themselves included.
func paths(md protoreflect.MessageDescriptor, depth int) []string {
	var out []string
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		inner := contract.Inner(fd)
		if inner == nil {
			out = append(out, string(fd.Name()))
			continue
		}
		if depth == 0 {
			continue
		}
		for _, p := range paths(inner, depth-1) {
			out = append(out, strings.Join([]string{string(fd.Name()), p}, "."))
		}
	}
	return out
}
