package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// maxFileSet is how large a descriptor set may be, in bytes.
const maxFileSet = 32 << 20

// labels resolves the options that the hub reads, and no others.
var labels = func() *protoregistry.Types {
	t := new(protoregistry.Types)
	for _, x := range []protoreflect.ExtensionType{hubv1.E_Service, hubv1.E_Method, hubv1.E_Field} {
		if err := t.RegisterExtension(x); err != nil {
			panic(err) // three different extensions
		}
	}
	return t
}()

// shared reports whether a file's meaning is the hub's own: the binary's copy stands for whatever was published.
func shared(path string) bool {
	return strings.HasPrefix(path, "google/protobuf/") || strings.HasPrefix(path, "hub/v1/")
}

// published is the files of all descriptor sets of a directory.
type published struct {
	files map[string]*descriptorpb.FileDescriptorProto // by path
	from  map[string]string                            // the set that a file came from, by path
	built *protoregistry.Files
	open  map[string]bool // files whose imports are being built
}

// readFiles reads every descriptor set of the directory into one registry of files.
func readFiles(dir string) (*protoregistry.Files, error) {
	sets, err := filepath.Glob(filepath.Join(dir, "*.binpb"))
	if err != nil {
		return nil, fmt.Errorf("list descriptor sets: %w", err)
	}
	slices.Sort(sets)
	p := &published{
		files: map[string]*descriptorpb.FileDescriptorProto{},
		from:  map[string]string{},
		built: new(protoregistry.Files),
		open:  map[string]bool{},
	}
	var errs []error
	for _, set := range sets {
		if err := p.read(set); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", set, err))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	for path := range p.files {
		if err := p.build(path); err != nil {
			return nil, fmt.Errorf("%s: %w", p.from[path], err)
		}
	}
	return p.built, nil
}

// read takes a descriptor set's files. The same file in two sets must be the same.
func (p *published) read(set string) error {
	info, err := os.Stat(set)
	if err != nil {
		return err
	}
	if info.Size() > maxFileSet {
		return fmt.Errorf("the descriptor set is over %d bytes", maxFileSet)
	}
	data, err := os.ReadFile(set)
	if err != nil {
		return err
	}
	var fds descriptorpb.FileDescriptorSet
	if err := (proto.UnmarshalOptions{Resolver: labels}).Unmarshal(data, &fds); err != nil {
		return fmt.Errorf("not a FileDescriptorSet (write it with: buf build -o x.binpb): %w", err)
	}
	for _, f := range fds.GetFile() {
		f.SourceCodeInfo = nil // its comments are not part of the contract
		path := f.GetName()
		if old, ok := p.files[path]; ok && !sameFile(old, f) {
			return fmt.Errorf("%s differs from the one in %s; publish both from the same source", path, p.from[path])
		}
		p.files[path], p.from[path] = f, set
	}
	return nil
}

func sameFile(a, b *descriptorpb.FileDescriptorProto) bool {
	if shared(a.GetName()) {
		return true // neither is used
	}
	opts := proto.MarshalOptions{Deterministic: true}
	x, errX := opts.Marshal(a)
	y, errY := opts.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// build turns a file into descriptors, its imports first.
func (p *published) build(path string) error {
	if _, err := p.built.FindFileByPath(path); err == nil {
		return nil
	}
	if shared(path) {
		return p.link(path)
	}
	f, ok := p.files[path]
	if !ok {
		return fmt.Errorf("%s is imported and not in any descriptor set; build the set with its imports", path)
	}
	if p.open[path] {
		return fmt.Errorf("%s imports itself", path)
	}
	p.open[path] = true
	for _, dep := range f.GetDependency() {
		if err := p.build(dep); err != nil {
			return err
		}
	}
	desc, err := protodesc.NewFile(f, p.built)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return p.built.RegisterFile(desc)
}

// link takes a shared file from the binary, so that its options are the ones that the hub understands.
func (p *published) link(path string) error {
	desc, err := protoregistry.GlobalFiles.FindFileByPath(path)
	if err != nil {
		return fmt.Errorf("this hub does not know %s, which a descriptor set imports: %w", path, err)
	}
	for i := range desc.Imports().Len() {
		if err := p.build(desc.Imports().Get(i).Path()); err != nil {
			return err
		}
	}
	return p.built.RegisterFile(desc)
}
