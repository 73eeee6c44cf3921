package catalog

import (
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Live describes the services of whichever catalog is current, for gRPC server reflection:
//
//	live := catalog.Live(func() *catalog.Catalog { … })
//	reflection.NewServerV1(reflection.ServerOptions{Services: live, DescriptorResolver: live, ExtensionResolver: live})
//
// It shows what was published and the hub's own labels, nothing else that the binary links.
type Live func() *Catalog

// GetServiceInfo returns the services' names; their methods are looked up by descriptor.
func (l Live) GetServiceInfo() map[string]grpc.ServiceInfo {
	info := map[string]grpc.ServiceInfo{}
	for _, s := range l().Services() {
		info[s.Name] = grpc.ServiceInfo{Metadata: s.Desc.ParentFile().Path()}
	}
	return info
}

// FindFileByPath finds a published file or one that it imports.
func (l Live) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	for _, s := range l().Services() { // files of one path are the same in all of them
		if f, err := s.files.FindFileByPath(path); err == nil {
			return f, nil
		}
	}
	return nil, protoregistry.NotFound
}

// FindDescriptorByName finds anything declared in the published files and what they import.
func (l Live) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	for _, s := range l().Services() {
		if d, err := s.files.FindDescriptorByName(name); err == nil {
			return d, nil
		}
	}
	return nil, protoregistry.NotFound
}

// FindExtensionByName finds one of the hub's labels.
func (l Live) FindExtensionByName(name protoreflect.FullName) (protoreflect.ExtensionType, error) {
	return labels.FindExtensionByName(name)
}

// FindExtensionByNumber finds one of the hub's labels.
func (l Live) FindExtensionByNumber(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	return labels.FindExtensionByNumber(message, number)
}

// RangeExtensionsByMessage calls f for each of the hub's labels on a kind of options.
func (l Live) RangeExtensionsByMessage(message protoreflect.FullName, f func(protoreflect.ExtensionType) bool) {
	labels.RangeExtensionsByMessage(message, f)
}
