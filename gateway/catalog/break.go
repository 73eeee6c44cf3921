package catalog

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Break is what a new contract would take from an agreement.
type Break struct {
	Agreement string `json:"agreement"`
	Method    string `json:"method"`
	Field     string `json:"field,omitempty"` // of the answer, or "request." and one of the question
	What      string `json:"what"`
}

// BreakError lists the agreements that a new contract would break.
type BreakError struct{ Breaks []Break }

// Error names them, each in a line.
func (e *BreakError) Error() string {
	lines := []string{"the new contract breaks what agreements name; keep the old fields, or have the agreements changed first:"}
	for _, b := range e.Breaks {
		at := b.Method
		if b.Field != "" {
			at += ", " + b.Field
		}
		lines = append(lines, fmt.Sprintf("  %s: %s: %s", b.Agreement, at, b.What))
	}
	return strings.Join(lines, "\n")
}

// broken compares two contracts of a service in what agreements name of it.
func broken(old, next *Service, uses []Use) error {
	var all []Break
	for _, u := range uses {
		was, ok := old.Method(u.Method)
		if !ok {
			continue
		}
		is, ok := next.Method(u.Method)
		if !ok {
			all = append(all, Break{u.Agreement, u.Method, "", "the method is gone"})
			continue
		}
		if was.Writes() != is.Writes() {
			all = append(all, Break{u.Agreement, u.Method, "", "it read its registry and now changes it, or the other way"})
		}
		for _, path := range u.Fields {
			if what := changed(was.Output, is.Output, path, true); what != "" {
				all = append(all, Break{u.Agreement, u.Method, path, what})
			}
		}
		for _, path := range u.RequestFields {
			if what := changed(was.Input, is.Input, path, false); what != "" {
				all = append(all, Break{u.Agreement, u.Method, "request." + path, what})
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b Break) int {
		return strings.Compare(a.Agreement+" "+a.Method+" "+a.Field, b.Agreement+" "+b.Method+" "+b.Field)
	})
	return &BreakError{all}
}

// changed says what became of a field; empty if nothing that matters.
func changed(old, next protoreflect.MessageDescriptor, path string, released bool) string {
	for step := range strings.SplitSeq(path, ".") {
		if old == nil || next == nil {
			return "it is not there any more"
		}
		was, is := old.Fields().ByName(protoreflect.Name(step)), next.Fields().ByName(protoreflect.Name(step))
		switch {
		case was == nil:
			return "" // it was not there before either
		case is == nil:
			return "it is not there any more"
		case was.Number() != is.Number():
			return fmt.Sprintf("its number was %d and is %d", was.Number(), is.Number())
		case was.Kind() != is.Kind():
			return fmt.Sprintf("its type was %s and is %s", was.Kind(), is.Kind())
		case was.IsList() != is.IsList() || was.IsMap() != is.IsMap():
			return "it was one value and is many, or the other way"
		case released && !sensitive(was) && sensitive(is):
			return "it is sensitive now, and was agreed as one that is not"
		case released && contract.Field(is).GetClass() == hubv1.DataClass_DATA_CLASS_UNSPECIFIED:
			return "it has no data class any more"
		}
		old, next = contract.Inner(was), contract.Inner(is)
	}
	return ""
}

func sensitive(fd protoreflect.FieldDescriptor) bool {
	return contract.Field(fd).GetClass() == hubv1.DataClass_DATA_CLASS_SENSITIVE
}

// clash is the path of a file that two services have of the same name and with different content; empty if none.
func clash(a, b *Service) (path string) {
	a.files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if shared(f.Path()) {
			return true
		}
		other, err := b.files.FindFileByPath(f.Path())
		if err == nil && !proto.Equal(protodesc.ToFileDescriptorProto(f), protodesc.ToFileDescriptorProto(other)) {
			path = f.Path()
			return false
		}
		return true
	})
	return path
}
