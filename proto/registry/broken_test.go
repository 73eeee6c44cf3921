package registry_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

var title = &hubv1.Title{Vi: "Tiêu đề", En: "Title"}

// sample is a small contract with nothing wrong in it, taken apart so that a test can break one piece.
type sample struct {
	file    *descriptorpb.FileDescriptorProto
	service *hubv1.ServicePolicy
	method  *hubv1.MethodPolicy
	rpc     *descriptorpb.MethodDescriptorProto
	id      *descriptorpb.FieldDescriptorProto // the request's personal_id
	idLabel *hubv1.FieldPolicy
	result  *descriptorpb.FieldDescriptorProto // the answer's result
	area    *descriptorpb.FieldDescriptorProto // of the message nested in the answer
	areaLab *hubv1.FieldPolicy
}

func newSample() *sample {
	label := func(subject hubv1.Subject, examples ...string) *hubv1.FieldPolicy {
		return &hubv1.FieldPolicy{Title: title, Class: hubv1.DataClass_DATA_CLASS_BASIC, Subject: subject, Examples: examples}
	}
	s := &sample{
		service: &hubv1.ServicePolicy{Title: title},
		method: &hubv1.MethodPolicy{
			Title: title, Effect: hubv1.Effect_EFFECT_WRITE, IdempotencyKey: "request_id", Jurisdiction: "province_code",
			Deadline: durationpb.New(1),
		},
		rpc: &descriptorpb.MethodDescriptorProto{
			Name: proto.String("Ask"), InputType: proto.String(".sample.v1.AskRequest"), OutputType: proto.String(".sample.v1.AskResponse"),
		},
		id:      field("personal_id", 3, descriptorpb.FieldDescriptorProto_TYPE_STRING, ""),
		idLabel: label(hubv1.Subject_SUBJECT_PERSONAL_ID, "042187001234"),
		result:  field("result", 1, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, ".hub.v1.Result"),
		area:    field("area", 1, descriptorpb.FieldDescriptorProto_TYPE_UINT32, ""),
		areaLab: label(0, "2505"),
	}
	request := message("AskRequest", field("request_id", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING, ""),
		field("province_code", 2, descriptorpb.FieldDescriptorProto_TYPE_STRING, ""), s.id)
	request.Field[0].Options = labelled(label(0, "r-1"))
	request.Field[1].Options = labelled(label(0, "42"))
	answer := message("AskResponse", s.result, field("parcel", 2, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, ".sample.v1.Parcel"))
	answer.Field[0].Options = labelled(label(0))
	answer.Field[1].Options = labelled(label(0))
	s.file = &descriptorpb.FileDescriptorProto{
		Name: proto.String("sample/v1/sample.proto"), Package: proto.String("sample.v1"), Syntax: proto.String("proto3"),
		Dependency:  []string{hubv1.File_hub_v1_result_proto.Path(), anypb.File_google_protobuf_any_proto.Path()},
		MessageType: []*descriptorpb.DescriptorProto{request, answer, message("Parcel", s.area)},
		Service:     []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("SampleService"), Method: []*descriptorpb.MethodDescriptorProto{s.rpc}}},
	}
	return s
}

func field(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type, of string) *descriptorpb.FieldDescriptorProto {
	fd := &descriptorpb.FieldDescriptorProto{
		Name: proto.String(name), Number: proto.Int32(number), Type: kind.Enum(),
		Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
	}
	if of != "" {
		fd.TypeName = proto.String(of)
	}
	return fd
}

func message(name string, fields ...*descriptorpb.FieldDescriptorProto) *descriptorpb.DescriptorProto {
	return &descriptorpb.DescriptorProto{Name: proto.String(name), Field: fields}
}

func labelled(policy *hubv1.FieldPolicy) *descriptorpb.FieldOptions {
	options := &descriptorpb.FieldOptions{}
	if policy != nil {
		proto.SetExtension(options, hubv1.E_Field, policy)
	}
	return options
}

// build puts the pieces together.
func (s *sample) build(t *testing.T) protoreflect.ServiceDescriptor {
	t.Helper()
	s.id.Options, s.area.Options = labelled(s.idLabel), labelled(s.areaLab)
	if s.method != nil {
		s.rpc.Options = &descriptorpb.MethodOptions{}
		proto.SetExtension(s.rpc.Options, hubv1.E_Method, s.method)
	}
	if s.service != nil {
		s.file.Service[0].Options = &descriptorpb.ServiceOptions{}
		proto.SetExtension(s.file.Service[0].Options, hubv1.E_Service, s.service)
	}
	file, err := protodesc.NewFile(s.file, protoregistry.GlobalFiles)
	require.NoError(t, err)
	return file.Services().Get(0)
}

func TestTheWalkerFindsNothingInALabelledContract(t *testing.T) {
	w := walk(newSample().build(t))
	require.Empty(t, w.faults)
	require.Equal(t, 8, w.fields, "three of the request, two of the answer, two of Result, one nested")
}

func TestTheWalkerFindsEveryDeparture(t *testing.T) {
	const ask, id, area = "sample.v1.SampleService.Ask: ", "sample.v1.AskRequest.personal_id: ", "sample.v1.Parcel.area: "
	cases := map[string]struct {
		spoil func(*sample)
		fault string
	}{
		"service without policy":        {func(s *sample) { s.service = nil }, "sample.v1.SampleService: no Vietnamese title"},
		"method without policy":         {func(s *sample) { s.method = nil }, ask + "no policy"},
		"method without English title":  {func(s *sample) { s.method.Title = &hubv1.Title{Vi: "x"} }, ask + "no English title"},
		"method without effect":         {func(s *sample) { s.method.Effect = 0 }, ask + "no effect"},
		"method without deadline":       {func(s *sample) { s.method.Deadline = nil }, ask + "no deadline"},
		"write without key":             {func(s *sample) { s.method.IdempotencyKey = "" }, ask + "a write without idempotency key"},
		"read with key":                 {func(s *sample) { s.method.Effect = hubv1.Effect_EFFECT_READ }, ask + "a read with an idempotency key"},
		"key that does not exist":       {func(s *sample) { s.method.IdempotencyKey = "no_id" }, ask + "idempotency key names a field that does not exist"},
		"jurisdiction that is not":      {func(s *sample) { s.method.Jurisdiction = "province" }, ask + "jurisdiction names a field that does not exist"},
		"jurisdiction under a string":   {func(s *sample) { s.method.Jurisdiction = "province_code.x" }, ask + "jurisdiction leads through a field that is no message"},
		"streaming answer":              {func(s *sample) { s.rpc.ServerStreaming = proto.Bool(true) }, ask + "streams"},
		"streaming question":            {func(s *sample) { s.rpc.ClientStreaming = proto.Bool(true) }, ask + "streams"},
		"answer without result":         {func(s *sample) { s.result.Name = proto.String("outcome") }, ask + "the answer's field 1 is not hub.v1.Result result"},
		"result that repeats":           {func(s *sample) { s.result.Label = repeated() }, ask + "the answer's field 1 is not hub.v1.Result result"},
		"result of another type":        {func(s *sample) { s.result.TypeName = proto.String(".sample.v1.Parcel") }, ask + "the answer's field 1 is not hub.v1.Result result"},
		"request field without label":   {func(s *sample) { s.idLabel = nil }, id + "no policy"},
		"nested field without label":    {func(s *sample) { s.areaLab = nil }, area + "no policy"},
		"field without class":           {func(s *sample) { s.areaLab.Class = 0 }, area + "class DATA_CLASS_UNSPECIFIED cannot be published"},
		"secret field":                  {func(s *sample) { s.areaLab.Class = hubv1.DataClass_DATA_CLASS_SECRET }, area + "class DATA_CLASS_SECRET cannot be published"},
		"field without title":           {func(s *sample) { s.areaLab.Title = nil }, area + "no Vietnamese title"},
		"field with a blank title":      {func(s *sample) { s.areaLab.Title = &hubv1.Title{Vi: " ", En: "x"} }, area + "no Vietnamese title"},
		"field without example":         {func(s *sample) { s.areaLab.Examples = nil }, area + "no example"},
		"example of another type":       {func(s *sample) { s.areaLab.Examples = []string{"big"} }, area + `example "big" is no uint32`},
		"number without subject":        {func(s *sample) { s.idLabel.Subject = 0 }, id + "names a person and is not labelled SUBJECT_PERSONAL_ID"},
		"subject that is public":        {func(s *sample) { s.idLabel.Class = hubv1.DataClass_DATA_CLASS_PUBLIC }, id + "names a person and is public"},
		"subject that is no string":     {func(s *sample) { s.areaLab.Subject = hubv1.Subject_SUBJECT_OLD_ID }, area + "names a person by something that is no string"},
		"subject of keys without a map": {func(s *sample) { s.areaLab.SubjectKey = hubv1.Subject_SUBJECT_OLD_ID }, area + "labels the keys of what is no map"},
		"Any": {func(s *sample) {
			s.area.Type, s.area.TypeName = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), proto.String(".google.protobuf.Any")
		}, "google.protobuf.Any: not a message that the hub can label"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newSample()
			c.spoil(s)
			require.Contains(t, walk(s.build(t)).faults, c.fault)
		})
	}
}

func repeated() *descriptorpb.FieldDescriptorProto_Label {
	return descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
}
