package contract_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// When this fails after a change to specimen.proto, run:
// buf build --path internal/specimen -o contract/testdata/specimen.binpb
func TestADigestDoesNotDependOnHowTheDescriptorWasMade(t *testing.T) {
	want := contract.Digest(linked())
	require.Equal(t, want, contract.Digest(linked()))

	set := published(t, protoregistry.GlobalTypes)
	require.NotNil(t, set.File[len(set.File)-1].SourceCodeInfo)
	require.Equal(t, want, contract.Digest(service(t, set)), "as buf builds it")
	require.Equal(t, want, contract.Digest(service(t, published(t, new(protoregistry.Types)))), "labels as unknown bytes")

	for _, f := range set.File {
		f.SourceCodeInfo = nil
	}
	slices.Reverse(set.File)
	require.Equal(t, want, contract.Digest(service(t, set)), "without comments, files in another order")
}

func TestADigestDoesNotDependOnTheOrderOfDeclarationsOrOnWords(t *testing.T) {
	tests := map[string]func(draft){
		"order of messages": func(d draft) { slices.Reverse(d.file().MessageType) },
		"order of fields":   func(d draft) { slices.Reverse(d.message("Person").Field) },
		"order of methods":  func(d draft) { slices.Reverse(d.file().Service[0].Method) },
		"a field's title":   func(d draft) { d.label("Person", "name", func(p *hubv1.FieldPolicy) { p.Title.Vi = "Tên" }) },
		"a method's title":  func(d draft) { d.policy("Ask", func(p *hubv1.MethodPolicy) { p.Title.Vi = "Tên" }) },
		"an example":        func(d draft) { d.label("Person", "sex", func(p *hubv1.FieldPolicy) { p.Examples = []string{"x"} }) },
		"a message that nothing reaches": func(d draft) {
			d.file().MessageType = append(d.file().MessageType, &descriptorpb.DescriptorProto{Name: proto.String("Alone")})
		},
	}
	for name, edit := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDraft(t)
			edit(d)
			require.Equal(t, contract.Digest(linked()), contract.Digest(service(t, d.set)))
		})
	}
}

func TestEachChangeOfMeaningAltersTheDigest(t *testing.T) {
	policy := func(change func(*hubv1.MethodPolicy)) func(draft) {
		return func(d draft) { d.policy("Ask", change) }
	}
	label := func(change func(*hubv1.FieldPolicy)) func(draft) {
		return func(d draft) { d.label("Person", "personal_id", change) }
	}
	field := func(change func(*descriptorpb.FieldDescriptorProto)) func(draft) {
		return func(d draft) { change(d.field("Scalars", "one_int32")) }
	}
	tests := map[string]func(draft){
		"method renamed":        func(d draft) { d.method("Ask").Name = proto.String("Beg") },
		"method removed":        func(d draft) { d.file().Service[0].Method = d.file().Service[0].Method[:1] },
		"method's input":        func(d draft) { d.method("Ask").InputType = d.method("Tell").InputType },
		"method's output":       func(d draft) { d.method("Ask").OutputType = d.method("Tell").OutputType },
		"method streams":        func(d draft) { d.method("Ask").ServerStreaming = proto.Bool(true) },
		"method's label gone":   func(d draft) { d.method("Ask").Options = nil },
		"method's effect":       policy(func(p *hubv1.MethodPolicy) { p.Effect = hubv1.Effect_EFFECT_WRITE }),
		"method's key":          policy(func(p *hubv1.MethodPolicy) { p.IdempotencyKey = "personal_id" }),
		"method's jurisdiction": policy(func(p *hubv1.MethodPolicy) { p.Jurisdiction = "" }),
		"method's deadline":     policy(func(p *hubv1.MethodPolicy) { p.Deadline = durationpb.New(1) }),
		"method's officer":      policy(func(p *hubv1.MethodPolicy) { p.OfficerRequired = true }),
		"method's case":         policy(func(p *hubv1.MethodPolicy) { p.CaseRequired = false }),
		"field's class":         label(func(p *hubv1.FieldPolicy) { p.Class = hubv1.DataClass_DATA_CLASS_PUBLIC }),
		"field's subject":       label(func(p *hubv1.FieldPolicy) { p.Subject = hubv1.Subject_SUBJECT_OLD_ID }),
		"field's subject key":   label(func(p *hubv1.FieldPolicy) { p.SubjectKey = hubv1.Subject_SUBJECT_OLD_ID }),
		"field's label gone":    func(d draft) { d.field("Person", "personal_id").Options = nil },
		"field's number":        field(func(f *descriptorpb.FieldDescriptorProto) { f.Number = proto.Int32(999) }),
		"field's name":          field(func(f *descriptorpb.FieldDescriptorProto) { f.Name = proto.String("uno") }),
		"field's kind": field(func(f *descriptorpb.FieldDescriptorProto) {
			f.Type = descriptorpb.FieldDescriptorProto_TYPE_SINT32.Enum()
		}),
		"field's cardinality": field(func(f *descriptorpb.FieldDescriptorProto) {
			f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		}),
		"field of another enum": func(d draft) { d.field("Scalars", "one_enum").TypeName = proto.String(".hub.v1.CodeSystem") },
		"field of another type": func(d draft) { d.field("Item", "person").TypeName = proto.String(".hub.v1.PersonName") },
		"field added": func(d draft) {
			d.message("Item").Field = append(d.message("Item").Field, &descriptorpb.FieldDescriptorProto{Name: proto.String("n"), Number: proto.Int32(9), Type: descriptorpb.FieldDescriptorProto_TYPE_BOOL.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()})
		},
		"field removed": func(d draft) { d.message("Item").Field = d.message("Item").Field[:1] },
		"field's presence": func(d draft) {
			d.field("Scalars", "perhaps").Proto3Optional, d.field("Scalars", "perhaps").OneofIndex = nil, nil
			d.message("Scalars").OneofDecl = nil
		},
		"oneof renamed":          func(d draft) { d.message("AskResponse").OneofDecl[0].Name = proto.String("chosen") },
		"field leaves the oneof": func(d draft) { d.field("AskResponse", "word").OneofIndex = nil },
		"map's key": func(d draft) {
			d.message("Tree").NestedType[0].Field[0].Type = descriptorpb.FieldDescriptorProto_TYPE_INT64.Enum()
		},
		"map becomes a list":    func(d draft) { d.message("Tree").NestedType[0].Options = nil },
		"enum value renamed":    func(d draft) { d.shared("Sex").Value[1].Name = proto.String("SEX_M") },
		"enum value renumbered": func(d draft) { d.shared("Sex").Value[1].Number = proto.Int32(7) },
		"enum value added": func(d draft) {
			e := d.shared("Sex")
			e.Value = append(e.Value, &descriptorpb.EnumValueDescriptorProto{Name: proto.String("SEX_X"), Number: proto.Int32(8)})
		},
	}
	seen := map[[32]byte]string{contract.Digest(linked()): "unchanged"}
	for name, edit := range tests {
		d := newDraft(t)
		edit(d)
		digest := contract.Digest(service(t, d.set))
		require.NotContains(t, seen, digest, "%s is like %s", name, seen[digest])
		seen[digest] = name
	}
}

// shared returns an enum of hub/v1/types.proto.
func (d draft) shared(name string) *descriptorpb.EnumDescriptorProto {
	return find(d.t, name, find(d.t, "hub/v1/types.proto", d.set.File).EnumType)
}
