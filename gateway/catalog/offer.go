package catalog

import (
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/gateway/yamlfile"
	"github.com/lienthong/lienthong/proto/peer"
)

// Offer is what operators write of a service beside its contract, as YAML: who owns it, how far it has come, who
// answers where, and of which items of data it is the source.
type Offer struct {
	doc       offerDoc
	providers map[string]peer.ID
	items     []Item
	level     int
}

type offerDoc struct {
	Service     yamlfile.Text   `yaml:"service"`      // full name
	Owner       yamlfile.Text   `yaml:"owner"`        // agency code
	State       yamlfile.Text   `yaml:"state"`        // of a service that is new: test, assessed or official
	SafetyLevel yamlfile.Text   `yaml:"safety_level"` // of the system, 1 to 5
	Assessed    yamlfile.Text   `yaml:"assessed"`     // day of the security assessment
	Providers   []offerProvider `yaml:"providers"`
	Items       []offerItem     `yaml:"items"`
}

type offerProvider struct {
	Jurisdiction yamlfile.Text `yaml:"jurisdiction"`
	Agency       yamlfile.Text `yaml:"agency"`
	System       yamlfile.Text `yaml:"system"`
}

type offerItem struct {
	Item  yamlfile.Text `yaml:"item"`  // "person.birth_date"
	Field yamlfile.Text `yaml:"field"` // "Person.birth_date", within the contract's package
	Copy  yamlfile.Flag `yaml:"copy"`  // of what another service owns
}

// ReadOffer reads an offer from a file. The error lists all that is wrong with it, by file and line.
func ReadOffer(files fs.FS, name string) (*Offer, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("read offer: %w", err)
	}
	return ParseOffer(name, text)
}

// ParseOffer is ReadOffer of text that is in memory; name is what complaints call it.
func ParseOffer(name string, text []byte) (*Offer, error) {
	o := &Offer{providers: map[string]peer.ID{}}
	f, err := yamlfile.Parse(name, text, &o.doc)
	if err != nil {
		return nil, err
	}
	o.check(f)
	if err := f.Err(); err != nil {
		return nil, err
	}
	return o, nil
}

// Name is the service's full name.
func (o *Offer) Name() string { return o.doc.Service.Value }

// Publication is the offer with its contract.
func (o *Offer) Publication(set *descriptorpb.FileDescriptorSet) Publication {
	return Publication{
		Files: set, Service: o.Name(), Owner: o.doc.Owner.Value, State: State(o.doc.State.Value), SafetyLevel: o.level,
		Assessed: o.doc.Assessed.Value, Providers: o.providers, Items: o.items,
	}
}

func (o *Offer) check(f *yamlfile.File) {
	d := &o.doc
	if f.Require(d.Service, 0, "service", "a service's full name, such as registry.land.v1.LandService") &&
		!protoreflect.FullName(d.Service.Value).IsValid() {
		f.Errorf(d.Service.Line, "%q is not a service's full name; expected one such as registry.land.v1.LandService", d.Service.Value)
	}
	switch State(d.State.Value) {
	case Test, Assessed, Official:
	default:
		f.Errorf(d.State.Line, "state is %q; expected %s, %s or %s", d.State.Value, Test, Assessed, Official)
	}
	if d.SafetyLevel.Line > 0 {
		level, err := strconv.Atoi(d.SafetyLevel.Value)
		if err != nil || level < 1 || level > 5 {
			f.Errorf(d.SafetyLevel.Line, "safety_level %q; expected 1 to 5", d.SafetyLevel.Value)
		}
		o.level = level
	}
	if d.Assessed.Line > 0 {
		if _, err := time.Parse(time.DateOnly, d.Assessed.Value); err != nil {
			f.Errorf(d.Assessed.Line, "assessed %q is not a day; expected one such as 2026-01-01", d.Assessed.Value)
		}
	}
	if len(d.Providers) == 0 {
		f.Errorf(0, "providers is missing; expected a list of jurisdiction, agency and system")
	}
	for _, p := range d.Providers {
		o.addProvider(f, p)
	}
	if d.Owner.Value == "" { // of a service with one provider there is no doubt
		d.Owner.Value = o.soleProvider()
		f.Require(d.Owner, d.Owner.Line, "owner", "the agency that owns the service, such as H27.14")
	}
	for _, i := range d.Items {
		o.addItem(f, i)
	}
}

// soleProvider is who answers for the country, or the only one who answers.
func (o *Offer) soleProvider() string {
	if id, ok := o.providers[Country]; ok {
		return id.Agency
	}
	for _, id := range o.providers {
		if len(o.providers) == 1 {
			return id.Agency
		}
	}
	return ""
}

func (o *Offer) addProvider(f *yamlfile.File, p offerProvider) {
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

// itemForm is that of an item's name.
var itemForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}$`)

func (o *Offer) addItem(f *yamlfile.File, i offerItem) {
	line := max(i.Item.Line, i.Field.Line)
	if !f.Require(i.Item, line, "item", "an item of data such as person.birth_date") || !f.Require(i.Field, line, "field", "a field of the contract such as Person.birth_date") {
		return
	}
	if !itemForm.MatchString(i.Item.Value) {
		f.Errorf(i.Item.Line, "item %q; expected lower-case words joined by dots, such as person.birth_date", i.Item.Value)
		return
	}
	o.items = append(o.items, Item{Name: i.Item.Value, Service: o.Name(), Field: i.Field.Value, Copy: i.Copy.Value})
}
