package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// WriteFileSet publishes files with all their imports as a descriptor set at path. The same files give the same
// bytes, imports come before what imports them, the file appears whole, and it is left alone if it says so already.
func WriteFileSet(path string, files ...protoreflect.FileDescriptor) error {
	set := new(descriptorpb.FileDescriptorSet)
	seen := map[string]bool{}
	for _, f := range files {
		collect(set, seen, f)
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		return fmt.Errorf("write descriptor set: %w", err)
	}
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write descriptor set: %w", err)
	}
	return replace(path, data)
}

func collect(set *descriptorpb.FileDescriptorSet, seen map[string]bool, f protoreflect.FileDescriptor) {
	if seen[f.Path()] {
		return
	}
	seen[f.Path()] = true
	for i := range f.Imports().Len() {
		collect(set, seen, f.Imports().Get(i).FileDescriptor)
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
}

// replace puts data at path in one step: whoever reads path sees the old file or the new one.
func replace(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write descriptor set: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".fileset-*")
	if err != nil {
		return fmt.Errorf("write descriptor set: %w", err)
	}
	defer os.Remove(tmp.Name()) // gone already when the rename went well
	_, writeErr := tmp.Write(data)
	err = errors.Join(writeErr, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write descriptor set: %w", err)
	}
	return nil
}
