package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// objects are the objects of a document by where they stand, with the keys that they must have.
var objects = map[string][]string{
	"":             {"version", "origin", "seq", "salt", "prev", "digest", "record", "record_view", "fields", "inclusion", "checkpoint"},
	".fields":      {"released", "withheld"},
	".inclusion":   {"index", "tree_size", "hashes"},
	".consistency": {"checkpoint", "hashes"},
}

// optional are the keys that a document may have besides.
var optional = []string{"consistency"}

// view is where the record's JSON stands. It is passed over here: protobuf's own reader is as strict, and it may be
// long.
const view = ".record_view"

// maxDepth is how deep a document's values may be nested.
const maxDepth = 4

// checkForm refuses what encoding/json would pass over: unknown keys, keys that differ in case, doubled and missing
// keys, and null. It is no deeper than a document, so that hostile nesting costs nothing.
func checkForm(text []byte) error {
	f := form{dec: json.NewDecoder(bytes.NewReader(text))}
	f.dec.UseNumber()
	return f.value("", 0)
}

type form struct{ dec *json.Decoder }

// value reads one value that stands at path.
func (f *form) value(path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("values are nested deeper than %d levels", maxDepth)
	}
	if path == view {
		var raw json.RawMessage
		return f.dec.Decode(&raw)
	}
	t, err := f.dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("it ends too early")
	case err != nil:
		return err
	case t == json.Delim('{'):
		return f.object(path, depth)
	case path == "":
		return errors.New("it is not a JSON object")
	case t == json.Delim('['):
		return f.array(path, depth)
	case t == nil:
		return fmt.Errorf("%s is null", quote(path))
	}
	return nil
}

func (f *form) array(path string, depth int) error {
	for f.dec.More() {
		if err := f.value(path+"[]", depth+1); err != nil {
			return err
		}
	}
	_, err := f.dec.Token()
	return err
}

func (f *form) object(path string, depth int) error {
	seen := map[string]bool{}
	for f.dec.More() {
		t, err := f.dec.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if seen[key] {
			return fmt.Errorf("key %s stands twice in one object", quote(key))
		}
		seen[key] = true
		if !allowed(path, key) {
			return fmt.Errorf("key %s is unknown", quote(key))
		}
		if err := f.value(path+"."+key, depth+1); err != nil {
			return err
		}
	}
	if _, err := f.dec.Token(); err != nil {
		return err
	}
	for _, key := range objects[path] {
		if !seen[key] {
			return fmt.Errorf("key %s is missing", quote(key))
		}
	}
	return nil
}

func allowed(path, key string) bool {
	return slices.Contains(objects[path], key) || path == "" && slices.Contains(optional, key)
}

// quote shows text from a document that may be hostile: escaped, and not at any length.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
