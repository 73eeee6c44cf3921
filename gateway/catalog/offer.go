package catalog

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/gateway/yamlfile"
	"github.com/lienthong/lienthong/proto/peer"
)

// offer is a *.yaml file of the catalog: one service, its state, and who provides it where.
type offer struct {
	Service   yamlfile.Text   `yaml:"service"`
	State     yamlfile.Text   `yaml:"state"`
	Providers []offerProvider `yaml:"providers"`

	path      string
	providers map[string]peer.ID
}

type offerProvider struct {
	Jurisdiction yamlfile.Text `yaml:"jurisdiction"`
	Agency       yamlfile.Text `yaml:"agency"`
	System       yamlfile.Text `yaml:"system"`
}

// readOffer reads an offer and checks all of it that can be checked without the descriptors.
func readOffer(path string) (*offer, error) {
	o := &offer{path: path, providers: map[string]peer.ID{}}
	f, err := yamlfile.Read(path, o)
	if err != nil {
		return nil, err
	}
	if f.Require(o.Service, 0, "service", "a service's full name, such as registry.land.v1.LandService") &&
		!protoreflect.FullName(o.Service.Value).IsValid() {
		f.Errorf(o.Service.Line, "%q is not a service's full name; expected one such as registry.land.v1.LandService", o.Service.Value)
	}
	switch State(o.State.Value) {
	case Test, Official:
	default:
		f.Errorf(o.State.Line, "state is %q; expected %s or %s", o.State.Value, Test, Official)
	}
	if len(o.Providers) == 0 {
		f.Errorf(0, "providers is missing; expected a list of jurisdiction, agency and system")
	}
	for _, p := range o.Providers {
		o.addProvider(f, p)
	}
	return o, f.Err()
}

func (o *offer) addProvider(f *yamlfile.File, p offerProvider) {
	line := max(p.Jurisdiction.Line, p.Agency.Line, p.System.Line)
	if !f.Require(p.Jurisdiction, line, "jurisdiction", "vn or a province code") ||
		!f.Require(p.Agency, line, "agency", "an agency code such as H27") ||
		!f.Require(p.System, line, "system", "a system name such as registry-land") {
		return
	}
	where := p.Jurisdiction.Value
	if where != Country && !isProvince(where) {
		f.Errorf(p.Jurisdiction.Line, "jurisdiction %q is not known; expected vn or one of the 34 province codes", where)
		return
	}
	if _, twice := o.providers[where]; twice {
		f.Errorf(p.Jurisdiction.Line, "jurisdiction %s has two providers; expected one", where)
		return
	}
	id, err := peer.ParseID(p.Agency.Value + "/" + p.System.Value)
	if err != nil {
		f.Errorf(p.Agency.Line, "%s/%s is not an agency's system: %w", p.Agency.Value, p.System.Value, err)
		return
	}
	o.providers[where] = id
}
