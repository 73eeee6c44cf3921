package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"google.golang.org/grpc"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// ownServices begins the names of the hub's own services, such as hub.v1.LedgerService.
const ownServices = "hub."

// Services lists the full names of the services that the hub's catalog has, sorted. The hub's own are left out.
func Services(ctx context.Context, conn grpc.ClientConnInterface) ([]string, error) {
	answer, err := reflect(ctx, conn, &reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{ListServices: "*"},
	})
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	var names []string
	for _, s := range answer.GetListServicesResponse().GetService() {
		if name := s.GetName(); !strings.HasPrefix(name, ownServices) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Describe fetches a service's contract, labels included, from the hub's catalog.
func Describe(ctx context.Context, conn grpc.ClientConnInterface, service string) (protoreflect.ServiceDescriptor, error) {
	answer, err := reflect(ctx, conn, &reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service},
	})
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", service, err)
	}
	if answer.GetErrorResponse() != nil {
		return nil, fmt.Errorf("the hub's catalog has no service %s; list what it has with: lienthong services", service)
	}
	set := new(descriptorpb.FileDescriptorSet)
	for _, raw := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(raw, file); err != nil {
			return nil, fmt.Errorf("describe %s: %w", service, err)
		}
		set.File = append(set.File, file)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", service, err)
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", service, err)
	}
	desc, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is not a service", service)
	}
	return desc, nil
}

// reflect asks one question of the hub's reflection service.
func reflect(ctx context.Context, conn grpc.ClientConnInterface, q *reflectionv1.ServerReflectionRequest) (*reflectionv1.ServerReflectionResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	// A stream that the hub refused before the question was sent fails the sending with io.EOF; receiving says why.
	if err := stream.Send(q); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return stream.Recv()
}
