// Package yamlfile reads the hub's YAML files strictly: a key that is not known is refused, every value keeps its
// line, and every complaint says file, line and what was expected.
//
// What does not belong here: what the values mean.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSize is how large one file may be, in bytes: a slip of the hand, not a policy, is larger.
const maxSize = 1 << 20

// Text is one value as it was written, whatever type YAML would give it ("08", 1.000110 and 2026-01-01 stay as
// they are), and the line it stands on. Line 0: it was left out.
type Text struct {
	Value string
	Line  int
}

// UnmarshalYAML takes the value as written.
func (t *Text) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: expected one value, found %s", n.Line, kinds[n.Kind])
	}
	t.Value, t.Line = n.Value, n.Line
	return nil
}

// Flag is a yes or no that may be left out: Line is 0 then.
type Flag struct {
	Value bool
	Line  int
}

// UnmarshalYAML takes true or false.
func (f *Flag) UnmarshalYAML(n *yaml.Node) error {
	if err := n.Decode(&f.Value); err != nil {
		return fmt.Errorf("line %d: expected true or false", n.Line)
	}
	f.Line = n.Line
	return nil
}

var kinds = map[yaml.Kind]string{yaml.SequenceNode: "a list", yaml.MappingNode: "keys and values"}

// File is one file that is being read, and what is wrong with it.
type File struct {
	Path string
	errs []error
}

// Errorf notes something wrong at a line; line 0 means the file as a whole.
func (f *File) Errorf(line int, format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf("%s:%d: "+format, append([]any{f.Path, max(line, 1)}, args...)...))
}

// Require notes that a key was left out or is empty, and reports whether it is there. Line is that of the
// entry the key belongs to.
func (f *File) Require(t Text, line int, key, expected string) bool {
	if t.Value == "" {
		f.Errorf(max(t.Line, line), "%s is missing; expected %s", key, expected)
		return false
	}
	return true
}

// Err returns everything that was noted, or nil.
func (f *File) Err() error { return errors.Join(f.errs...) }

// Read reads the one YAML document in the file into v, a pointer to a struct, and refuses keys that v lacks.
// The File takes what the caller finds wrong in v.
func Read(path string, v any) (*File, error) {
	data, err := readLimited(path)
	if err != nil {
		return &File{Path: path}, err
	}
	return Parse(path, data, v)
}

// Parse is Read of text that is in memory; path is what complaints call it.
func Parse(path string, data []byte, v any) (*File, error) {
	f := &File{Path: path}
	if len(data) > maxSize {
		f.Errorf(0, "the file is over %d bytes", maxSize)
		return f, f.Err()
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(v); err != nil {
		f.complain(err)
		return f, f.Err()
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		f.Errorf(0, "expected one document, found more behind a line of dashes")
		return f, f.Err()
	}
	return f, nil
}

func readLimited(path string) ([]byte, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("%s:1: the file is over %d bytes", path, maxSize)
	}
	return data, nil
}

// Complaints of the YAML library: a line, then what is wrong; and how it names a key that is not known.
var (
	lineOf     = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknownKey = regexp.MustCompile(`^field (\S+) not found in type \S+$`)
)

func (f *File) complain(err error) {
	lines := []string{err.Error()}
	var types *yaml.TypeError
	if errors.As(err, &types) {
		lines = types.Errors
	}
	if errors.Is(err, io.EOF) {
		lines = []string{"the file is empty"}
	}
	for _, text := range lines {
		line := 0
		if m := lineOf.FindStringSubmatch(text); m != nil {
			fmt.Sscan(m[1], &line)
			text = m[2]
		}
		if m := unknownKey.FindStringSubmatch(text); m != nil {
			text = "unknown key " + m[1]
		}
		f.Errorf(line, "%s", strings.TrimPrefix(text, "yaml: "))
	}
}

// List returns the paths of the directory's .yaml files in order of name. A directory that does not exist has
// none. A file that only looks like one (.yml) is refused rather than passed over.
func List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch filepath.Ext(e.Name()) {
		case ".yaml":
			paths = append(paths, path)
		case ".yml":
			return nil, fmt.Errorf("%s:1: the file would be passed over; name it .yaml", path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}
