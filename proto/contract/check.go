package contract

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Finding is one reason why a contract cannot be published.
type Finding struct {
	// Place is the full name of what is at fault. Example: "registry.population.v1.Person.religion".
	Place string
	// Problem says what is wrong there and what to do.
	Problem string
}

// Error returns the place and the problem.
func (f *Finding) Error() string { return f.Place + ": " + f.Problem }

// Check returns nil when the service may be published, and otherwise all that stands against it: joined Findings.
func Check(sd protoreflect.ServiceDescriptor) error {
	c := checker{seen: map[protoreflect.FullName]bool{}}
	if !titled(Service(sd).GetTitle()) {
		c.find(sd, "the service has no title in both languages; label it with (hub.v1.service)")
	}
	if sd.Methods().Len() == 0 {
		c.find(sd, "the service has no method")
	}
	for i := range sd.Methods().Len() {
		c.method(sd.Methods().Get(i))
	}
	return errors.Join(c.findings...)
}

// checker walks a contract and collects what is wrong with it.
type checker struct {
	findings []error
	seen     map[protoreflect.FullName]bool // messages walked
}

func (c *checker) find(d protoreflect.Descriptor, format string, args ...any) {
	c.findings = append(c.findings, &Finding{Place: string(d.FullName()), Problem: fmt.Sprintf(format, args...)})
}

func titled(t *hubv1.Title) bool { return t.GetVi() != "" && t.GetEn() != "" }

func (c *checker) method(md protoreflect.MethodDescriptor) {
	if md.IsStreamingClient() || md.IsStreamingServer() {
		c.find(md, "streams; every method takes one message and gives one")
	}
	p := Method(md)
	if p == nil {
		c.find(md, "the method is not labelled; label it with (hub.v1.method)")
	} else {
		c.policy(md, p)
	}
	c.result(md.Output())
	for _, m := range []protoreflect.MessageDescriptor{md.Input(), md.Output()} {
		if w := (leafWalk{}); w.tooLarge(m) {
			c.find(m, "has more than %d leaf fields", MaxLeaves)
		}
		c.message(m)
	}
}

// policy checks a method's label against its request.
func (c *checker) policy(md protoreflect.MethodDescriptor, p *hubv1.MethodPolicy) {
	if !titled(p.GetTitle()) {
		c.find(md, "the method has no title in both languages")
	}
	key := p.GetIdempotencyKey()
	switch p.GetEffect() {
	case hubv1.Effect_EFFECT_READ:
		if key != "" {
			c.find(md, "a read has no idempotency key")
		}
	case hubv1.Effect_EFFECT_WRITE:
		fd := md.Input().Fields().ByName(protoreflect.Name(key))
		if fd == nil || !text(fd) {
			c.find(md, "a write needs an idempotency key that names a string field of %s; it says %q", md.Input().FullName(), key)
		}
	default:
		c.find(md, "the method does not say whether it reads or writes")
	}
	if j := p.GetJurisdiction(); j != "" {
		if _, err := CompilePath(md.Input(), j); err != nil {
			c.find(md, "the jurisdiction does not name a string field of the request: %s", err)
		}
	}
	if d := p.GetDeadline(); d != nil && (d.CheckValid() != nil || d.AsDuration() <= 0) {
		c.find(md, "the deadline is not a positive duration")
	}
}

// result checks that an answer says what was found, in the type that the hub reads.
func (c *checker) result(md protoreflect.MessageDescriptor) {
	fd := ResultField(md)
	if fd == nil {
		c.find(md, "an answer needs a field `result` of type %s", resultName)
		return
	}
	ours := (*hubv1.Result)(nil).ProtoReflect().Descriptor().Fields()
	theirs := fd.Message().Fields()
	for i := range ours.Len() {
		want := ours.Get(i)
		got := theirs.ByNumber(want.Number())
		if got == nil || got.Name() != want.Name() || got.Kind() != want.Kind() || got.Cardinality() != want.Cardinality() {
			c.find(fd.Message(), "differs from the hub's own at the field %s", want.Name())
		}
	}
}

// ResultField returns the field of an answer that says what was found, or nil.
func ResultField(md protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	fd := md.Fields().ByName("result")
	if fd == nil || fd.Message() == nil || fd.Cardinality() == protoreflect.Repeated || fd.Message().FullName() != resultName {
		return nil
	}
	return fd
}

// message checks a message and all that it holds.
func (c *checker) message(md protoreflect.MessageDescriptor) {
	if c.seen[md.FullName()] {
		return
	}
	c.seen[md.FullName()] = true
	if md.IsPlaceholder() {
		c.find(md, "is not declared in the descriptor set")
		return
	}
	switch md.FullName() {
	case "google.protobuf.Any", "google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue":
		c.find(md, "can hold anything, so nothing in it can be labelled; declare the fields")
		return
	}
	if md.ExtensionRanges().Len() > 0 {
		c.find(md, "can be extended, so not all of it can be labelled; remove the extension range")
	}
	if md.Extensions().Len() > 0 {
		c.find(md, "declares extensions; declare fields")
	}
	for i := range md.Fields().Len() {
		c.field(md.Fields().Get(i))
	}
}

// field checks a field's shape and label, and the message it holds.
func (c *checker) field(fd protoreflect.FieldDescriptor) {
	if fd.Kind() == protoreflect.GroupKind {
		c.find(fd, "is a group; use a message")
	}
	if fd.Cardinality() == protoreflect.Required {
		c.find(fd, "is required, so an answer without it cannot be read")
	}
	value := fd
	if fd.IsMap() {
		value = fd.MapValue()
	}
	if e := value.Enum(); e != nil && e.IsClosed() {
		c.find(fd, "has a closed enum; use proto3, or an edition with open enums")
	}
	c.label(fd)
	if value.Message() != nil && !atomic(value.Message()) {
		c.message(value.Message())
	}
}

// label checks a field's label.
func (c *checker) label(fd protoreflect.FieldDescriptor) {
	p := Field(fd)
	switch class := p.GetClass(); {
	case p == nil:
		c.find(fd, "the field is not labelled; label it with (hub.v1.field)")
		return
	case class == hubv1.DataClass_DATA_CLASS_SECRET:
		c.find(fd, "is secret, and what is secret is not published")
	case !releasable(class):
		c.find(fd, "the field has no data class")
	}
	if !titled(p.GetTitle()) {
		c.find(fd, "the field has no title in both languages")
	}
	key, value := fd, fd
	if fd.IsMap() {
		key, value = fd.MapKey(), fd.MapValue()
	}
	if p.GetSubject() != 0 && value.Kind() != protoreflect.StringKind {
		c.find(fd, "names a data subject and is not a string")
	}
	if p.GetSubjectKey() != 0 && (!fd.IsMap() || key.Kind() != protoreflect.StringKind) {
		c.find(fd, "names data subjects by its keys and is not a map with string keys")
	}
}

// tooLarge reports whether md has more than MaxLeaves leaves.
func (w *leafWalk) tooLarge(md protoreflect.MessageDescriptor) bool {
	w.message(md, "", hubv1.DataClass_DATA_CLASS_PUBLIC)
	return w.cut
}
