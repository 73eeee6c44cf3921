package contract_test

import (
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// places returns where the findings of an error lie.
func places(t *testing.T, err error) []string {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "%v", err)
	var out []string
	for _, e := range joined.Unwrap() {
		var f *contract.Finding
		require.ErrorAs(t, e, &f)
		out = append(out, f.Place)
	}
	return out
}

func TestALabelledContractMayBePublished(t *testing.T) {
	require.NoError(t, contract.Check(linked()))
	require.NoError(t, contract.Check(service(t, newDraft(t).set)))
}

const (
	pkg  = "internal.specimen.v1."
	ask  = specimenName + ".Ask"
	tell = specimenName + ".Tell"
)

// fault is a change that makes a contract unfit, and where the finding must lie.
type fault struct {
	place string
	edit  func(draft)
}

func requireFound(t *testing.T, faults map[string]fault) {
	for name, tt := range faults {
		t.Run(name, func(t *testing.T) {
			d := newDraft(t)
			tt.edit(d)
			if d.file().GetSyntax() == "proto2" {
				proto2(d)
			}
			err := contract.Check(service(t, d.set))
			require.Error(t, err)
			require.Equal(t, []string{tt.place}, places(t, err))
		})
	}
}

func TestEachFaultOfALabelIsFoundWhereItIs(t *testing.T) {
	class := func(c hubv1.DataClass) func(*hubv1.FieldPolicy) {
		return func(p *hubv1.FieldPolicy) { p.Class = c }
	}
	requireFound(t, map[string]fault{
		"unlabelled service":        {specimenName, func(d draft) { d.file().Service[0].Options = nil }},
		"unlabelled method":         {ask, func(d draft) { d.method("Ask").Options = nil }},
		"method without a title":    {ask, func(d draft) { d.policy("Ask", func(p *hubv1.MethodPolicy) { p.Title.Vi = "" }) }},
		"method without an effect":  {ask, func(d draft) { d.policy("Ask", func(p *hubv1.MethodPolicy) { p.Effect = 0 }) }},
		"method of unknown effect":  {ask, func(d draft) { d.policy("Ask", func(p *hubv1.MethodPolicy) { p.Effect = 9 }) }},
		"read with a key":           {ask, func(d draft) { d.policy("Ask", func(p *hubv1.MethodPolicy) { p.IdempotencyKey = "personal_id" }) }},
		"write without a key":       {tell, func(d draft) { d.policy("Tell", func(p *hubv1.MethodPolicy) { p.IdempotencyKey = "" }) }},
		"key that is no field":      {tell, func(d draft) { d.policy("Tell", func(p *hubv1.MethodPolicy) { p.IdempotencyKey = "nonesuch" }) }},
		"key that is a message":     {tell, func(d draft) { d.policy("Tell", func(p *hubv1.MethodPolicy) { p.IdempotencyKey = "person" }) }},
		"jurisdiction of no field":  {ask, func(d draft) { d.policy("Ask", func(p *hubv1.MethodPolicy) { p.Jurisdiction = "place.none" }) }},
		"jurisdiction in an enum":   {ask, func(d draft) { d.policy("Ask", func(p *hubv1.MethodPolicy) { p.Jurisdiction = "place.code_system" }) }},
		"jurisdiction in a list":    {ask, func(d draft) { d.policy("Ask", func(p *hubv1.MethodPolicy) { p.Jurisdiction = "old_ids" }) }},
		"deadline that is negative": {ask, func(d draft) { d.policy("Ask", func(p *hubv1.MethodPolicy) { p.Deadline = durationpb.New(-1) }) }},
		"answers stream":            {ask, func(d draft) { d.method("Ask").ServerStreaming = proto.Bool(true) }},
		"questions stream":          {ask, func(d draft) { d.method("Ask").ClientStreaming = proto.Bool(true) }},
		"answer without result":     {pkg + "AskResponse", func(d draft) { d.field("AskResponse", "result").Name = proto.String("outcome") }},
		"result of another type":    {pkg + "TellResponse", func(d draft) { d.field("TellResponse", "result").TypeName = proto.String("." + pkg + "Person") }},
		"unlabelled field":          {pkg + "Person.name", func(d draft) { d.field("Person", "name").Options = nil }},
		"field without a class":     {pkg + "Person.religion", func(d draft) { d.label("Person", "religion", class(0)) }},
		"field of unknown class":    {pkg + "Person.religion", func(d draft) { d.label("Person", "religion", class(9)) }},
		"secret field":              {pkg + "Tree.label", func(d draft) { d.label("Tree", "label", class(hubv1.DataClass_DATA_CLASS_SECRET)) }},
		"field without English":     {pkg + "Tree.label", func(d draft) { d.label("Tree", "label", func(p *hubv1.FieldPolicy) { p.Title.En = "" }) }},
		"unlabelled request field":  {pkg + "TellRequest.request_id", func(d draft) { d.field("TellRequest", "request_id").Options = nil }},
		"unlabelled map":            {pkg + "AskResponse.by_id", func(d draft) { d.field("AskResponse", "by_id").Options = nil }},
		"subject that is a number": {pkg + "Scalars.one_int64", func(d draft) {
			d.label("Scalars", "one_int64", func(p *hubv1.FieldPolicy) { p.Subject = 1 })
		}},
		"subject key of no map": {pkg + "Person.personal_id", func(d draft) {
			d.label("Person", "personal_id", func(p *hubv1.FieldPolicy) { p.SubjectKey = 1 })
		}},
	})
}

func TestEachShapeThatCannotBeLabelledIsFoundWhereItIs(t *testing.T) {
	holds := func(d draft, m proto.Message) {
		md := m.ProtoReflect().Descriptor()
		d.set.File = append([]*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(md.ParentFile())}, d.set.File...)
		d.file().Dependency = append(d.file().Dependency, md.ParentFile().Path())
		f := d.field("Person", "name")
		f.TypeName = proto.String("." + string(md.FullName()))
	}
	requireFound(t, map[string]fault{
		"extension range": {pkg + "Person", func(d draft) {
			d.file().Syntax = proto.String("proto2")
			d.message("Person").ExtensionRange = []*descriptorpb.DescriptorProto_ExtensionRange{{Start: proto.Int32(100), End: proto.Int32(200)}}
		}},
		"group": {pkg + "Item.grp", func(d draft) {
			d.file().Syntax = proto.String("proto2")
			inner := &descriptorpb.DescriptorProto{Name: proto.String("Grp"), Field: []*descriptorpb.FieldDescriptorProto{proto.CloneOf(d.field("Tree", "label"))}}
			f := proto.CloneOf(d.field("Item", "person"))
			f.Name, f.JsonName, f.Number = proto.String("grp"), nil, proto.Int32(9)
			f.Type, f.TypeName = descriptorpb.FieldDescriptorProto_TYPE_GROUP.Enum(), proto.String("."+pkg+"Item.Grp")
			d.message("Item").NestedType = append(d.message("Item").NestedType, inner)
			d.message("Item").Field = append(d.message("Item").Field, f)
		}},
		"required field": {pkg + "Person.birth_date", func(d draft) {
			d.file().Syntax = proto.String("proto2")
			d.field("Person", "birth_date").Label = descriptorpb.FieldDescriptorProto_LABEL_REQUIRED.Enum()
		}},
		"closed enum": {pkg + "Person.sex", func(d draft) {
			d.file().Syntax = proto.String("proto2")
			d.file().EnumType = append(d.file().EnumType, &descriptorpb.EnumDescriptorProto{
				Name: proto.String("Closed"), Value: []*descriptorpb.EnumValueDescriptorProto{{Name: proto.String("ONE"), Number: proto.Int32(1)}},
			})
			d.field("Person", "sex").TypeName = proto.String("." + pkg + "Closed")
		}},
		"any":    {"google.protobuf.Any", func(d draft) { holds(d, new(anypb.Any)) }},
		"struct": {"google.protobuf.Struct", func(d draft) { holds(d, new(structpb.Struct)) }},
		"value":  {"google.protobuf.Value", func(d draft) { holds(d, new(structpb.Value)) }},
		"list":   {"google.protobuf.ListValue", func(d draft) { holds(d, new(structpb.ListValue)) }},
	})
}

// proto2 makes the specimen's file one that proto2 allows.
func proto2(d draft) {
	for _, m := range d.file().MessageType {
		for _, f := range m.Field {
			if f.GetProto3Optional() {
				f.Proto3Optional = nil
				f.OneofIndex = nil
				m.OneofDecl = m.OneofDecl[:len(m.OneofDecl)-1]
			}
		}
	}
}

func TestAllFindingsAreToldAtOnce(t *testing.T) {
	d := newDraft(t)
	d.method("Ask").Options = nil
	d.field("Person", "name").Options = nil
	d.field("Tree", "label").Options = nil
	require.Len(t, places(t, contract.Check(service(t, d.set))), 3)
}

func TestAnotherResultTypeOfTheSameNameIsFound(t *testing.T) {
	d := newDraft(t)
	for _, f := range d.set.File {
		if f.GetName() == "hub/v1/result.proto" {
			f.MessageType[0].Field[0].Name = proto.String("kode")
		}
	}
	err := contract.Check(service(t, d.set))
	require.Contains(t, places(t, err), "hub.v1.Result")
}

func TestAContractTooLargeToListIsFound(t *testing.T) {
	d := newDraft(t)
	for i := range contract.MaxLeaves + 1 {
		f := proto.CloneOf(d.field("Tree", "label"))
		f.Name = proto.String(f.GetName() + string(rune('a'+i%26)) + strconv.Itoa(i))
		f.JsonName = nil
		f.Number = proto.Int32(int32(100000 + i))
		d.message("Tree").Field = append(d.message("Tree").Field, f)
	}
	err := contract.Check(service(t, d.set))
	require.Equal(t, []string{"internal.specimen.v1.AskResponse"}, places(t, err))
	_, err = contract.Expand(service(t, d.set).Methods().ByName("Ask").Output(), []string{"*"})
	require.True(t, errors.Is(err, contract.ErrTooMany))
}
