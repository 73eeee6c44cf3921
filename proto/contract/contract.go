// Package contract reads the policy that a registry's contract carries in its descriptors: how a method may be
// called, how delicate a field is, whom it names. It says whether a contract may be published, gives it a digest,
// turns an agreement's field list into leaf paths, and finds on the wire what a message says about people.
//
// Descriptors may be linked in or built at run time from a published FileDescriptorSet, with the labels resolved
// or as unknown bytes: all are read alike.
//
// Invariants:
//   - A field without a data class, or with a class that is not known here, is never among the paths of Expand.
//   - A sensitive field is among them only when it was named exactly.
//   - Equal contracts have equal digests, however their descriptors were made.
//   - Count finds every labelled number on the wire or fails; it never stops short in silence.
//
// What does not belong here: deciding who may ask (agreement), cutting answers (mask), the catalog's storage.
package contract

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/internal/wire"
)

// What can be wrong with a message on the wire.
var (
	// ErrMalformed says that the bytes are no message.
	ErrMalformed = wire.ErrMalformed
	// ErrDepth says that messages are nested deeper than 32.
	ErrDepth = wire.ErrDepth
)

// resultName is the type every answer carries.
const resultName protoreflect.FullName = "hub.v1.Result"

// Service returns the service's label, or nil when it has none.
func Service(sd protoreflect.ServiceDescriptor) *hubv1.ServicePolicy {
	p := new(hubv1.ServicePolicy)
	if !label(sd, hubv1.E_Service, p) {
		return nil
	}
	return p
}

// Method returns the method's label, or nil when it has none.
func Method(md protoreflect.MethodDescriptor) *hubv1.MethodPolicy {
	p := new(hubv1.MethodPolicy)
	if !label(md, hubv1.E_Method, p) {
		return nil
	}
	return p
}

// Field returns the field's label, or nil when it has none. The getters of a nil label say "not labelled".
func Field(fd protoreflect.FieldDescriptor) *hubv1.FieldPolicy {
	p := new(hubv1.FieldPolicy)
	if !label(fd, hubv1.E_Field, p) {
		return nil
	}
	return p
}

// label reads the option xt of d into policy. It goes by the option's number in the encoded options, so that it
// does not matter whether, or by what type, the option was resolved. An option that cannot be read is no label.
func label(d protoreflect.Descriptor, xt protoreflect.ExtensionType, policy proto.Message) bool {
	options, err := proto.MarshalOptions{AllowPartial: true}.Marshal(d.Options())
	if err != nil {
		return false
	}
	want := int32(xt.TypeDescriptor().Number())
	found := false
	for i := 0; i < len(options); {
		num, typ, value := wire.Tag(options, i)
		if value < 0 {
			return false
		}
		if i, err = wire.Skip(options, value, num, typ); err != nil {
			return false
		}
		if num != want || typ != wire.Bytes {
			continue
		}
		body, end := wire.Length(options, value)
		if (proto.UnmarshalOptions{Merge: true}).Unmarshal(options[body:end], policy) != nil {
			return false
		}
		found = true
	}
	return found
}
