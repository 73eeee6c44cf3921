package connector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/mask"
)

// maxMasks bounds how many different field lists a method remembers; with one more it forgets them all, so that who
// asks in ever new ways does not keep others from being remembered.
const maxMasks = 256

// service is one registered gRPC service.
type service struct {
	name    string
	title   string
	digest  [32]byte
	methods []*method
}

// method is all that is known of a method before the first call.
type method struct {
	service *service
	name    string // "registry.land.v1.LandService/GetParcel"
	effect  string // "read" or "write"
	desc    protoreflect.MethodDescriptor
	policy  *hubv1.MethodPolicy
	handler grpc.MethodHandler
	server  any
	asked   *contract.Census // whom the request is about
	told    *contract.Census // whom the answer is about, and what was found
	counts  counts
	masks   sync.Map // field list → *mask.Mask
	nmasks  int
	mu      sync.Mutex

	conditions conditions
}

// registrar collects what a registry registers.
type registrar struct {
	services []*service
	err      error
}

// compile reads the contracts of all registered services. It fails with every finding if one is not complete.
func compile(register func(grpc.ServiceRegistrar)) ([]*service, error) {
	r := &registrar{}
	register(r)
	if r.err == nil && len(r.services) == 0 {
		r.err = errors.New("connector: no service was registered")
	}
	return r.services, r.err
}

// RegisterService implements grpc.ServiceRegistrar.
func (r *registrar) RegisterService(sd *grpc.ServiceDesc, server any) {
	if slices.ContainsFunc(r.services, func(s *service) bool { return s.name == sd.ServiceName }) {
		r.err = errors.Join(r.err, fmt.Errorf("connector: %s is registered twice", sd.ServiceName))
	} else if s, err := compileService(sd, server); err != nil {
		r.err = errors.Join(r.err, fmt.Errorf("connector: %s: %w", sd.ServiceName, err))
	} else {
		r.services = append(r.services, s)
	}
}

func compileService(sd *grpc.ServiceDesc, server any) (*service, error) {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(sd.ServiceName))
	if err != nil {
		return nil, err
	}
	desc, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, errors.New("is not a service")
	}
	if err := contract.Check(desc); err != nil {
		return nil, err
	}
	s := &service{name: sd.ServiceName, digest: contract.Digest(desc), title: contract.Service(desc).GetTitle().GetEn()}
	for _, m := range sd.Methods {
		md := desc.Methods().ByName(protoreflect.Name(m.MethodName))
		policy := contract.Method(md)
		s.methods = append(s.methods, &method{
			service: s,
			name:    sd.ServiceName + "/" + m.MethodName,
			effect:  strings.ToLower(strings.TrimPrefix(policy.GetEffect().String(), "EFFECT_")),
			desc:    md,
			policy:  policy,
			handler: m.Handler,
			server:  server,
			asked:   contract.CompileCensus(md.Input()),
			told:    contract.CompileCensus(md.Output()),
		})
	}
	return s, nil
}

// mask returns what lets the fields of the list pass: leaf paths joined by commas.
func (m *method) mask(fields string) (*mask.Mask, error) {
	if found, ok := m.masks.Load(fields); ok {
		return found.(*mask.Mask), nil
	}
	var leaves []string
	if fields != "" {
		leaves = strings.Split(fields, ",")
	}
	made, err := mask.Compile(m.desc.Output(), leaves)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nmasks >= maxMasks {
		m.masks.Clear()
		m.nmasks = 0
	}
	m.nmasks++
	m.masks.Store(strings.Clone(fields), made)
	return made, nil
}
