package contract_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	specimenv1 "github.com/lienthong/lienthong/proto/internal/specimen/v1"
)

const specimenName = "internal.specimen.v1.SpecimenService"

// linked returns the specimen's service as the generated code has it.
func linked() protoreflect.ServiceDescriptor {
	return specimenv1.File_internal_specimen_v1_specimen_proto.Services().Get(0)
}

// answer returns the specimen's answer type.
func answer() protoreflect.MessageDescriptor {
	return (*specimenv1.AskResponse)(nil).ProtoReflect().Descriptor()
}

// published reads what `buf build --path internal/specimen -o contract/testdata/specimen.binpb` made, with the
// labels resolved to the hub's types, or left as unknown bytes.
func published(t *testing.T, resolver *protoregistry.Types) *descriptorpb.FileDescriptorSet {
	t.Helper()
	raw, err := os.ReadFile("testdata/specimen.binpb")
	require.NoError(t, err)
	set := new(descriptorpb.FileDescriptorSet)
	require.NoError(t, proto.UnmarshalOptions{Resolver: resolver}.Unmarshal(raw, set))
	return set
}

// service builds the descriptors of a set and returns the specimen's service.
func service(t *testing.T, set *descriptorpb.FileDescriptorSet) protoreflect.ServiceDescriptor {
	t.Helper()
	files, err := protodesc.NewFiles(set)
	require.NoError(t, err)
	d, err := files.FindDescriptorByName(specimenName)
	require.NoError(t, err)
	return d.(protoreflect.ServiceDescriptor)
}

// draft is a published contract taken apart, so that a test can change one piece.
type draft struct {
	t   *testing.T
	set *descriptorpb.FileDescriptorSet
}

func newDraft(t *testing.T) draft { return draft{t: t, set: published(t, protoregistry.GlobalTypes)} }

func (d draft) file() *descriptorpb.FileDescriptorProto { return d.set.File[len(d.set.File)-1] }

func (d draft) message(name string) *descriptorpb.DescriptorProto {
	return find(d.t, name, d.file().MessageType)
}

func (d draft) field(message, name string) *descriptorpb.FieldDescriptorProto {
	return find(d.t, name, d.message(message).Field)
}

func (d draft) method(name string) *descriptorpb.MethodDescriptorProto {
	return find(d.t, name, d.file().Service[0].Method)
}

// label changes a field's label.
func (d draft) label(message, name string, change func(*hubv1.FieldPolicy)) {
	options := d.field(message, name).Options
	p := proto.CloneOf(proto.GetExtension(options, hubv1.E_Field).(*hubv1.FieldPolicy))
	change(p)
	proto.SetExtension(options, hubv1.E_Field, p)
}

// policy changes a method's label.
func (d draft) policy(name string, change func(*hubv1.MethodPolicy)) {
	options := d.method(name).Options
	p := proto.CloneOf(proto.GetExtension(options, hubv1.E_Method).(*hubv1.MethodPolicy))
	change(p)
	proto.SetExtension(options, hubv1.E_Method, p)
}

func find[D interface{ GetName() string }](t *testing.T, name string, in []D) D {
	t.Helper()
	i := slices.IndexFunc(in, func(d D) bool { return d.GetName() == name })
	require.GreaterOrEqual(t, i, 0, "no %s", name)
	return in[i]
}

func TestLabelsReadTheSameHoweverTheDescriptorWasMade(t *testing.T) {
	services := map[string]protoreflect.ServiceDescriptor{
		"linked":                   linked(),
		"built, labels resolved":   service(t, published(t, protoregistry.GlobalTypes)),
		"built, labels as unknown": service(t, published(t, new(protoregistry.Types))),
	}
	for name, sd := range services {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "Specimen", contract.Service(sd).GetTitle().GetEn())
			ask := sd.Methods().ByName("Ask")
			require.Equal(t, hubv1.Effect_EFFECT_READ, contract.Method(ask).GetEffect())
			require.Equal(t, int64(2), contract.Method(ask).GetDeadline().GetSeconds())
			id := ask.Input().Fields().ByName("personal_id")
			require.Equal(t, hubv1.DataClass_DATA_CLASS_BASIC, contract.Field(id).GetClass())
			require.Equal(t, hubv1.Subject_SUBJECT_PERSONAL_ID, contract.Field(id).GetSubject())
		})
	}
}

func TestWhatIsNotLabelledHasNoPolicy(t *testing.T) {
	d := newDraft(t)
	d.file().Service[0].Options = nil
	d.method("Ask").Options = nil
	d.field("Person", "name").Options = nil
	sd := service(t, d.set)
	require.Nil(t, contract.Service(sd))
	require.Nil(t, contract.Method(sd.Methods().ByName("Ask")))
	person := sd.Methods().ByName("Ask").Output().Fields().ByName("person").Message()
	require.Nil(t, contract.Field(person.Fields().ByName("name")))
}

func TestALabelThatCannotBeReadIsNoLabel(t *testing.T) {
	d := draft{t: t, set: published(t, new(protoregistry.Types))}
	options := new(descriptorpb.FieldOptions)
	options.ProtoReflect().SetUnknown([]byte{0xaa, 0xd4, 0x18, 0x02, 0x0a, 0x7f}) // field 50501: a title cut off
	d.field("Person", "name").Options = options
	person := service(t, d.set).Methods().ByName("Ask").Output().Fields().ByName("person").Message()
	require.Nil(t, contract.Field(person.Fields().ByName("name")))
}

func TestAnotherOptionIsNoLabel(t *testing.T) {
	d := draft{t: t, set: published(t, new(protoregistry.Types))}
	options := new(descriptorpb.FieldOptions)
	options.ProtoReflect().SetUnknown([]byte{0xb2, 0xd4, 0x18, 0x02, 0x10, 0x01}) // field 50502: a class, were it 50501
	d.field("Person", "name").Options = options
	person := service(t, d.set).Methods().ByName("Ask").Output().Fields().ByName("person").Message()
	require.Nil(t, contract.Field(person.Fields().ByName("name")))
}
