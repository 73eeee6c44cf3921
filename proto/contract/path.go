package contract

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/proto/internal/wire"
)

// Path leads to one string field of a message. It is safe for concurrent use.
type Path struct {
	steps []int32 // field numbers, outermost first
}

// text reports whether fd holds one string.
func text(fd protoreflect.FieldDescriptor) bool {
	return fd.Kind() == protoreflect.StringKind && fd.Cardinality() != protoreflect.Repeated
}

// CompilePath returns the way to the string field that path names by proto names joined by dots. Lists, maps and
// members of a oneof cannot lie on it, because then there need not be one value. It fails with ErrUnknown when
// there is no such field.
func CompilePath(md protoreflect.MessageDescriptor, path string) (*Path, error) {
	fd, _, err := resolve(md, path)
	if err != nil {
		return nil, fmt.Errorf("field %q of %s: %w", path, md.FullName(), err)
	}
	if !text(fd) {
		return nil, fmt.Errorf("field %q of %s is not a single string", path, md.FullName())
	}
	p := new(Path)
	for step := range strings.SplitSeq(path, ".") {
		fd := md.Fields().ByName(protoreflect.Name(step))
		if fd.Cardinality() == protoreflect.Repeated || real(fd.ContainingOneof()) {
			return nil, fmt.Errorf("field %q of %s is in a list, a map or a oneof", path, md.FullName())
		}
		p.steps = append(p.steps, int32(fd.Number()))
		md = fd.Message()
	}
	return p, nil
}

// real reports whether od is a oneof that was written as one, not the shadow of an optional field.
func real(od protoreflect.OneofDescriptor) bool { return od != nil && !od.IsSynthetic() }

// String returns the field's value in the message, as decoding would: the last one counts. It reports false when
// the field is absent, when the message is malformed and when the value is not UTF-8.
func (p *Path) String(message []byte) (string, bool) {
	value, ok := find(message, p.steps)
	if value == nil || !ok || !utf8.Valid(value) {
		return "", false
	}
	return string(value), true
}

// find returns the last value that steps lead to, nil when there is none, and whether the message could be read.
func find(b []byte, steps []int32) (value []byte, ok bool) {
	for i := 0; i < len(b); {
		num, typ, at := wire.Tag(b, i)
		if at < 0 {
			return nil, false
		}
		next, err := wire.Skip(b, at, num, typ)
		if err != nil {
			return nil, false
		}
		i = next
		if num != steps[0] || typ != wire.Bytes {
			continue
		}
		body, end := wire.Length(b, at)
		inner := b[body:end:end]
		if len(steps) > 1 {
			if inner, ok = find(inner, steps[1:]); !ok {
				return nil, false
			}
		}
		if inner != nil {
			value = inner
		}
	}
	return value, true
}
