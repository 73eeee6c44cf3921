package catalogtest

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Short names for what the contract below is made of.
const (
	public    = hubv1.DataClass_DATA_CLASS_PUBLIC
	basic     = hubv1.DataClass_DATA_CLASS_BASIC
	sensitive = hubv1.DataClass_DATA_CLASS_SENSITIVE

	text    = descriptorpb.FieldDescriptorProto_TYPE_STRING
	number  = descriptorpb.FieldDescriptorProto_TYPE_INT64
	message = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	enum    = descriptorpb.FieldDescriptorProto_TYPE_ENUM
)

// Proto returns a fresh copy of the sample contract, which a test may spoil.
func Proto() *descriptorpb.FileDescriptorProto {
	return &descriptorpb.FileDescriptorProto{
		Name:       proto.String("sample/v1/people.proto"),
		Package:    proto.String("sample.v1"),
		Syntax:     proto.String("proto3"),
		Dependency: []string{"hub/v1/options.proto", "hub/v1/result.proto", "hub/v1/types.proto"},
		MessageType: []*descriptorpb.DescriptorProto{
			msg("GetPersonRequest", id("personal_id", 1), field("full_name", 2, text, basic)),
			msg("GetPersonResponse", result(), of(field("person", 2, message, basic), ".sample.v1.Person")),
			msg("Person",
				id("personal_id", 1),
				of(field("name", 2, message, basic), ".hub.v1.PersonName"),
				field("birth_date", 3, text, basic),
				of(field("sex", 4, enum, basic), ".hub.v1.Sex"),
				field("ethnic_group", 5, text, sensitive),
				field("religion", 6, text, sensitive),
				of(field("residence", 7, message, basic), ".hub.v1.Address"),
				many(of(field("relatives", 8, message, basic), ".sample.v1.Relative")),
			),
			msg("Relative", id("personal_id", 1), field("relation", 2, text, basic), field("illness", 3, text, sensitive)),
			msg("ListParcelsRequest", id("owner_id", 1), field("province_code", 2, text, public)),
			msg("ListParcelsResponse", result(), many(of(field("parcels", 2, message, basic), ".sample.v1.Parcel")),
				field("next_page_token", 3, text, public)),
			msg("Parcel", field("parcel_id", 1, text, basic), field("area", 2, number, basic)),
			msg("RegisterParcelRequest", field("request_id", 1, text, public), field("province_code", 2, text, public),
				id("owner_id", 3)),
			msg("RegisterParcelResponse", result(), field("parcel_id", 2, text, basic)),
		},
		Service: []*descriptorpb.ServiceDescriptorProto{service()},
	}
}

// Another is the sample contract under another name: package and files too.
func Another(name string) *descriptorpb.FileDescriptorProto {
	f := Proto()
	f.Name, f.Package = proto.String(name+"/v1/people.proto"), proto.String(name+".v1")
	for _, m := range f.MessageType {
		for _, field := range m.Field {
			field.TypeName = renamed(field.TypeName, name)
		}
	}
	for _, m := range f.Service[0].Method {
		m.InputType, m.OutputType = renamed(m.InputType, name), renamed(m.OutputType, name)
	}
	return f
}

func renamed(s *string, name string) *string {
	if s == nil {
		return nil
	}
	return proto.String(strings.Replace(*s, ".sample.v1.", "."+name+".v1.", 1))
}

func service() *descriptorpb.ServiceDescriptorProto {
	opts := new(descriptorpb.ServiceOptions)
	proto.SetExtension(opts, hubv1.E_Service, &hubv1.ServicePolicy{Title: title("people")})
	return &descriptorpb.ServiceDescriptorProto{
		Name:    proto.String("PeopleService"),
		Options: opts,
		Method: []*descriptorpb.MethodDescriptorProto{
			method("GetPerson", &hubv1.MethodPolicy{Effect: hubv1.Effect_EFFECT_READ}),
			method("ListParcels", &hubv1.MethodPolicy{Effect: hubv1.Effect_EFFECT_READ, Jurisdiction: "province_code"}),
			method("RegisterParcel", &hubv1.MethodPolicy{
				Effect: hubv1.Effect_EFFECT_WRITE, Jurisdiction: "province_code", IdempotencyKey: "request_id",
				OfficerRequired: true, CaseRequired: true,
			}),
		},
	}
}

func method(name string, policy *hubv1.MethodPolicy) *descriptorpb.MethodDescriptorProto {
	policy.Title = title(name)
	opts := new(descriptorpb.MethodOptions)
	proto.SetExtension(opts, hubv1.E_Method, policy)
	return &descriptorpb.MethodDescriptorProto{
		Name:       proto.String(name),
		InputType:  proto.String(".sample.v1." + name + "Request"),
		OutputType: proto.String(".sample.v1." + name + "Response"),
		Options:    opts,
	}
}

func msg(name string, fields ...*descriptorpb.FieldDescriptorProto) *descriptorpb.DescriptorProto {
	return &descriptorpb.DescriptorProto{Name: proto.String(name), Field: fields}
}

func field(name string, num int32, typ descriptorpb.FieldDescriptorProto_Type, class hubv1.DataClass) *descriptorpb.FieldDescriptorProto {
	opts := new(descriptorpb.FieldOptions)
	proto.SetExtension(opts, hubv1.E_Field, &hubv1.FieldPolicy{Title: title(name), Class: class, Examples: []string{"1"}})
	return &descriptorpb.FieldDescriptorProto{
		Name:    proto.String(name),
		Number:  proto.Int32(num),
		Type:    typ.Enum(),
		Label:   descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		Options: opts,
	}
}

// of gives a field its message or enum.
func of(f *descriptorpb.FieldDescriptorProto, name string) *descriptorpb.FieldDescriptorProto {
	f.TypeName = proto.String(name)
	return f
}

func many(f *descriptorpb.FieldDescriptorProto) *descriptorpb.FieldDescriptorProto {
	f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	return f
}

// id is a field that names a person.
func id(name string, num int32) *descriptorpb.FieldDescriptorProto {
	f := field(name, num, text, basic)
	policy := proto.GetExtension(f.Options, hubv1.E_Field).(*hubv1.FieldPolicy)
	policy.Subject = hubv1.Subject_SUBJECT_PERSONAL_ID
	proto.SetExtension(f.Options, hubv1.E_Field, policy)
	return f
}

func result() *descriptorpb.FieldDescriptorProto {
	return of(field("result", 1, message, public), ".hub.v1.Result")
}

func title(name string) *hubv1.Title { return &hubv1.Title{Vi: "mẫu " + name, En: name} }
