package grpc

import (
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/lienthong/lienthong/gateway/catalog"
)

// ownFiles are what a client like grpcurl must know beside the catalog to check the hub's health and to read why a
// call was refused. Nothing else that the binary links is shown.
var ownFiles = map[string]bool{
	healthv1.File_grpc_health_v1_health_proto.Path():      true,
	errdetails.File_google_rpc_error_details_proto.Path(): true,
	durationpb.File_google_protobuf_duration_proto.Path(): true,
}

// described resolves names for reflection: the catalog's, then the hub's own. Only the catalog's are listed.
type described struct{ catalog.Live }

// FindFileByPath finds a file of the catalog or of the hub's own.
func (d described) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if f, err := d.Live.FindFileByPath(path); err == nil {
		return f, nil
	}
	if !ownFiles[path] {
		return nil, protoregistry.NotFound
	}
	return protoregistry.GlobalFiles.FindFileByPath(path)
}

// FindDescriptorByName finds what a file of the catalog or of the hub's own declares.
func (d described) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if found, err := d.Live.FindDescriptorByName(name); err == nil {
		return found, nil
	}
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil || !ownFiles[found.ParentFile().Path()] {
		return nil, protoregistry.NotFound
	}
	return found, nil
}
