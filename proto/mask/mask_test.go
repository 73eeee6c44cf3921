package mask_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	specimenv1 "github.com/lienthong/lienthong/proto/internal/specimen/v1"
	"github.com/lienthong/lienthong/proto/mask"
)

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	require.NoError(t, err)
	return b
}

func compile(t testing.TB, m proto.Message, leaves ...string) *mask.Mask {
	t.Helper()
	got, err := mask.Compile(m.ProtoReflect().Descriptor(), leaves)
	require.NoError(t, err)
	return got
}

func person(id string) *specimenv1.Person {
	return &specimenv1.Person{
		PersonalId: id, BirthDate: "1987-02-03", Religion: "none", Sex: hubv1.Sex_SEX_FEMALE,
		Name: &hubv1.PersonName{Family: "Nguyễn", Middle: "Thị", Given: "Hoà", Full: "Nguyễn Thị Hoà"},
	}
}

func TestOnlyFieldsOfTheMaskPass(t *testing.T) {
	type response = specimenv1.AskResponse
	found := &hubv1.Result{Code: hubv1.Result_FOUND, Next: hubv1.Result_USE_DATA}
	full := &hubv1.PersonName{Full: "Nguyễn Thị Hoà"}
	tests := map[string]struct {
		leaves   []string
		in, want *response
	}{
		"nothing named":   {nil, &response{Person: person("1"), Result: found}, &response{Result: found}},
		"a nested leaf":   {[]string{"person.name.full"}, &response{Person: person("1")}, &response{Person: &specimenv1.Person{Name: full}}},
		"a list's leaf":   {[]string{"items.person.sex"}, &response{Items: []*specimenv1.Item{{Person: person("1"), Result: found}, {}}}, &response{Items: []*specimenv1.Item{{Person: &specimenv1.Person{Sex: 2}}, {}}}},
		"a map's leaf":    {[]string{"by_id.birth_date"}, &response{ById: map[string]*specimenv1.Person{"k": person("1")}}, &response{ById: map[string]*specimenv1.Person{"k": {BirthDate: "1987-02-03"}}}},
		"a map of text":   {[]string{"insurance"}, &response{Insurance: map[int32]string{1: "a", 0: ""}}, &response{Insurance: map[int32]string{1: "a", 0: ""}}},
		"a list of text":  {[]string{"person.nicknames"}, &response{Person: &specimenv1.Person{Nicknames: []string{"a", ""}, CardNumber: "x"}}, &response{Person: &specimenv1.Person{Nicknames: []string{"a", ""}}}},
		"a packed list":   {[]string{"scalars.many_sint32"}, &response{Scalars: &specimenv1.Scalars{ManySint32: []int32{-1, 300}, OneBool: true}}, &response{Scalars: &specimenv1.Scalars{ManySint32: []int32{-1, 300}}}},
		"a loose list":    {[]string{"scalars.loose"}, &response{Scalars: &specimenv1.Scalars{Loose: []uint64{1, 2}}}, &response{Scalars: &specimenv1.Scalars{Loose: []uint64{1, 2}}}},
		"a set zero":      {[]string{"scalars.perhaps"}, &response{Scalars: &specimenv1.Scalars{Perhaps: proto.Int64(0)}}, &response{Scalars: &specimenv1.Scalars{Perhaps: proto.Int64(0)}}},
		"a oneof's leaf":  {[]string{"other.sex"}, &response{Meant: &specimenv1.AskResponse_Other{Other: person("1")}}, &response{Meant: &specimenv1.AskResponse_Other{Other: &specimenv1.Person{Sex: 2}}}},
		"another member":  {[]string{"other.sex"}, &response{Meant: &specimenv1.AskResponse_Word{Word: "w"}}, &response{}},
		"a time":          {[]string{"at"}, &response{At: &timestamppb.Timestamp{Seconds: 5, Nanos: 6}, Far: "x"}, &response{At: &timestamppb.Timestamp{Seconds: 5, Nanos: 6}}},
		"great numbers":   {[]string{"far", "distant.sex"}, &response{Far: "x", Distant: person("1")}, &response{Far: "x", Distant: &specimenv1.Person{Sex: 2}}},
		"inside itself":   {[]string{"tree.left.label"}, &response{Tree: &specimenv1.Tree{Label: "a", Left: &specimenv1.Tree{Label: "b", Left: &specimenv1.Tree{Label: "c"}}}}, &response{Tree: &specimenv1.Tree{Left: &specimenv1.Tree{Label: "b"}}}},
		"an empty parent": {[]string{"person.name.full"}, &response{Person: &specimenv1.Person{CardNumber: "x"}}, &response{Person: &specimenv1.Person{}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out, err := compile(t, tt.in, tt.leaves...).Append(nil, marshal(t, tt.in))
			require.NoError(t, err)
			got := new(response)
			require.NoError(t, proto.Unmarshal(out, got))
			require.True(t, proto.Equal(tt.want, got), "got %v", got)
		})
	}
}

func TestACanaryInAnyUnlistedFieldIsNotInTheOutput(t *testing.T) {
	all := paths(answer(), 2)
	in := new(specimenv1.AskResponse)
	canaries(in.ProtoReflect(), "", 2)
	wire := marshal(t, in)
	seen := 0
	for _, only := range all {
		out, err := compile(t, in, only).Append(nil, wire)
		require.NoError(t, err)
		for _, path := range all {
			if path != only {
				require.NotContains(t, string(out), "<"+path+">", "only %s is in the mask", only)
			}
		}
		if strings.Contains(string(wire), "<"+only+">") {
			seen++
			require.Contains(t, string(out), "<"+only+">")
		}
	}
	require.Greater(t, seen, 40)
}

// canaries fills every text field of a message with its own path.
func canaries(m protoreflect.Message, prefix string, depth int) {
	for i := range m.Descriptor().Fields().Len() {
		fd := m.Descriptor().Fields().Get(i)
		path := prefix + string(fd.Name())
		text := protoreflect.ValueOfString("<" + path + ">")
		switch {
		case fd.IsMap():
			key := fd.MapKey().Default().MapKey()
			if fd.MapValue().Kind() == protoreflect.StringKind {
				m.Mutable(fd).Map().Set(key, text)
			} else if fd.MapValue().Message() != nil && depth > 0 {
				canaries(m.Mutable(fd).Map().Mutable(key).Message(), path+".", depth-1)
			}
		case fd.Message() != nil && depth == 0:
		case fd.Message() != nil && fd.IsList():
			canaries(m.Mutable(fd).List().AppendMutable().Message(), path+".", depth-1)
		case fd.Message() != nil:
			canaries(m.Mutable(fd).Message(), path+".", depth-1)
		case fd.Kind() == protoreflect.StringKind && fd.IsList():
			m.Mutable(fd).List().Append(text)
		case fd.Kind() == protoreflect.StringKind:
			m.Set(fd, text)
		}
	}
}

func TestUnknownFieldsAndWrongWireTypesAreDropped(t *testing.T) {
	b := protowire.AppendString(protowire.AppendTag(nil, 4999, protowire.BytesType), "CANARY")
	b = protowire.AppendVarint(protowire.AppendTag(b, 5000, protowire.VarintType), 7)    // far is text
	b = protowire.AppendString(protowire.AppendTag(b, 5000, protowire.BytesType), "far") // and this is right
	b = protowire.AppendTag(b, 900, protowire.StartGroupType)
	b = protowire.AppendString(protowire.AppendTag(b, 5000, protowire.BytesType), "CANARY")
	b = protowire.AppendTag(b, 900, protowire.EndGroupType)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 2, protowire.Fixed64Type), 1) // person is a message
	out, err := compile(t, &specimenv1.AskResponse{}, "far", "person.sex").Append(nil, b)
	require.NoError(t, err)
	require.Equal(t, protowire.AppendString(protowire.AppendTag(nil, 5000, protowire.BytesType), "far"), out)
}

func TestAMessageThatPassesWholeIsCopiedByteForByte(t *testing.T) {
	in := &specimenv1.AskResponse{Person: person("1"), Result: &hubv1.Result{Code: 1}}
	m := compile(t, in, "person.personal_id", "person.birth_date", "person.religion", "person.sex", "person.name.family", "person.name.middle", "person.name.given", "person.name.full")
	wire := marshal(t, in)
	out, err := m.Append(nil, wire)
	require.NoError(t, err)
	require.Equal(t, wire, out)
}

func TestRefusedAnswersAddNothing(t *testing.T) {
	deep := func(levels int, field byte) []byte {
		var b []byte
		for range levels - 1 {
			b = protowire.AppendBytes([]byte{field<<3 | 2}, b)
		}
		return protowire.AppendBytes([]byte{7<<3 | 2}, b) // tree
	}
	named := func(levels int) []byte {
		var b []byte
		for range levels - 1 {
			b = protowire.AppendBytes([]byte{5<<3 | 2}, protowire.AppendBytes([]byte{2<<3 | 2}, b))
		}
		return protowire.AppendBytes([]byte{7<<3 | 2}, b)
	}
	groups := func(levels int) []byte {
		return append(bytes.Repeat([]byte{0x1b + 0x08}, levels), bytes.Repeat([]byte{0x1c + 0x08}, levels)...)
	}
	word, other := "\xa2\x01\x01w", "\xaa\x01\x00"
	tests := map[string]struct {
		wire string
		want error
	}{
		"two members of a oneof":              {word + other, mask.ErrOneof},
		"two members, neither in the mask":    {"\xba\x01\x06\x08\x01\x12\x02ab", mask.ErrOneof},
		"two members in two parts":            {"\xba\x01\x02\x08\x01" + "\xba\x01\x04\x12\x02ab", mask.ErrOneof},
		"two members in parts of parts":       {"\xba\x01\x04\x1a\x02\x08\x01" + "\xba\x01\x02\x1a\x00" + "\xba\x01\x06\x1a\x04\x12\x02ab", mask.ErrOneof},
		"two members in parts around them":    {"\xc2\x01\x04\x0a\x02\x08\x01" + "\xc2\x01\x06\x0a\x04\x12\x02ab", mask.ErrOneof},
		"nested too deep in a map":            {string(named(33)), mask.ErrDepth},
		"nested too deep where it passes not": {string(deep(33, 3)), mask.ErrDepth},
		"nested too deep in a list":           {string(deep(33, 4)), mask.ErrDepth},
		"groups nested too deep":              {string(groups(33)), mask.ErrDepth},
		"cut off in a tag":                    {"\xa2", mask.ErrMalformed},
		"cut off in a varint":                 {"\x08\x80", mask.ErrMalformed},
		"cut off in a length":                 {"\x12\x80", mask.ErrMalformed},
		"cut off in text":                     {"\x12\x05\x1a\x05abc", mask.ErrMalformed},
		"cut off after a tag":                 {"\x12", mask.ErrMalformed},
		"cut off in a fixed32":                {"\x0d\x01\x02", mask.ErrMalformed},
		"cut off in a fixed64":                {"\x09\x01\x02", mask.ErrMalformed},
		"cut off in a group":                  {"\x23\x08\x01", mask.ErrMalformed},
		"a length past the message it is in":  {"\x12\x02\x1a\x05abcde", mask.ErrMalformed},
		"text that is not UTF-8":              {"\x12\x04\x1a\x02\xff\xfe", mask.ErrMalformed},
		"text cut inside a character":         {"\x12\x03\x1a\x01\xe1", mask.ErrMalformed},
		"a varint of eleven bytes":            {"\x08" + strings.Repeat("\x80", 10) + "\x01", mask.ErrMalformed},
		"a varint over 64 bits":               {"\x08" + strings.Repeat("\xff", 9) + "\x02", mask.ErrMalformed},
		"field number 0":                      {"\x00\x01", mask.ErrMalformed},
		"field number too great":              {"\x80\x80\x80\x80\x10\x01", mask.ErrMalformed},
		"a stray end group":                   {"\x0c", mask.ErrMalformed},
		"another group's end":                 {"\x23\x1c", mask.ErrMalformed},
		"wire type 6":                         {"\x0e", mask.ErrMalformed},
		"wire type 7":                         {"\x0f", mask.ErrMalformed},
		"a packed list cut off":               {"\x32\x04\xfa\x01\x01\x80", mask.ErrMalformed},
		"a packed list of half a number":      {"\x32\x06\xaa\x02\x03\x01\x02\x03", mask.ErrMalformed},
		"a map's key that is not UTF-8":       {"\x22\x03\x0a\x01\xff", mask.ErrMalformed},
		"a length of 2^63":                    {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f", mask.ErrMalformed},
	}
	m := compile(t, &specimenv1.AskResponse{}, "word", "person.birth_date", "by_id.sex", "pick.number", "pick.again.number", "box.choice.number", "scalars.many_int32", "scalars.many_fixed32", "scalars.many_bool")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, wire := range []string{tt.wire, "\x12\x04\x1a\x02ab" + tt.wire} {
				out, err := m.Append([]byte("before"), []byte(wire))
				require.ErrorIs(t, err, tt.want)
				require.Equal(t, "before", string(out))
			}
		})
	}
	for _, wire := range [][]byte{deep(32, 3), deep(32, 4), named(32), groups(32), []byte(word), []byte(other)} {
		_, err := m.Append(nil, wire)
		require.NoError(t, err)
	}
}

func TestTheDeepestMessageThatCanBeNamedPasses(t *testing.T) {
	for _, step := range []string{"left.", "more.", "named."} {
		tree := &specimenv1.Tree{Label: "deep"}
		for range 31 {
			switch step {
			case "left.":
				tree = &specimenv1.Tree{Left: tree}
			case "more.":
				tree = &specimenv1.Tree{More: []*specimenv1.Tree{tree}}
			default:
				tree = &specimenv1.Tree{Named: map[string]*specimenv1.Tree{"k": tree}}
			}
		}
		in := &specimenv1.AskResponse{Tree: tree}
		out, err := compile(t, in, "tree."+strings.Repeat(step, 31)+"label").Append(nil, marshal(t, in))
		require.NoError(t, err)
		got := new(specimenv1.AskResponse)
		require.NoError(t, proto.Unmarshal(out, got))
		require.True(t, proto.Equal(in, got))
	}
}

func TestPartsOfOneMessageAreMerged(t *testing.T) {
	wire := "\xba\x01\x04\x22\x02n1" + "\xba\x01\x02\x08\x01" + "\xba\x01\x02\x08\x02" // a note, number 1, number 2
	out, err := compile(t, &specimenv1.AskResponse{}, "pick.number").Append(nil, []byte(wire))
	require.NoError(t, err)
	got := new(specimenv1.AskResponse)
	require.NoError(t, proto.Unmarshal(out, got))
	require.True(t, proto.Equal(&specimenv1.AskResponse{Pick: &specimenv1.Choice{Pick: &specimenv1.Choice_Number{Number: 2}}}, got))
}

// Slots of the first few messages are kept where nothing needs to be allocated, the rest elsewhere.
func TestManyOneofsInsideOneAnotherKeepApart(t *testing.T) {
	leaf := strings.Repeat("again.", 32) + "number"
	m, err := mask.Compile((*specimenv1.Choice)(nil).ProtoReflect().Descriptor(), []string{leaf, "name.full"})
	require.NoError(t, err)
	nest := func(b []byte) []byte {
		for range 32 {
			b = protowire.AppendBytes([]byte{0x1a}, b)
		}
		return b
	}
	_, err = m.Append(nil, nest([]byte{0x08, 1, 0x08, 2}))
	require.NoError(t, err)
	_, err = m.Append(nil, nest([]byte{0x08, 1, 0x12, 0}))
	require.ErrorIs(t, err, mask.ErrOneof)
}

// A chain of messages in two parts each must not take twice the time for each link.
func TestPartsWithinPartsAreMergedInBoundedTime(t *testing.T) {
	leaf := strings.Repeat("again.", 30) + "number"
	m, err := mask.Compile((*specimenv1.Choice)(nil).ProtoReflect().Descriptor(), []string{leaf})
	require.NoError(t, err)
	wire := []byte{0x08, 1}
	for range 30 {
		wire = append(protowire.AppendBytes([]byte{0x1a}, wire), 0x1a, 0)
	}
	out, err := m.Append(nil, wire)
	require.NoError(t, err)
	require.NoError(t, proto.Unmarshal(out, new(specimenv1.Choice)))
}

func TestAMaskCannotBeCompiledOfWhatIsNotALeaf(t *testing.T) {
	tests := map[string]error{
		"": mask.ErrUnknown, "nonesuch": mask.ErrUnknown, "person.nonesuch": mask.ErrUnknown, "word.x": mask.ErrUnknown,
		"at.seconds": mask.ErrUnknown, "by_id.value.sex": mask.ErrUnknown, "person.": mask.ErrUnknown,
		"person": mask.ErrNotLeaf, "by_id": mask.ErrNotLeaf, "result": mask.ErrNotLeaf,
		"tree." + strings.Repeat("left.", 32) + "label": mask.ErrDepth,
	}
	for path, want := range tests {
		_, err := mask.Compile(answer(), []string{"word", path})
		require.ErrorIs(t, err, want, path)
		require.ErrorContains(t, err, `"`+path+`"`)
	}
	_, err := mask.Compile(answer(), []string{"tree." + strings.Repeat("left.", 31) + "label"})
	require.NoError(t, err)
}

func TestShapesThatCannotBeMaskedAreRefused(t *testing.T) {
	tests := map[string]struct {
		path  string
		field *descriptorpb.FieldDescriptorProto
	}{
		"a group":          {"grp.ok", field(descriptorpb.FieldDescriptorProto_TYPE_GROUP, ".M.Grp")},
		"a closed enum":    {"grp", field(descriptorpb.FieldDescriptorProto_TYPE_ENUM, ".E")},
		"a required field": {"ok", field(descriptorpb.FieldDescriptorProto_TYPE_BOOL, "")},
	}
	tests["a required field"].field.Label = descriptorpb.FieldDescriptorProto_LABEL_REQUIRED.Enum()
	for name, tt := range tests {
		_, err := mask.Compile(proto2(t, tt.field), []string{tt.path})
		require.ErrorIs(t, err, mask.ErrShape, name)
	}
}

func TestAGroupThatContainsItselfIsDropped(t *testing.T) {
	m, err := mask.Compile(proto2(t, field(descriptorpb.FieldDescriptorProto_TYPE_GROUP, ".M.Grp")), []string{"ok"})
	require.NoError(t, err)
	out, err := m.Append(nil, []byte("\x13\x13\x14\x14\x08\x01"))
	require.NoError(t, err)
	require.Equal(t, "\x08\x01", string(out))
}

// field makes a field for proto2.
func field(kind descriptorpb.FieldDescriptorProto_Type, name string) *descriptorpb.FieldDescriptorProto {
	f := &descriptorpb.FieldDescriptorProto{
		Name: proto.String("grp"), Number: proto.Int32(2), Type: kind.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
	}
	if name != "" {
		f.TypeName = proto.String(name)
	}
	return f
}

// proto2 makes a type M of two fields, ok and f. It has a group M.Grp that can contain itself, and a closed enum E.
func proto2(t *testing.T, f *descriptorpb.FieldDescriptorProto) protoreflect.MessageDescriptor {
	t.Helper()
	ok := field(descriptorpb.FieldDescriptorProto_TYPE_BOOL, "")
	ok.Name, ok.Number = proto.String("ok"), proto.Int32(1)
	m := field(descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, ".M.Grp")
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("x.proto"), Syntax: proto.String("proto2"),
		EnumType: []*descriptorpb.EnumDescriptorProto{{Name: proto.String("E"), Value: []*descriptorpb.EnumValueDescriptorProto{{Name: proto.String("A"), Number: proto.Int32(1)}}}},
		MessageType: []*descriptorpb.DescriptorProto{{
			Name:       proto.String("M"),
			NestedType: []*descriptorpb.DescriptorProto{{Name: proto.String("Grp"), Field: []*descriptorpb.FieldDescriptorProto{ok, m}}},
			Field:      []*descriptorpb.FieldDescriptorProto{ok, f},
		}},
	}, nil)
	require.NoError(t, err)
	return file.Messages().Get(0)
}
