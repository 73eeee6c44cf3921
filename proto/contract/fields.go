package contract

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/internal/wire"
)

// MaxLeaves is how many leaves a message may have.
const MaxLeaves = 4096

// What can be wrong with an agreement's field list. The error that wraps one of them names the path.
var (
	// ErrUnknown says that the message has no such field.
	ErrUnknown = errors.New("no such field")
	// ErrUnlabelled says that a field on the path has no data class, or a secret one: it is never released.
	ErrUnlabelled = errors.New("never released: the field has no data class, or is secret")
	// ErrSensitive says that the path holds sensitive leaves only: each must be named.
	ErrSensitive = errors.New("holds nothing but sensitive fields: name them one by one")
	// ErrTooMany says that a message has more leaves than MaxLeaves, or a path more steps than can be nested.
	ErrTooMany = errors.New("too many fields")
)

// Leaf is a field that holds a value of its own: a scalar, a list or map of scalars, a time.
type Leaf struct {
	// Path leads to the field by proto names, joined by dots; lists and maps add no step. Example: "person.name.full".
	Path string
	// Field is the leaf itself.
	Field protoreflect.FieldDescriptor
	// Class is the strictest class on the path: what lies in a sensitive message is sensitive. It is
	// DATA_CLASS_UNSPECIFIED when a field on the path has no class.
	Class hubv1.DataClass
}

// Inner returns the message whose fields continue a path after fd: the message type of a field or of a map's
// values. It is nil when fd is a leaf: a scalar, a Timestamp or Duration, or a message that has no fields.
func Inner(fd protoreflect.FieldDescriptor) protoreflect.MessageDescriptor {
	if fd.IsMap() {
		fd = fd.MapValue()
	}
	md := fd.Message()
	if md == nil || md.Fields().Len() == 0 || atomic(md) {
		return nil
	}
	return md
}

// atomic reports whether md is a value by itself, labelled by the field that holds it.
func atomic(md protoreflect.MessageDescriptor) bool {
	return md.FullName() == "google.protobuf.Timestamp" || md.FullName() == "google.protobuf.Duration"
}

// Leaves lists the leaves of a message, in the order of its fields. A type is not entered again inside itself.
// At most MaxLeaves are listed.
func Leaves(md protoreflect.MessageDescriptor) []Leaf {
	w := leafWalk{}
	w.message(md, "", hubv1.DataClass_DATA_CLASS_PUBLIC)
	return w.leaves
}

// Expand turns an agreement's field list into leaf paths, sorted, each once. A path that leads to a message means
// the leaves in it that are not sensitive; "*" means those of the whole message. It fails with ErrUnknown,
// ErrUnlabelled, ErrSensitive or ErrTooMany, naming the path.
func Expand(md protoreflect.MessageDescriptor, paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		leaves, err := expand(md, path)
		if err != nil {
			return nil, fmt.Errorf("field %q of %s: %w", path, md.FullName(), err)
		}
		out = append(out, leaves...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// expand returns the leaf paths that one path means.
func expand(md protoreflect.MessageDescriptor, path string) ([]string, error) {
	class := hubv1.DataClass_DATA_CLASS_PUBLIC
	prefix := ""
	if path != "*" {
		fd, c, err := resolve(md, path)
		if err != nil {
			return nil, err
		}
		if !releasable(c) {
			return nil, ErrUnlabelled
		}
		if md = Inner(fd); md == nil {
			return []string{path}, nil
		}
		class, prefix = c, path+"."
	}
	w := leafWalk{}
	if w.message(md, prefix, class); w.cut {
		return nil, ErrTooMany
	}
	return plain(w.leaves)
}

// plain returns the paths of the leaves that are not sensitive.
func plain(leaves []Leaf) ([]string, error) {
	var out []string
	for _, l := range leaves {
		if !releasable(l.Class) {
			return nil, fmt.Errorf("%s: %w", l.Path, ErrUnlabelled)
		}
		if l.Class != hubv1.DataClass_DATA_CLASS_SENSITIVE {
			out = append(out, l.Path)
		}
	}
	if len(out) == 0 {
		return nil, ErrSensitive
	}
	return out, nil
}

// resolve follows path from md and returns the field it ends at and the strictest class on the way.
func resolve(md protoreflect.MessageDescriptor, path string) (protoreflect.FieldDescriptor, hubv1.DataClass, error) {
	steps := strings.Split(path, ".")
	if len(steps) > wire.MaxDepth+1 {
		return nil, 0, ErrTooMany
	}
	class := hubv1.DataClass_DATA_CLASS_PUBLIC
	var fd protoreflect.FieldDescriptor
	for _, step := range steps {
		if md == nil {
			return nil, 0, ErrUnknown
		}
		if fd = md.Fields().ByName(protoreflect.Name(step)); fd == nil {
			return nil, 0, ErrUnknown
		}
		class = stricter(class, Field(fd).GetClass())
		md = Inner(fd)
	}
	return fd, class, nil
}

// releasable reports whether a field of the class may be released to anybody at all.
func releasable(c hubv1.DataClass) bool {
	return c >= hubv1.DataClass_DATA_CLASS_PUBLIC && c <= hubv1.DataClass_DATA_CLASS_SENSITIVE
}

// stricter returns the class of a field inside another. No class, or one not known here, is stricter than all.
func stricter(a, b hubv1.DataClass) hubv1.DataClass {
	if !releasable(a) {
		return a
	}
	if !releasable(b) {
		return b
	}
	return max(a, b)
}

// leafWalk collects the leaves of a message.
type leafWalk struct {
	leaves  []Leaf
	entered []protoreflect.FullName // types that the walk is inside of
	visits  int                     // messages entered, in all
	cut     bool                    // there are more than MaxLeaves
}

// message adds the leaves of md, whose paths begin with prefix and which lies in fields of the class.
func (w *leafWalk) message(md protoreflect.MessageDescriptor, prefix string, class hubv1.DataClass) {
	if slices.Contains(w.entered, md.FullName()) || len(w.entered) > wire.MaxDepth {
		return
	}
	w.visits++
	w.cut = w.cut || w.visits > MaxLeaves
	w.entered = append(w.entered, md.FullName())
	for i := 0; i < md.Fields().Len() && !w.cut; i++ {
		fd := md.Fields().Get(i)
		path := prefix + string(fd.Name())
		c := stricter(class, Field(fd).GetClass())
		if inner := Inner(fd); inner != nil {
			w.message(inner, path+".", c)
			continue
		}
		if w.cut = len(w.leaves) == MaxLeaves; !w.cut {
			w.leaves = append(w.leaves, Leaf{Path: path, Field: fd, Class: c})
		}
	}
	w.entered = w.entered[:len(w.entered)-1]
}
