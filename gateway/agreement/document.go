package agreement

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/gateway/yamlfile"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Document is an agreement as people write it: YAML with the names of hub.v1.Agreement.
type Document struct {
	Doc  *hubv1.Agreement
	File string

	lines map[string]int // by path
}

// Place says where a path of the document stands, such as "agreements/a.yaml:12".
func (d *Document) Place(path string) string { return fmt.Sprintf("%s:%d", d.File, d.line(path)) }

// line is that of the path, or of the nearest thing above it that was written.
func (d *Document) line(path string) int {
	for path != "" {
		if line, ok := d.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1
}

// Errors turns problems into complaints with their places.
func (d *Document) Errors(problems []Problem) error {
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = fmt.Errorf("%s: %s", d.Place(p.Path), p.Text)
	}
	return errors.Join(errs...)
}

// ReadFile reads one document. The error lists all that is wrong with it as YAML, by file and line.
func ReadFile(path string) (*Document, error) {
	var root yaml.Node
	f, err := yamlfile.Read(path, &root)
	if err != nil {
		return nil, err
	}
	return document(f, &root)
}

// Parse is ReadFile of text that is in memory; name is what complaints call it.
func Parse(name string, text []byte) (*Document, error) {
	var root yaml.Node
	f, err := yamlfile.Parse(name, text, &root)
	if err != nil {
		return nil, err
	}
	return document(f, &root)
}

// ReadDir reads every *.yaml file of a directory: all of them, or none if one has a mistake.
func ReadDir(dir string) ([]*Document, error) {
	paths, err := yamlfile.List(dir)
	if err != nil {
		return nil, fmt.Errorf("list agreements: %w", err)
	}
	var docs []*Document
	var errs []error
	for _, path := range paths {
		d, err := ReadFile(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		docs = append(docs, d)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return docs, nil
}

func document(f *yamlfile.File, root *yaml.Node) (*Document, error) {
	d := &Document{Doc: new(hubv1.Agreement), File: f.Path, lines: map[string]int{}}
	r := &nodes{File: f, lines: d.lines}
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
	}
	r.message(d.Doc.ProtoReflect(), root, "")
	if err := f.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

// nodes turns YAML into a message, by the names of its fields, and notes all that does not fit.
type nodes struct {
	*yamlfile.File
	lines map[string]int
}

func (r *nodes) message(m protoreflect.Message, n *yaml.Node, path string) {
	if n.Kind != yaml.MappingNode {
		r.Errorf(n.Line, "expected keys and values (%s)%s", names(m.Descriptor()), of(path))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		fd := m.Descriptor().Fields().ByName(protoreflect.Name(key.Value))
		if fd == nil {
			r.Errorf(key.Line, "unknown key %s%s; expected one of: %s", short(key.Value), of(path), names(m.Descriptor()))
			continue
		}
		at := join(path, key.Value)
		if _, twice := r.lines[at]; twice {
			r.Errorf(key.Line, "key %s is given twice", at)
			continue
		}
		r.lines[at] = value.Line
		if value.Line == 0 {
			r.lines[at] = key.Line
		}
		r.field(m, fd, value, at)
	}
}

func (r *nodes) field(m protoreflect.Message, fd protoreflect.FieldDescriptor, n *yaml.Node, path string) {
	switch {
	case n.Kind == yaml.AliasNode:
		r.Errorf(n.Line, "%s: expected the value itself, found an alias", path)
	case fd.IsList():
		r.list(m.Mutable(fd).List(), fd, n, path)
	case fd.Message() != nil:
		r.message(m.Mutable(fd).Message(), n, path)
	default:
		if v, ok := r.scalar(fd, n, path); ok {
			m.Set(fd, v)
		}
	}
}

func (r *nodes) list(list protoreflect.List, fd protoreflect.FieldDescriptor, n *yaml.Node, path string) {
	if n.Kind != yaml.SequenceNode {
		r.Errorf(n.Line, "%s: expected a list, such as [%s]", path, example(fd))
		return
	}
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		r.lines[at] = item.Line
		switch {
		case item.Kind == yaml.AliasNode:
			r.Errorf(item.Line, "%s: expected the value itself, found an alias", at)
		case fd.Message() != nil:
			r.message(list.AppendMutable().Message(), item, at)
		default:
			if v, ok := r.scalar(fd, item, at); ok {
				list.Append(v)
			}
		}
	}
}

// scalar takes a value as it was written, whatever type YAML would give it: 08, 1.000110 and 2026-01-01 stay text.
func (r *nodes) scalar(fd protoreflect.FieldDescriptor, n *yaml.Node, path string) (protoreflect.Value, bool) {
	if n.Kind != yaml.ScalarNode {
		r.Errorf(n.Line, "%s: expected one value, found %s", path, kinds[n.Kind])
		return protoreflect.Value{}, false
	}
	text := n.Value
	if n.Tag == "!!null" {
		text = ""
	}
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text), true
	case protoreflect.BoolKind:
		if text == "true" || text == "false" {
			return protoreflect.ValueOfBool(text == "true"), true
		}
		r.Errorf(n.Line, "%s: expected true or false", path)
	case protoreflect.EnumKind:
		if v := enumValue(fd.Enum(), text); v != nil {
			return protoreflect.ValueOfEnum(v.Number()), true
		}
		r.Errorf(n.Line, "%s %q; expected one of: %s", path, short(text), strings.Join(enumWords(fd.Enum()), ", "))
	case protoreflect.Int32Kind:
		if v, err := strconv.ParseInt(text, 10, 32); err == nil {
			return protoreflect.ValueOfInt32(int32(v)), true
		}
		r.Errorf(n.Line, "%s %q; expected a whole number", path, short(text))
	case protoreflect.Int64Kind:
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			return protoreflect.ValueOfInt64(v), true
		}
		r.Errorf(n.Line, "%s %q; expected a whole number", path, short(text))
	}
	return protoreflect.Value{}, false
}

var kinds = map[yaml.Kind]string{yaml.SequenceNode: "a list", yaml.MappingNode: "keys and values", yaml.AliasNode: "an alias"}

// enumWords are the values of an enum as people write them: without the enum's name, in lower case.
func enumWords(ed protoreflect.EnumDescriptor) []string {
	var words []string
	for i := range ed.Values().Len() {
		if v := ed.Values().Get(i); v.Number() != 0 {
			words = append(words, enumWord(v))
		}
	}
	return words
}

// enumWord cuts the prefix that all values of an enum have in common with its first, NAME_UNSPECIFIED.
func enumWord(v protoreflect.EnumValueDescriptor) string {
	first := v.Parent().(protoreflect.EnumDescriptor).Values().Get(0)
	prefix := strings.TrimSuffix(string(first.Name()), "UNSPECIFIED")
	return strings.ToLower(strings.TrimPrefix(string(v.Name()), prefix))
}

func enumValue(ed protoreflect.EnumDescriptor, word string) protoreflect.EnumValueDescriptor {
	for i := range ed.Values().Len() {
		if v := ed.Values().Get(i); v.Number() != 0 && enumWord(v) == word {
			return v
		}
	}
	return nil
}

func names(md protoreflect.MessageDescriptor) string {
	var all []string
	for i := range md.Fields().Len() {
		all = append(all, string(md.Fields().Get(i).Name()))
	}
	return strings.Join(all, ", ")
}

func example(fd protoreflect.FieldDescriptor) string {
	if fd.Message() != nil {
		return "{" + strings.ReplaceAll(names(fd.Message()), ", ", ": …, ") + ": …}"
	}
	return "…, …"
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func of(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// short cuts text that somebody else wrote, for a complaint.
func short(text string) string {
	if len(text) > 80 {
		text = text[:80] + "…"
	}
	return strings.ToValidUTF8(text, "?")
}
