// Package catalog is what can be asked: the services that operators published, their methods and labels, and who
// answers for them where.
//
// A catalog is read from a directory of *.binpb files (FileDescriptorSets with their imports) and *.yaml offers
// (who provides a service, and where). It knows a registry by its descriptors alone: no generated code of one is
// linked, and none of the binary's own registered files are looked at but hub/v1 and google/protobuf.
//
// Invariants:
//   - A Catalog never changes; another state of the directory is another Catalog.
//   - A directory is read wholly or not at all.
//   - Every service in it passed contract.Check.
//
// What does not belong here: who may ask (agreement), who they are (member), and how a call gets there (courier).
package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lienthong/lienthong/gateway/yamlfile"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// DefaultDeadline is how long a call may take when neither the caller nor the contract says.
const DefaultDeadline = 5 * time.Second

// State is how far a service has come to being in official use.
type State string

// States of a service.
const (
	Test     State = "test"     // connected for trial; nobody may rely on it
	Official State = "official" // assessed and in official use
)

// Catalog is what can be asked, as published at one moment. A nil Catalog has nothing.
type Catalog struct {
	methods  map[string]*Method // by gRPC path
	services map[string]*Service
	ordered  []*Service // by name
	files    *protoregistry.Files
}

// Service is a registry's service.
type Service struct {
	Name      string       // full name, such as "registry.land.v1.LandService"
	Title     *hubv1.Title // what it is called
	State     State
	Digest    [32]byte // of its contract, see contract.Digest
	Desc      protoreflect.ServiceDescriptor
	Methods   []*Method          // in order of the contract
	Providers map[string]peer.ID // who answers, by jurisdiction; not to be changed
}

// Method is something that can be asked of a service.
type Method struct {
	Service  *Service
	Name     string              // "registry.land.v1.LandService/GetParcel"
	Policy   *hubv1.MethodPolicy // the contract's labels, never nil
	Input    protoreflect.MessageDescriptor
	Output   protoreflect.MessageDescriptor
	Deadline time.Duration // how long the hub waits when the caller does not say

	province *contract.Path   // the request field that names the jurisdiction; nil: the whole country answers
	asked    *contract.Census // whom a request is about
}

// Load reads the directory. The error lists everything that is wrong with it, by file and line where there is one.
func Load(dir string) (*Catalog, error) {
	files, descErr := readFiles(dir)
	offers, offerErr := readOffers(dir)
	if err := errors.Join(descErr, offerErr); err != nil {
		return nil, err
	}
	c := &Catalog{methods: map[string]*Method{}, services: map[string]*Service{}, files: files}
	var errs []error
	for _, o := range offers {
		if err := c.add(o); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.services)) {
		c.ordered = append(c.ordered, c.services[name])
	}
	return c, nil
}

// Method finds a method by its gRPC path, such as "/registry.land.v1.LandService/GetParcel".
func (c *Catalog) Method(full string) (*Method, bool) {
	if c == nil {
		return nil, false
	}
	m, ok := c.methods[full]
	return m, ok
}

// Service finds a service by its full name.
func (c *Catalog) Service(name string) (*Service, bool) {
	if c == nil {
		return nil, false
	}
	s, ok := c.services[name]
	return s, ok
}

// Services returns every service, by name. The slice is not to be changed.
func (c *Catalog) Services() []*Service {
	if c == nil {
		return nil
	}
	return c.ordered
}

// Method finds one of the service's methods by its short name, such as "GetParcel".
func (s *Service) Method(name string) (*Method, bool) {
	i := slices.IndexFunc(s.Methods, func(m *Method) bool { return m.Short() == name })
	if i < 0 {
		return nil, false
	}
	return s.Methods[i], true
}

// Short returns the method's name within its service, such as "GetParcel".
func (m *Method) Short() string { return m.Name[len(m.Service.Name)+1:] }

// Writes reports whether the method changes its registry.
func (m *Method) Writes() bool { return m.Policy.GetEffect() != hubv1.Effect_EFFECT_READ }

// Subjects counts whom a request is about into t. It fails if the request cannot be read to its end; then t has those
// that were read.
func (m *Method) Subjects(request []byte, t *contract.Tally) error { return m.asked.Count(request, t) }

// add puts an offered service into the catalog.
func (c *Catalog) add(o *offer) error {
	at := func(err error) error { return fmt.Errorf("%s:%d: %w", o.path, o.Service.Line, err) }
	name := o.Service.Value
	if _, twice := c.services[name]; twice {
		return at(fmt.Errorf("service %s is offered twice; keep one offer and list all its providers there", name))
	}
	found, err := c.files.FindDescriptorByName(protoreflect.FullName(name))
	if errors.Is(err, protoregistry.NotFound) {
		return at(fmt.Errorf("no .binpb file here describes service %s; publish its descriptor set first", name))
	}
	if err != nil {
		return at(err)
	}
	desc, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return at(fmt.Errorf("%s is not a service", name))
	}
	if err := contract.Check(desc); err != nil {
		return at(fmt.Errorf("the contract of %s cannot be published: %w", name, err))
	}
	s, err := newService(desc, o)
	if err != nil {
		return at(err)
	}
	c.services[name] = s
	for _, m := range s.Methods {
		c.methods["/"+m.Name] = m
	}
	return nil
}

func newService(desc protoreflect.ServiceDescriptor, o *offer) (*Service, error) {
	s := &Service{
		Name:      string(desc.FullName()),
		Title:     contract.Service(desc).GetTitle(),
		State:     State(o.State.Value),
		Digest:    contract.Digest(desc),
		Desc:      desc,
		Providers: o.providers,
	}
	for i := range desc.Methods().Len() {
		m, err := newMethod(s, desc.Methods().Get(i))
		if err != nil {
			return nil, err
		}
		if _, country := s.Providers[Country]; m.province == nil && !country {
			return nil, fmt.Errorf("%s is asked of the whole country, but no provider has jurisdiction %s", m.Name, Country)
		}
		s.Methods = append(s.Methods, m)
	}
	return s, nil
}

func newMethod(s *Service, desc protoreflect.MethodDescriptor) (*Method, error) {
	m := &Method{
		Service:  s,
		Name:     s.Name + "/" + string(desc.Name()),
		Policy:   contract.Method(desc),
		Input:    desc.Input(),
		Output:   desc.Output(),
		asked:    contract.CompileCensus(desc.Input()),
		Deadline: DefaultDeadline,
	}
	if d := m.Policy.GetDeadline(); d.IsValid() && d.AsDuration() > 0 {
		m.Deadline = d.AsDuration()
	}
	if field := m.Policy.GetJurisdiction(); field != "" {
		path, err := contract.CompilePath(m.Input, field)
		if err != nil {
			return nil, fmt.Errorf("jurisdiction of %s: %w", m.Name, err)
		}
		m.province = path
	}
	return m, nil
}

// readOffers reads the directory's offers, in order of file name.
func readOffers(dir string) ([]*offer, error) {
	paths, err := yamlfile.List(dir)
	if err != nil {
		return nil, fmt.Errorf("list offers: %w", err)
	}
	var offers []*offer
	var errs []error
	for _, path := range paths {
		o, err := readOffer(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		offers = append(offers, o)
	}
	return offers, errors.Join(errs...)
}
