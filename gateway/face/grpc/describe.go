package grpc

import (
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/catalog"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// ownFiles are what a client like grpcurl must know beside the catalog to check the hub's health and to read why a
// call was refused. Nothing else that the binary links is shown.
var ownFiles = map[string]bool{
	healthv1.File_grpc_health_v1_health_proto.Path():      true,
	errdetails.File_google_rpc_error_details_proto.Path(): true,
	durationpb.File_google_protobuf_duration_proto.Path(): true,

	hubv1.File_hub_v1_ledger_service_proto.Path():             true,
	hubv1.File_hub_v1_ledger_proto.Path():                     true,
	hubv1.File_hub_v1_call_proto.Path():                       true,
	hubv1.File_hub_v1_result_proto.Path():                     true,
	hubv1.File_hub_v1_options_proto.Path():                    true,
	timestamppb.File_google_protobuf_timestamp_proto.Path():   true,
	descriptorpb.File_google_protobuf_descriptor_proto.Path(): true,
}

// listed are the services that reflection names: the catalog's, and the hub's own that clients look for there.
type listed struct {
	catalog.Live
	own *grpc.Server
}

// GetServiceInfo lists the services of this moment.
func (l listed) GetServiceInfo() map[string]grpc.ServiceInfo {
	all := l.Live.GetServiceInfo()
	for name, info := range l.own.GetServiceInfo() {
		if strings.HasPrefix(name, "hub.") {
			all[name] = info
		}
	}
	return all
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
