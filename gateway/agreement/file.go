package agreement

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/yamlfile"
	"github.com/lienthong/lienthong/proto/contract"
	"github.com/lienthong/lienthong/proto/peer"
)

// hanoi is the time that dates of agreements are in: Asia/Ho_Chi_Minh, which has had no other offset since 1975.
var hanoi = time.FixedZone("Asia/Ho_Chi_Minh", 7*60*60)

// Forms of what stands in records, headers and file names.
var (
	idForm      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	versionForm = regexp.MustCompile(`^[1-9][0-9]{0,8}$`)
)

// document is an agreement as written. All keys are required where nothing else is said.
type document struct {
	ID              yamlfile.Text `yaml:"id"`      // names the agreement in records and refusals
	Version         yamlfile.Text `yaml:"version"` // from 1; each version is a file, and their times do not overlap
	Title           yamlfile.Text `yaml:"title"`   // may be left out
	Consumer        consumerDoc   `yaml:"consumer"`
	Provider        yamlfile.Text `yaml:"provider"`         // agency code; where provinces answer for themselves, one agreement for each
	Service         yamlfile.Text `yaml:"service"`          // full name
	ValidFrom       yamlfile.Text `yaml:"valid_from"`       // its first day, in Hà Nội
	ValidTo         yamlfile.Text `yaml:"valid_to"`         // its last day
	CaseRequired    yamlfile.Flag `yaml:"case_required"`    // over the contract's label, if not left out
	OfficerRequired yamlfile.Flag `yaml:"officer_required"` // over the contract's label, if not left out
	Purposes        []purposeDoc  `yaml:"purposes"`
	Methods         []methodDoc   `yaml:"methods"`
}

type consumerDoc struct {
	Agency  yamlfile.Text   `yaml:"agency"`
	Systems []yamlfile.Text `yaml:"systems"`
}

// purposeDoc allows all methods of the agreement; what differs by purpose is another agreement.
type purposeDoc struct {
	Code       yamlfile.Text   `yaml:"code"` // sent as lt-purpose
	Title      yamlfile.Text   `yaml:"title"`
	LegalBasis yamlfile.Text   `yaml:"legal_basis"`
	Procedures []yamlfile.Text `yaml:"procedures"` // may be left out
}

type methodDoc struct {
	Name   yamlfile.Text   `yaml:"name"`   // within the service, such as GetPerson
	Fields []yamlfile.Text `yaml:"fields"` // paths of the answer; a message means its leaves that are not sensitive
}

// reader turns one document into an agreement and notes all that is wrong with it.
type reader struct {
	*yamlfile.File
	doc document
	out *Agreement
}

// read reads one agreement. The error lists all that is wrong with the file.
func read(path string, c *catalog.Catalog) (*Agreement, error) {
	r := &reader{out: &Agreement{Path: path}}
	var err error
	if r.File, err = yamlfile.Read(path, &r.doc); err != nil {
		return nil, err
	}
	r.head()
	r.consumer()
	r.time()
	r.purposes()
	r.service(c)
	if err := r.Err(); err != nil {
		return nil, err
	}
	r.out.refusals = newRefusals(r.out)
	return r.out, nil
}

func (r *reader) head() {
	d, a := &r.doc, r.out
	a.Title, a.file = d.Title.Value, fmt.Sprintf("%s:%d", a.Path, max(d.ID.Line, 1))
	if a.ID = d.ID.Value; r.Require(d.ID, 0, "id", "a name such as H27-DC-01") && !idForm.MatchString(a.ID) {
		r.Errorf(d.ID.Line, "id %q; expected up to 64 letters, digits, dots, dashes and underscores", a.ID)
	}
	if r.Require(d.Version, 0, "version", "a number from 1") {
		if !versionForm.MatchString(d.Version.Value) {
			r.Errorf(d.Version.Line, "version %q; expected a number from 1", d.Version.Value)
		}
		a.Version, _ = strconv.ParseInt(d.Version.Value, 10, 64)
	}
	if d.CaseRequired.Line > 0 {
		a.caseRequired = &d.CaseRequired.Value
	}
	if d.OfficerRequired.Line > 0 {
		a.officerRequired = &d.OfficerRequired.Value
	}
}

func (r *reader) consumer() {
	d := &r.doc.Consumer
	r.Require(d.Agency, 0, "consumer.agency", "an agency code such as H27")
	r.out.Agency = d.Agency.Value
	if len(d.Systems) == 0 {
		r.Errorf(d.Agency.Line, "consumer.systems is empty; expected the systems that may ask, such as one-stop")
	}
	for _, s := range d.Systems {
		id, err := peer.ParseID(d.Agency.Value + "/" + s.Value)
		if err != nil {
			r.Errorf(max(s.Line, d.Agency.Line), "%q is not an agency's system: %w", d.Agency.Value+"/"+s.Value, err)
			continue
		}
		if slices.Contains(r.out.Systems, id.System) {
			r.Errorf(s.Line, "system %s is named twice", s.Value)
		}
		r.out.Systems = append(r.out.Systems, id.System)
	}
}

func (r *reader) time() {
	from, okFrom := r.date(r.doc.ValidFrom, "valid_from")
	to, okTo := r.date(r.doc.ValidTo, "valid_to")
	if !okFrom || !okTo {
		return
	}
	if to.Before(from) {
		r.Errorf(r.doc.ValidTo.Line, "valid_to %s lies before valid_from %s", r.doc.ValidTo.Value, r.doc.ValidFrom.Value)
	}
	r.out.From, r.out.Until = from, to.AddDate(0, 0, 1) // its last day belongs to it
	r.out.from, r.out.until = r.out.From.Unix(), r.out.Until.Unix()
}

func (r *reader) date(t yamlfile.Text, key string) (time.Time, bool) {
	if !r.Require(t, 0, key, "a date such as 2026-01-01") {
		return time.Time{}, false
	}
	day, err := time.ParseInLocation(time.DateOnly, t.Value, hanoi)
	if err != nil {
		r.Errorf(t.Line, "%s %q is not a day; expected one such as 2026-01-01", key, t.Value)
	}
	return day, err == nil
}

func (r *reader) purposes() {
	if len(r.doc.Purposes) == 0 {
		r.Errorf(0, "purposes is empty; expected a list of code, title and legal_basis")
	}
	for _, d := range r.doc.Purposes {
		line := max(d.Code.Line, d.Title.Line, d.LegalBasis.Line)
		r.Require(d.Title, line, "title of the purpose", "what the data is for")
		r.Require(d.LegalBasis, line, "legal_basis of the purpose", "the law, decree or resolution, with its article")
		if !r.Require(d.Code, line, "code of the purpose", "a short code such as HT-KS") {
			continue
		}
		if !idForm.MatchString(d.Code.Value) {
			r.Errorf(d.Code.Line, "code %q; expected up to 64 letters, digits, dots, dashes and underscores", d.Code.Value)
		}
		if slices.ContainsFunc(r.out.Purposes, func(p Purpose) bool { return p.Code == d.Code.Value }) {
			r.Errorf(d.Code.Line, "purpose %s is named twice", d.Code.Value)
		}
		p := Purpose{Code: d.Code.Value, Title: d.Title.Value, LegalBasis: d.LegalBasis.Value}
		for _, procedure := range d.Procedures {
			r.Require(procedure, line, "a procedure's code", "one such as 1.004222")
			p.Procedures = append(p.Procedures, procedure.Value)
		}
		r.out.Purposes = append(r.out.Purposes, p)
	}
}

func (r *reader) service(c *catalog.Catalog) {
	d := &r.doc
	r.Require(d.Provider, 0, "provider", "the agency that owns the registry, such as G01")
	r.out.Provider = d.Provider.Value
	if !r.Require(d.Service, 0, "service", "a published service's full name") {
		return
	}
	s, ok := c.Service(d.Service.Value)
	if !ok {
		r.Errorf(d.Service.Line, "service %s is not in the catalog; expected one of: %s", d.Service.Value, published(c))
		return
	}
	r.out.Service = s
	if !provides(s, d.Provider.Value) {
		r.Errorf(d.Provider.Line, "%s does not provide %s; see its offer in the catalog for who does", d.Provider.Value, s.Name)
	}
	if len(d.Methods) == 0 {
		r.Errorf(0, "methods is empty; expected a list of name and fields")
	}
	for _, m := range d.Methods {
		r.method(s, m)
	}
}

func (r *reader) method(s *catalog.Service, d methodDoc) {
	if !r.Require(d.Name, r.doc.Service.Line, "name of the method", "one of: "+methods(s)) {
		return
	}
	m, ok := s.Method(d.Name.Value)
	if !ok {
		r.Errorf(d.Name.Line, "%s has no method %s; expected one of: %s", s.Name, d.Name.Value, methods(s))
		return
	}
	if slices.ContainsFunc(r.out.Methods, func(o Method) bool { return o.Method == m }) {
		r.Errorf(d.Name.Line, "method %s is named twice", d.Name.Value)
	}
	if len(d.Fields) == 0 {
		r.Errorf(d.Name.Line, "fields of %s is empty; expected paths of %s, or result alone", d.Name.Value, m.Output.FullName())
	}
	out := Method{Method: m}
	for _, f := range d.Fields {
		leaves, err := expand(m.Output, f.Value)
		if err != nil {
			r.Errorf(max(f.Line, d.Name.Line), "%s: %w; expected a path such as: %s", d.Name.Value, err, examples(m))
			continue
		}
		out.Fields = append(out.Fields, leaves...)
	}
	slices.Sort(out.Fields)
	out.Fields = slices.DeleteFunc(slices.Compact(out.Fields), isResult)
	r.out.Methods = append(r.out.Methods, out)
}

var errEverything = errors.New("* is not a field: an agreement names what it releases")

func published(c *catalog.Catalog) string {
	var names []string
	for _, s := range c.Services() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

func provides(s *catalog.Service, agency string) bool {
	for _, id := range s.Providers {
		if id.Agency == agency {
			return true
		}
	}
	return false
}

func methods(s *catalog.Service) string {
	var names []string
	for _, m := range s.Methods {
		names = append(names, m.Short())
	}
	return strings.Join(names, ", ")
}

// examples names some of the fields that an answer has.
func examples(m *catalog.Method) string {
	var paths []string
	for _, l := range contract.Leaves(m.Output) {
		if !isResult(l.Path) && len(paths) < 8 {
			paths = append(paths, l.Path)
		}
	}
	return strings.Join(paths, ", ")
}
