package registry_test

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// walker collects what is wrong with a contract, each departure as "full name: what".
type walker struct {
	seen   map[protoreflect.FullName]bool
	faults []string
	fields int // fields visited
}

// walk visits a service, its methods and every message they reach.
func walk(sd protoreflect.ServiceDescriptor) *walker {
	w := &walker{seen: map[protoreflect.FullName]bool{}}
	policy, _ := proto.GetExtension(sd.Options(), hubv1.E_Service).(*hubv1.ServicePolicy)
	w.title(sd, policy.GetTitle())
	if sd.Methods().Len() == 0 {
		w.fault(sd, "no methods")
	}
	for i := range sd.Methods().Len() {
		w.method(sd.Methods().Get(i))
	}
	return w
}

func (w *walker) fault(d protoreflect.Descriptor, format string, args ...any) {
	w.faults = append(w.faults, string(d.FullName())+": "+fmt.Sprintf(format, args...))
}

func (w *walker) title(d protoreflect.Descriptor, t *hubv1.Title) {
	if strings.TrimSpace(t.GetVi()) == "" {
		w.fault(d, "no Vietnamese title")
	}
	if strings.TrimSpace(t.GetEn()) == "" {
		w.fault(d, "no English title")
	}
}

func (w *walker) method(md protoreflect.MethodDescriptor) {
	policy, _ := proto.GetExtension(md.Options(), hubv1.E_Method).(*hubv1.MethodPolicy)
	if policy == nil {
		w.fault(md, "no policy")
	}
	w.title(md, policy.GetTitle())
	if md.IsStreamingClient() || md.IsStreamingServer() {
		w.fault(md, "streams")
	}
	if policy.GetDeadline().AsDuration() <= 0 {
		w.fault(md, "no deadline")
	}
	switch policy.GetEffect() {
	case hubv1.Effect_EFFECT_READ:
		if policy.GetIdempotencyKey() != "" {
			w.fault(md, "a read with an idempotency key")
		}
	case hubv1.Effect_EFFECT_WRITE:
		if policy.GetIdempotencyKey() == "" {
			w.fault(md, "a write without idempotency key")
		}
	default:
		w.fault(md, "no effect")
	}
	w.path(md, "idempotency key", policy.GetIdempotencyKey())
	w.path(md, "jurisdiction", policy.GetJurisdiction())
	w.result(md)
	w.message(md.Input())
	w.message(md.Output())
}

// path checks that a policy's path leads to one string in the request.
func (w *walker) path(md protoreflect.MethodDescriptor, what, path string) {
	if path == "" {
		return
	}
	var fd protoreflect.FieldDescriptor
	message := md.Input()
	for name := range strings.SplitSeq(path, ".") {
		if message == nil {
			w.fault(md, "%s leads through a field that is no message", what)
			return
		}
		if fd = message.Fields().ByName(protoreflect.Name(name)); fd == nil {
			w.fault(md, "%s names a field that does not exist", what)
			return
		}
		if fd.Cardinality() == protoreflect.Repeated {
			w.fault(md, "%s names a repeated field", what)
			return
		}
		message = fd.Message()
	}
	if fd.Kind() != protoreflect.StringKind {
		w.fault(md, "%s names a field that is no string", what)
	}
}

// result checks that an answer begins with what the registry found.
func (w *walker) result(md protoreflect.MethodDescriptor) {
	fd := md.Output().Fields().ByNumber(1)
	want := (*hubv1.Result)(nil).ProtoReflect().Descriptor().FullName()
	if fd == nil || fd.Name() != "result" || fd.Cardinality() == protoreflect.Repeated ||
		fd.Message() == nil || fd.Message().FullName() != want {
		w.fault(md, "the answer's field 1 is not %s result", want)
	}
}

func (w *walker) message(md protoreflect.MessageDescriptor) {
	if w.seen[md.FullName()] {
		return
	}
	w.seen[md.FullName()] = true
	if strings.HasPrefix(string(md.FullName()), "google.protobuf.") {
		w.fault(md, "not a message that the hub can label")
		return
	}
	if md.ExtensionRanges().Len() > 0 {
		w.fault(md, "open to extensions")
	}
	for i := range md.Fields().Len() {
		w.field(md.Fields().Get(i))
	}
}

func (w *walker) field(fd protoreflect.FieldDescriptor) {
	w.fields++
	policy, _ := proto.GetExtension(fd.Options(), hubv1.E_Field).(*hubv1.FieldPolicy)
	if policy == nil {
		w.fault(fd, "no policy")
	}
	w.title(fd, policy.GetTitle())
	switch policy.GetClass() {
	case hubv1.DataClass_DATA_CLASS_PUBLIC, hubv1.DataClass_DATA_CLASS_BASIC, hubv1.DataClass_DATA_CLASS_SENSITIVE:
	default:
		w.fault(fd, "class %s cannot be published", policy.GetClass())
	}
	if fd.Kind() == protoreflect.GroupKind {
		w.fault(fd, "is a group")
	}
	w.subject(fd, policy)
	value := fd
	if fd.IsMap() {
		value = fd.MapValue()
	}
	if md := value.Message(); md != nil {
		if md.FullName() != "google.protobuf.Timestamp" && md.FullName() != "google.protobuf.Duration" {
			w.message(md)
		}
		return
	}
	w.examples(fd, value, policy.GetExamples())
}

// numbers are the endings of field names that mean a person's number, and the label that must be there.
var numbers = map[string]hubv1.Subject{
	"personal_id":       hubv1.Subject_SUBJECT_PERSONAL_ID,
	"personal_ids":      hubv1.Subject_SUBJECT_PERSONAL_ID,
	"old_id":            hubv1.Subject_SUBJECT_OLD_ID,
	"insurance_number":  hubv1.Subject_SUBJECT_INSURANCE_NUMBER,
	"insurance_numbers": hubv1.Subject_SUBJECT_INSURANCE_NUMBER,
}

func (w *walker) subject(fd protoreflect.FieldDescriptor, policy *hubv1.FieldPolicy) {
	if policy.GetSubjectKey() != hubv1.Subject_SUBJECT_UNSPECIFIED && !fd.IsMap() {
		w.fault(fd, "labels the keys of what is no map")
	}
	subject := policy.GetSubject()
	for ending, want := range numbers {
		name := string(fd.Name())
		if fd.Kind() == protoreflect.StringKind && (name == ending || strings.HasSuffix(name, "_"+ending)) && subject != want {
			w.fault(fd, "names a person and is not labelled %s", want)
		}
	}
	if subject == hubv1.Subject_SUBJECT_UNSPECIFIED {
		return
	}
	value := fd
	if fd.IsMap() {
		value = fd.MapValue()
	}
	if value.Kind() != protoreflect.StringKind {
		w.fault(fd, "names a person by something that is no string")
	}
	if policy.GetClass() == hubv1.DataClass_DATA_CLASS_PUBLIC {
		w.fault(fd, "names a person and is public")
	}
}

// examples checks that there is one, and that each is a value of the field.
func (w *walker) examples(fd, value protoreflect.FieldDescriptor, examples []string) {
	if len(examples) == 0 {
		w.fault(fd, "no example")
	}
	for _, example := range examples {
		if !valueOf(value, example) {
			w.fault(fd, "example %q is no %s", example, value.Kind())
		}
	}
}

func valueOf(fd protoreflect.FieldDescriptor, example string) bool {
	var err error
	switch fd.Kind() {
	case protoreflect.BoolKind:
		_, err = strconv.ParseBool(example)
	case protoreflect.EnumKind:
		return fd.Enum().Values().ByName(protoreflect.Name(example)) != nil || shortEnum(fd.Enum(), example)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		_, err = strconv.ParseInt(example, 10, 32)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		_, err = strconv.ParseInt(example, 10, 64)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		_, err = strconv.ParseUint(example, 10, 32)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		_, err = strconv.ParseUint(example, 10, 64)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		_, err = strconv.ParseFloat(example, 64)
	}
	return err == nil && example != ""
}

// shortEnum reports whether an example is an enum value without the enum's prefix, as Address's "GSO_2025".
func shortEnum(ed protoreflect.EnumDescriptor, example string) bool {
	for i := range ed.Values().Len() {
		if strings.HasSuffix(string(ed.Values().Get(i).Name()), "_"+example) {
			return true
		}
	}
	return false
}
