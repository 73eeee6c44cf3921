package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

type catalogPublish struct {
	File         string `short:"f" required:"" help:"The service's descriptors with all imports, as buf build -o descriptors.binpb writes them." type:"existingfile" placeholder:"FILE"`
	Offer        string `help:"What is said of the service beside its contract, in YAML; or say it with the flags below." type:"existingfile" placeholder:"FILE"`
	Service      string `help:"Full name of the service, if the descriptors have several." placeholder:"SERVICE"`
	Owner        string `help:"Agency that owns it (default: the one that does)." placeholder:"AGENCY"`
	Jurisdiction string `help:"Where --system answers: vn, or a province code (default: as it was)." placeholder:"CODE"`
	System       string `help:"The owner's system that answers (default: registry-, and the contract's package)." placeholder:"NAME"`
	Yes          bool   `help:"Do it. Without this, only say what would change."`
}

// Help is shown below the command's usage.
func (catalogPublish) Help() string {
	return `A new service is in state test, unless its offer says more. Of a service that was published before, this puts the next version
of its contract in force; its state stays what it is. A contract that takes from an agreement what it names is refused, with
the list of agreements: keep the old fields, or have the agreements changed first.

  lienthong catalog publish -f descriptors.binpb --owner H27.14 --jurisdiction 42        # says what would change
  lienthong catalog publish -f descriptors.binpb --owner H27.14 --jurisdiction 42 --yes
  lienthong catalog publish -f descriptors.binpb --offer offer.yaml --yes

An offer:

  service: vn.hatinh.tax.v1.TaxService
  owner: H27.14
  state: test                  # or assessed or official, with the two below
  safety_level: 3
  assessed: 2026-11-02
  providers:
    - {jurisdiction: "42", agency: H27.14, system: registry-tax}
  items:
    - {item: tax.code, field: Taxpayer.tax_code}
    - {item: person.birth_date, field: Taxpayer.birth_date, copy: true}`
}

// publishEntry is a publication in JSON.
type publishEntry struct {
	Service string               `json:"service"`
	Owner   string               `json:"owner"`
	State   catalog.State        `json:"state,omitempty"`
	New     bool                 `json:"new"`
	Changes []catalog.Difference `json:"changes"`
	Breaks  []catalog.Break      `json:"breaks"`
	Done    bool                 `json:"done"`
}

// Run publishes, or says what publishing would change.
func (c *catalogPublish) Run(ctx context.Context, top *cli) (err error) {
	set, offer, err := c.read()
	if err != nil {
		return err
	}
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var e publishEntry
	made, err := changeCatalog(ctx, db, c.Yes, func(tx *state.Tx) (err error) {
		e, err = c.publish(ctx, tx, set, offer)
		return err
	})
	if broken := (*catalog.BreakError)(nil); errors.As(err, &broken) {
		e.Breaks = broken.Breaks
		return errors.Join(e.print(top), fmt.Errorf("the new contract of %s breaks agreements (%d); nothing was published: keep the old fields, or have the agreements changed first",
			e.Service, agreementsIn(e.Breaks)))
	}
	if err != nil {
		return err
	}
	e.Done = c.Yes && made.Revision > 0
	if err := e.print(top); err != nil {
		return err
	}
	if offer != nil && !e.New && offer.Publication(nil).State != e.State {
		if err := top.note(fmt.Sprintf("its state stays %s; it is changed with: lienthong catalog state", e.State)); err != nil {
			return err
		}
	}
	switch {
	case c.Yes:
		return top.changed(ctx, db, made)
	case !e.New && len(e.Changes) == 0:
		return top.note("nothing would be changed: it is so already")
	}
	return usage("nothing was published yet; add --yes to publish what is listed")
}

// most is how many bytes of a file are read: more than any that is taken.
const most = 64 << 20

// read reads the files that are named. offer is nil if there is none.
func (c *catalogPublish) read() (*descriptorpb.FileDescriptorSet, *catalog.Offer, error) {
	data, err := readMost(c.File)
	if err != nil {
		return nil, nil, usage("-f: %w", err)
	}
	set, err := catalog.ReadFileSet(data)
	if err != nil {
		return nil, nil, usage("%s: %w", c.File, err)
	}
	if c.Offer == "" {
		return set, nil, nil
	}
	for _, f := range []struct{ name, value string }{{"service", c.Service}, {"owner", c.Owner}, {"jurisdiction", c.Jurisdiction}, {"system", c.System}} {
		if f.value != "" {
			return nil, nil, usage("--%s and --offer: the offer says it all; leave one out", f.name)
		}
	}
	if data, err = readMost(c.Offer); err != nil {
		return nil, nil, usage("--offer: %w", err)
	}
	offer, err := catalog.ParseOffer(c.Offer, data)
	if err != nil {
		return nil, nil, usage("%w", err)
	}
	return set, offer, nil
}

func readMost(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// publish publishes in a transaction, and says what that changes.
func (c *catalogPublish) publish(ctx context.Context, tx *state.Tx, set *descriptorpb.FileDescriptorSet, offer *catalog.Offer) (publishEntry, error) {
	before, err := catalog.Read(ctx, tx, nil)
	if err != nil {
		return publishEntry{}, err
	}
	var p catalog.Publication
	if offer != nil {
		p = offer.Publication(set)
	} else if p, err = c.publication(set, before); err != nil {
		return publishEntry{}, err
	}
	_, known := before.Service(p.Service)
	e := publishEntry{Service: p.Service, Owner: p.Owner, New: !known, Changes: []catalog.Difference{}, Breaks: []catalog.Break{}}
	if err := agenciesKnown(ctx, tx, &p); err != nil {
		return e, err
	}
	uses := func(service string) ([]catalog.Use, error) { return book.Uses(ctx, tx.Tx, before, service, tx.Now) }
	if err := catalog.Publish(ctx, tx, before, p, uses); err != nil {
		return e, err
	}
	after, err := catalog.Read(ctx, tx, before)
	if err != nil {
		return e, err
	}
	e.State = standingOf(after, p.Service).State
	e.Changes = append(e.Changes, catalog.Differences(before, after, p.Service)...)
	return e, nil
}

// publication is what the flags say, and what they leave as it was.
func (c *catalogPublish) publication(set *descriptorpb.FileDescriptorSet, before *catalog.Catalog) (p catalog.Publication, err error) {
	p = catalog.Publication{Files: set, Service: c.Service, Owner: c.Owner}
	names := catalog.ServicesOf(set)
	switch {
	case p.Service == "" && len(names) == 1:
		p.Service = names[0]
	case p.Service == "":
		return p, fmt.Errorf("the descriptors have %d services: %q; say which with --service", len(names), names)
	case !slices.Contains(names, p.Service):
		return p, fmt.Errorf("the descriptors do not describe service %q; they have: %q", p.Service, names)
	}
	if err := serviceName(p.Service); err != nil {
		return p, err
	}
	old, known := before.Service(p.Service)
	if known {
		p.Owner = cmp.Or(p.Owner, old.Owner)
	}
	switch {
	case p.Owner == "":
		return p, errors.New("a new service needs --owner, such as H27.14")
	case c.Jurisdiction == "" && !known:
		return p, errors.New("a new service needs --jurisdiction: vn, or the code of the province that it answers for")
	case c.Jurisdiction == "" && c.System != "":
		return p, errors.New("--system without --jurisdiction; say where it answers: vn, or a province code")
	case c.Jurisdiction == "":
		return p, nil // providers as they were
	}
	system := cmp.Or(c.System, systemFor(p.Service))
	id, err := peer.ParseID(p.Owner + "/" + system)
	if err != nil {
		return p, fmt.Errorf("%q is no agency's system: %w; say --owner and --system", p.Owner+"/"+system, err)
	}
	p.Providers = map[string]peer.ID{}
	if known {
		maps.Copy(p.Providers, old.Providers)
	}
	p.Providers[c.Jurisdiction] = id
	return p, nil
}

var packageVersion = regexp.MustCompile(`^v\d+((alpha|beta)\d*)?$`)

// systemFor is what the system that answers for a service is called by default: registry-land for registry.land.v1.
func systemFor(service string) string {
	words := strings.Split(string(protoreflect.FullName(service).Parent()), ".")
	if n := len(words); n > 1 && packageVersion.MatchString(words[n-1]) {
		words = words[:n-1]
	}
	return "registry-" + strings.ReplaceAll(words[len(words)-1], "_", "-")
}

// agenciesKnown refuses a publication of an agency that is none.
func agenciesKnown(ctx context.Context, tx *state.Tx, p *catalog.Publication) error {
	d, err := member.Read(ctx, tx.Tx, nil)
	if err != nil {
		return err
	}
	codes := []string{p.Owner}
	for _, id := range p.Providers {
		codes = append(codes, id.Agency)
	}
	for _, code := range codes {
		if _, known := d.Agency(code); !known {
			return fmt.Errorf("%q: %w", code, member.ErrAgencyUnknown)
		}
	}
	return nil
}

func agreementsIn(breaks []catalog.Break) int {
	ids := map[string]bool{}
	for _, b := range breaks {
		ids[b.Agreement] = true
	}
	return len(ids)
}

func (e *publishEntry) print(top *cli) error {
	if top.JSON {
		return printJSON(e)
	}
	if len(e.Breaks) > 0 {
		var rows [][]string
		for _, b := range e.Breaks {
			rows = append(rows, []string{b.Agreement, b.Method, b.Field, b.What})
		}
		return printTable([]string{"AGREEMENT", "METHOD", "FIELD", "WHAT"}, rows)
	}
	is := "known"
	if e.New {
		is = "new"
	}
	if err := printTable([]string{"SERVICE", "IS", "OWNER", "STATE"}, [][]string{{e.Service, is, e.Owner, string(e.State)}}); err != nil || len(e.Changes) == 0 {
		return err
	}
	var rows [][]string
	for _, d := range e.Changes {
		rows = append(rows, []string{d.Change, d.What, d.Name, d.Detail})
	}
	fmt.Fprintln(stdout)
	return printTable([]string{"CHANGE", "WHAT", "NAME", ""}, rows)
}
