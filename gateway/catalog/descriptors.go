package catalog

import (
	"bytes"
	"errors"
	"fmt"
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

// ReadFileSet reads a descriptor set, as `buf build -o x.binpb` writes it.
func ReadFileSet(data []byte) (*descriptorpb.FileDescriptorSet, error) { return parseSet(data) }

func parseSet(data []byte) (*descriptorpb.FileDescriptorSet, error) {
	if len(data) > maxFileSet {
		return nil, fmt.Errorf("the descriptor set is over %d bytes", maxFileSet)
	}
	var set descriptorpb.FileDescriptorSet
	if err := (proto.UnmarshalOptions{Resolver: labels}).Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("not a FileDescriptorSet (write it with: buf build -o x.binpb): %w", err)
	}
	return &set, nil
}

// only cuts a set down to the file that declares a service and what it imports, without comments, imports first. So a
// service is not another one for what else its source tree has.
func only(set *descriptorpb.FileDescriptorSet, service string) (*descriptorpb.FileDescriptorSet, error) {
	byPath := map[string]*descriptorpb.FileDescriptorProto{}
	root := ""
	for _, f := range set.GetFile() {
		if old, twice := byPath[f.GetName()]; twice && !sameFile(old, f) {
			return nil, fmt.Errorf("the descriptor set has two different files %s", f.GetName())
		}
		byPath[f.GetName()] = f
		for _, s := range f.GetService() {
			if strings.TrimPrefix(f.GetPackage()+"."+s.GetName(), ".") == service {
				root = f.GetName()
			}
		}
	}
	if root == "" {
		return nil, fmt.Errorf("the descriptor set does not describe service %s; it has: %s", service, strings.Join(servicesOf(set), ", "))
	}
	out := new(descriptorpb.FileDescriptorSet)
	seen := map[string]bool{}
	var take func(path string)
	take = func(path string) {
		f := byPath[path]
		if f == nil || seen[path] {
			return
		}
		seen[path] = true
		for _, dep := range f.GetDependency() {
			take(dep)
		}
		own := proto.CloneOf(f)
		own.SourceCodeInfo = nil
		out.File = append(out.File, own)
	}
	take(root)
	return out, nil
}

// servicesOf are the names of the services that a set's own files declare.
func servicesOf(set *descriptorpb.FileDescriptorSet) (names []string) {
	for _, f := range set.GetFile() {
		for _, s := range f.GetService() {
			if !shared(f.GetName()) {
				names = append(names, strings.TrimPrefix(f.GetPackage()+"."+s.GetName(), "."))
			}
		}
	}
	return names
}

func sameFile(a, b *descriptorpb.FileDescriptorProto) bool {
	if shared(a.GetName()) {
		return true // neither is used
	}
	opts := proto.MarshalOptions{Deterministic: true}
	a, b = proto.CloneOf(a), proto.CloneOf(b)
	a.SourceCodeInfo, b.SourceCodeInfo = nil, nil
	x, errX := opts.Marshal(a)
	y, errY := opts.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func findService(files *protoregistry.Files, name string) (protoreflect.ServiceDescriptor, error) {
	found, err := files.FindDescriptorByName(protoreflect.FullName(name))
	if errors.Is(err, protoregistry.NotFound) {
		return nil, fmt.Errorf("no file describes service %s", name)
	}
	if err != nil {
		return nil, err
	}
	desc, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is not a service", name)
	}
	return desc, nil
}

// building turns files into descriptors.
type building struct {
	files map[string]*descriptorpb.FileDescriptorProto // by path
	built *protoregistry.Files
	open  map[string]bool // files whose imports are being built
}

// build turns a set into descriptors that resolve one another's names.
func build(set *descriptorpb.FileDescriptorSet) (*protoregistry.Files, error) {
	b := &building{files: map[string]*descriptorpb.FileDescriptorProto{}, built: new(protoregistry.Files), open: map[string]bool{}}
	for _, f := range set.GetFile() {
		b.files[f.GetName()] = f
	}
	for _, f := range set.GetFile() {
		if err := b.file(f.GetName()); err != nil {
			return nil, err
		}
	}
	return b.built, nil
}

// file turns a file into descriptors, its imports first.
func (b *building) file(path string) error {
	if _, err := b.built.FindFileByPath(path); err == nil {
		return nil
	}
	if shared(path) {
		return b.link(path)
	}
	f, ok := b.files[path]
	if !ok {
		return fmt.Errorf("%s is imported and not in the descriptor set; build the set with its imports", path)
	}
	if b.open[path] {
		return fmt.Errorf("%s imports itself", path)
	}
	b.open[path] = true
	for _, dep := range f.GetDependency() {
		if err := b.file(dep); err != nil {
			return err
		}
	}
	desc, err := protodesc.NewFile(f, b.built)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return b.built.RegisterFile(desc)
}

// link takes a shared file from the binary, so that its options are the ones that the hub understands.
func (b *building) link(path string) error {
	desc, err := protoregistry.GlobalFiles.FindFileByPath(path)
	if err != nil {
		return fmt.Errorf("this hub does not know %s, which a descriptor set imports: %w", path, err)
	}
	for i := range desc.Imports().Len() {
		if err := b.file(desc.Imports().Get(i).Path()); err != nil {
			return err
		}
	}
	return b.built.RegisterFile(desc)
}
