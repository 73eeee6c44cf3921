package mask_test

import (
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"pgregory.net/rapid"
)

// author writes messages on the wire as no encoder would: in any order and in parts, lists packed or not, with
// unknown fields and wrong wire types.
type author struct {
	t *rapid.T
	// choices is the member of each oneof that is used, so that no two clash; nil when they may.
	choices map[protoreflect.FullName]protoreflect.FieldNumber
}

func (a *author) int(name string, limit int) int { return rapid.IntRange(0, limit-1).Draw(a.t, name) }

// message writes a message of type md, with depth more levels inside.
func (a *author) message(md protoreflect.MessageDescriptor, depth int) []byte {
	var b []byte
	for range a.int("fields", 7) {
		if md.Fields().Len() == 0 || a.int("what", 10) == 0 {
			b = a.stray(b, protowire.Number(1+a.int("number", 70)), md)
			continue
		}
		fd := md.Fields().Get(a.int("field", md.Fields().Len()))
		if !a.chosen(fd) {
			continue
		}
		if a.int("wrong", 12) == 0 {
			b = a.stray(b, fd.Number(), md)
			continue
		}
		b = a.field(b, fd, depth)
	}
	return b
}

// chosen reports whether fd may be written beside the other members of its oneof.
func (a *author) chosen(fd protoreflect.FieldDescriptor) bool {
	od := fd.ContainingOneof()
	if od == nil || od.IsSynthetic() || a.choices == nil {
		return true
	}
	if a.choices[od.FullName()] == 0 {
		a.choices[od.FullName()] = fd.Number()
	}
	return a.choices[od.FullName()] == fd.Number()
}

// stray writes the field num in any wire type that is not md's for it.
func (a *author) stray(b []byte, num protowire.Number, md protoreflect.MessageDescriptor) []byte {
	typ := protowire.Type(a.int("type", 6))
	if fd := md.Fields().ByNumber(num); typ == protowire.EndGroupType || fd != nil && (typ == wireType(fd) || typ == protowire.BytesType) {
		return b
	}
	b = protowire.AppendTag(b, num, typ)
	switch typ {
	case protowire.VarintType:
		return protowire.AppendVarint(b, rapid.Uint64().Draw(a.t, "stray"))
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(b, 0xdeadbeef)
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(b, 0xdeadbeef)
	case protowire.BytesType:
		return protowire.AppendString(b, "stray")
	}
	return protowire.AppendTag(protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), 7), num, protowire.EndGroupType)
}

func (a *author) field(b []byte, fd protoreflect.FieldDescriptor, depth int) []byte {
	switch {
	case fd.IsMap():
		var entry []byte
		for range a.int("entry", 4) {
			if a.int("key", 2) == 0 {
				entry = a.single(entry, fd.MapKey(), depth)
			} else {
				entry = a.single(entry, fd.MapValue(), depth)
			}
		}
		return protowire.AppendBytes(protowire.AppendTag(b, fd.Number(), protowire.BytesType), entry)
	case fd.IsList() && wireType(fd) != protowire.BytesType && a.int("packed", 2) == 0:
		var list []byte
		for range a.int("length", 5) {
			list = a.scalar(list, fd)
		}
		return protowire.AppendBytes(protowire.AppendTag(b, fd.Number(), protowire.BytesType), list)
	}
	return a.single(b, fd, depth)
}

func (a *author) single(b []byte, fd protoreflect.FieldDescriptor, depth int) []byte {
	if fd.Message() == nil {
		return a.scalar(protowire.AppendTag(b, fd.Number(), wireType(fd)), fd)
	}
	var inner []byte
	if depth > 0 {
		inner = a.message(fd.Message(), depth-1)
	}
	return protowire.AppendBytes(protowire.AppendTag(b, fd.Number(), protowire.BytesType), inner)
}

func (a *author) scalar(b []byte, fd protoreflect.FieldDescriptor) []byte {
	switch wireType(fd) {
	case protowire.VarintType:
		v := rapid.SampledFrom([]uint64{0, 1, 2, 3, 127, 128, 300, math.MaxInt32, math.MaxUint64}).Draw(a.t, "varint")
		return protowire.AppendVarint(b, v)
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(b, uint32(a.int("fixed", 3)))
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(b, uint64(a.int("fixed", 3)))
	}
	return protowire.AppendString(b, rapid.SampledFrom([]string{
		"", "a", "Nguyễn Thị Hoà", "a longer text, so that lengths around it cross the border between one byte and two when it is dropped",
	}).Draw(a.t, "text"))
}

// types makes message types with every kind of field, which may hold one another and themselves.
func types(t *rapid.T) protoreflect.MessageDescriptor {
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("random.proto"), Package: proto.String("random"), Syntax: proto.String("proto3"),
		EnumType: []*descriptorpb.EnumDescriptorProto{{Name: proto.String("E"), Value: []*descriptorpb.EnumValueDescriptorProto{
			{Name: proto.String("E0"), Number: proto.Int32(0)}, {Name: proto.String("E5"), Number: proto.Int32(5)},
		}}},
	}
	n := rapid.IntRange(1, 4).Draw(t, "messages")
	for i := range n {
		file.MessageType = append(file.MessageType, messageType(t, fmt.Sprintf("M%d", i), n))
	}
	fd, err := protodesc.NewFile(file, nil)
	if err != nil {
		t.Fatalf("random descriptor: %v", err)
	}
	return fd.Messages().Get(0)
}

func messageType(t *rapid.T, name string, messages int) *descriptorpb.DescriptorProto {
	m := &descriptorpb.DescriptorProto{Name: proto.String(name)}
	numbers := rapid.SliceOfNDistinct(rapid.OneOf(rapid.Int32Range(1, 70), rapid.SampledFrom([]int32{255, 256, 5000, 1<<29 - 1})), 0, 9, rapid.ID).Draw(t, "numbers")
	oneof := rapid.Bool().Draw(t, "oneof")
	if oneof {
		m.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("o")}}
	}
	for i, number := range numbers {
		f := fieldType(t, fmt.Sprintf("f%d", i), number, messages)
		m.Field = append(m.Field, f)
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0:
			f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		case 1:
			if oneof {
				f.OneofIndex = proto.Int32(0)
			}
		case 2:
			key := rapid.SampledFrom([]descriptorpb.FieldDescriptorProto_Type{
				descriptorpb.FieldDescriptorProto_TYPE_STRING, descriptorpb.FieldDescriptorProto_TYPE_BOOL, descriptorpb.FieldDescriptorProto_TYPE_SFIXED64,
			}).Draw(t, "key")
			m.NestedType = append(m.NestedType, asMap(f, name, key))
		}
	}
	if oneof {
		// A oneof's members are declared together, and it has at least one.
		slices.SortStableFunc(m.Field, func(a, b *descriptorpb.FieldDescriptorProto) int { return members(a) - members(b) })
		if len(m.Field) == 0 || members(m.Field[len(m.Field)-1]) == 0 {
			m.OneofDecl = nil
		}
	}
	return m
}

// members returns 1 for a member of a oneof, else 0.
func members(f *descriptorpb.FieldDescriptorProto) int {
	if f.OneofIndex != nil {
		return 1
	}
	return 0
}

// asMap makes f a map with f's type as the type of its values, and returns its entry.
func asMap(f *descriptorpb.FieldDescriptorProto, owner string, key descriptorpb.FieldDescriptorProto_Type) *descriptorpb.DescriptorProto {
	value := proto.CloneOf(f)
	value.Name, value.Number = proto.String("value"), proto.Int32(2)
	entry := &descriptorpb.DescriptorProto{
		Name:    proto.String("F" + f.GetName()[1:] + "Entry"),
		Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
		Field: []*descriptorpb.FieldDescriptorProto{
			{Name: proto.String("key"), Number: proto.Int32(1), Type: key.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}, value,
		},
	}
	f.Type, f.TypeName = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), proto.String(".random."+owner+"."+entry.GetName())
	f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	return entry
}

func fieldType(t *rapid.T, name string, number int32, messages int) *descriptorpb.FieldDescriptorProto {
	f := &descriptorpb.FieldDescriptorProto{
		Name: proto.String(name), Number: proto.Int32(number), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
	}
	kind := descriptorpb.FieldDescriptorProto_Type(rapid.IntRange(1, 24).Draw(t, "kind"))
	switch {
	case kind == descriptorpb.FieldDescriptorProto_TYPE_ENUM:
		f.TypeName = proto.String(".random.E")
	case kind > 18 || kind == descriptorpb.FieldDescriptorProto_TYPE_GROUP || kind == descriptorpb.FieldDescriptorProto_TYPE_MESSAGE:
		kind = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
		f.TypeName = proto.String(fmt.Sprintf(".random.M%d", rapid.IntRange(0, messages-1).Draw(t, "type")))
	}
	f.Type = kind.Enum()
	return f
}
