package agreement

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/mask"
	"github.com/lienthong/lienthong/proto/reason"
)

const (
	maxAsked    = 4096 // bytes of lt-fields that are looked at
	maxNarrowed = 64   // field lists that a rule remembers
	maxWithheld = 2000 // bytes of Grant.Withheld: it rides in a header of 2 KiB
	more        = ",..."
)

// release is a set of leaf paths, ready to be released.
type release struct {
	paths     string // sorted, joined by commas, those of `result` among them
	mask      *mask.Mask
	withheld  string
	sensitive bool
}

// fields is what a method's answer has, and what of it is agreed. Rules with the same fields share one.
type fields struct {
	method *catalog.Method
	agreed map[string]bool // leaf paths, those of `result` among them
	all    *release
}

// compiler makes each set of agreed fields once, however many agreements have it.
type compiler map[compiledKey]*fields

type compiledKey struct {
	method *catalog.Method
	paths  string
}

func (c compiler) fields(m Method) (*fields, error) {
	key := compiledKey{m.Method, strings.Join(m.Fields, ",")}
	if f, ok := c[key]; ok {
		return f, nil
	}
	f := &fields{method: m.Method, agreed: map[string]bool{}}
	for _, path := range m.Fields {
		f.agreed[path] = true
	}
	var leaves []string
	for _, l := range contract.Leaves(m.Method.Output) {
		leaves = append(leaves, l.Path)
		if isResult(l.Path) {
			f.agreed[l.Path] = true
		}
	}
	var err error
	if f.all, err = f.release(append(leaves, m.Fields...)); err != nil {
		return nil, err
	}
	c[key] = f
	return f, nil
}

// release divides the leaf paths that were asked for into agreed and withheld.
func (f *fields) release(asked []string) (*release, error) {
	slices.Sort(asked)
	var allowed, withheld []string
	for _, path := range slices.Compact(asked) {
		if f.agreed[path] {
			allowed = append(allowed, path)
		} else {
			withheld = append(withheld, path)
		}
	}
	m, err := mask.Compile(f.method.Output, allowed)
	if err != nil {
		return nil, err
	}
	return &release{
		paths:     strings.Join(allowed, ","),
		mask:      m,
		withheld:  shorten(withheld),
		sensitive: slices.ContainsFunc(allowed, func(path string) bool { return isSensitive(f.method.Output, path) }),
	}, nil
}

// shorten joins paths by commas, and cuts the list between two of them where it grows too long for a header.
func shorten(paths []string) string {
	all := strings.Join(paths, ",")
	if len(all) <= maxWithheld {
		return all
	}
	cut := strings.LastIndexByte(all[:maxWithheld-len(more)+1], ',')
	return all[:max(cut, 0)] + more
}

// narrow releases what of lt-fields is agreed. It fails with FieldUnknown, FieldsNotAgreed or MetadataInvalid.
func (f *fields) narrow(asked string) (*release, error) {
	if len(asked) > maxAsked {
		return nil, reason.MetadataInvalid
	}
	var leaves []string
	seen := map[string]bool{} // what is named a thousand times is looked at once
	for path := range strings.SplitSeq(asked, ",") {
		if path = strings.TrimSpace(path); seen[path] {
			continue
		}
		seen[path] = true
		got, err := expand(f.method.Output, path)
		switch {
		case errors.Is(err, contract.ErrSensitive), errors.Is(err, contract.ErrUnlabelled):
			got = []string{path} // it is there, and not to be had by this name
		case err != nil:
			return nil, reason.FieldUnknown
		}
		leaves = append(leaves, got...)
	}
	if !slices.ContainsFunc(leaves, func(path string) bool { return f.agreed[path] }) {
		return nil, reason.FieldsNotAgreed
	}
	for path := range f.agreed {
		if isResult(path) {
			leaves = append(leaves, path)
		}
	}
	return f.release(leaves)
}

// narrowed remembers grants by lt-fields as it was sent. It is read without a lock.
type narrowed struct {
	grants atomic.Pointer[map[string]*Grant]
}

func (n *narrowed) find(asked string) *Grant {
	if m := n.grants.Load(); m != nil {
		return (*m)[asked]
	}
	return nil
}

// keep remembers a grant. When it has too many it forgets them all: a consumer that asks in ever new ways pays for
// it, and no other does. Two that keep at the same moment may lose one, which is then made again.
func (n *narrowed) keep(asked string, g *Grant) {
	next := map[string]*Grant{}
	if m := n.grants.Load(); m != nil && len(*m) < maxNarrowed {
		next = maps.Clone(*m)
	}
	next[strings.Clone(asked)] = g
	n.grants.Store(&next)
}

// expand is contract.Expand of one path, but knows no "*": what is released or asked for is named.
func expand(md protoreflect.MessageDescriptor, path string) ([]string, error) {
	if path == "*" {
		return nil, errEverything
	}
	return contract.Expand(md, []string{path})
}

// isResult reports whether a leaf is of the answer's result, which is always released.
func isResult(path string) bool { return strings.HasPrefix(path, "result.") }

// isSensitive reports whether a field on the path is sensitive.
func isSensitive(md protoreflect.MessageDescriptor, path string) bool {
	for step := range strings.SplitSeq(path, ".") {
		fd := md.Fields().ByName(protoreflect.Name(step))
		if contract.Field(fd).GetClass() == hubv1.DataClass_DATA_CLASS_SENSITIVE {
			return true
		}
		md = contract.Inner(fd)
	}
	return false
}
