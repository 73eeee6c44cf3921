// Package catalog is what can be asked: the services that were published, their methods and labels, who answers for them
// where, and whether they may be asked now.
//
// A catalog is read from the hub's state. It knows a registry by its descriptors alone: no generated code of one is
// linked, and none of the binary's own registered files are looked at but hub/v1 and google/protobuf.
//
// Invariants:
//   - A Catalog never changes; another state is another Catalog. A service that did not change is the same *Service.
//   - Every service in it passed contract.Check.
//   - Each item of data has one owner (R06).
//   - No contract is published that breaks what an agreement names.
//
// What does not belong here: who may ask (agreement), who they are (member), and how a call gets there (courier).
package catalog

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// DefaultDeadline is how long a call may take when neither the caller nor the contract says.
const DefaultDeadline = 5 * time.Second

// State is how far a service has come to being in official use (R19).
type State string

// States of a service.
const (
	Test      State = "test"      // connected for trial: it is not asked
	Assessed  State = "assessed"  // its security was assessed: it is not asked yet
	Official  State = "official"  // in official use
	Suspended State = "suspended" // withdrawn from use for a while
)

// Catalog is what can be asked, as published at one moment. A nil Catalog has nothing.
type Catalog struct {
	methods  map[string]*Method // by gRPC path
	services map[string]*Service
	ordered  []*Service // by name
	items    []Item
}

// Service is a registry's service.
type Service struct {
	Name        string       // full name, such as "registry.land.v1.LandService"
	Title       *hubv1.Title // what it is called
	Owner       string       // agency code
	State       State
	SafetyLevel int      // 1 to 5; 0 not determined
	Assessed    string   // day of the security assessment; "" none yet
	Digest      [32]byte // of its contract, see contract.Digest
	Desc        protoreflect.ServiceDescriptor
	Methods     []*Method          // in order of the contract
	Providers   map[string]peer.ID // who answers, by jurisdiction; not to be changed
	Stops       []Stop             // announced, in order of time

	files    *protoregistry.Files
	revision int64 // of its row
}

// Stop is a time in which a service does not answer, as was announced.
type Stop struct {
	Number       int64
	Jurisdiction string // empty: all
	From, Until  time.Time
	Announced    time.Time
	Unforeseen   bool // force majeure
	Text         string

	fault *reason.Fault
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

var notOfficial = &reason.Fault{Reason: reason.ServiceNotOfficial}

// Admits fails with SERVICE_NOT_OFFICIAL if the service is not in official use, and with SERVICE_PLANNED_STOP, which says
// until when, if it is stopped in a jurisdiction. It does not allocate.
func (s *Service) Admits(jurisdiction string, now time.Time) error {
	if s.State != Official {
		return notOfficial
	}
	for i := range s.Stops {
		stop := &s.Stops[i]
		if (stop.Jurisdiction == "" || stop.Jurisdiction == jurisdiction) && !now.Before(stop.From) && now.Before(stop.Until) {
			return stop.fault
		}
	}
	return nil
}

// Short returns the method's name within its service, such as "GetParcel".
func (m *Method) Short() string { return m.Name[len(m.Service.Name)+1:] }

// Writes reports whether the method changes its registry.
func (m *Method) Writes() bool { return m.Policy.GetEffect() != hubv1.Effect_EFFECT_READ }

// Subjects counts whom a request is about into t. It fails if the request cannot be read to its end; then t has those
// that were read.
func (m *Method) Subjects(request []byte, t *contract.Tally) error { return m.asked.Count(request, t) }

// Entry is a service as it is kept.
type Entry struct {
	Name        string
	Owner       string
	State       State
	SafetyLevel int
	Assessed    string
	Files       []byte // FileDescriptorSet
	Providers   map[string]peer.ID
	Stops       []Stop
	Revision    int64
}

// New makes a catalog of services. What before has of the same revision is used again; before may be nil.
func New(entries []Entry, items []Item, before *Catalog) (*Catalog, error) {
	c := &Catalog{methods: map[string]*Method{}, services: map[string]*Service{}, items: items}
	for _, e := range entries {
		s, known := before.Service(e.Name)
		if !known || s.revision != e.Revision || e.Revision == 0 {
			var err error
			if s, err = newService(e); err != nil {
				return nil, err
			}
		}
		c.services[s.Name] = s
		for _, m := range s.Methods {
			c.methods["/"+m.Name] = m
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.services)) {
		c.ordered = append(c.ordered, c.services[name])
	}
	return c, nil
}

func newService(e Entry) (*Service, error) {
	set, err := parseSet(e.Files)
	if err != nil {
		return nil, fmt.Errorf("descriptors of %s: %w", e.Name, err)
	}
	files, err := build(set)
	if err != nil {
		return nil, fmt.Errorf("descriptors of %s: %w", e.Name, err)
	}
	desc, err := findService(files, e.Name)
	if err != nil {
		return nil, err
	}
	if err := contract.Check(desc); err != nil {
		return nil, fmt.Errorf("the contract of %s cannot be published: %w", e.Name, err)
	}
	s := &Service{
		Name: e.Name, Title: contract.Service(desc).GetTitle(), Owner: e.Owner, State: e.State, SafetyLevel: e.SafetyLevel,
		Assessed: e.Assessed, Digest: contract.Digest(desc), Desc: desc, Providers: e.Providers, Stops: slices.Clone(e.Stops),
		files: files, revision: e.Revision,
	}
	for i := range s.Stops {
		s.Stops[i].fault = reason.ServicePlannedStop.Until(s.Stops[i].Until)
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
