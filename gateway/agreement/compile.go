package agreement

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/proto/condition"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// Compile makes a Set of versions, against the catalog whose methods queries will carry. What before (nil at first) made
// of the same edition of a version, of a service that is the same, is used again: one change costs what it changes. It
// fails if two versions could decide one question at one time. A version that does not fit the catalog decides nothing,
// and Broken says so.
func Compile(versions []Version, suspended []Suspension, c *catalog.Catalog, before *Set) (*Set, error) {
	if before == nil {
		before = &Set{}
	}
	b := builder{
		set: &Set{
			byVersion: make(map[versionKey]*Agreement, len(versions)),
			scopes:    maps.Clone(before.scopes),
			parties:   maps.Clone(before.parties),
			suspended: make(map[Suspension]bool, len(suspended)),
		},
		catalog:  c,
		compiled: compiler{},
		touched:  map[scopeKey]bool{},
		meeting:  map[partyKey]bool{},
	}
	if b.set.scopes == nil {
		b.set.scopes, b.set.parties = map[scopeKey]*scope{}, map[partyKey]*party{}
	}
	for _, s := range suspended {
		b.set.suspended[s] = true
	}
	if err := b.take(versions, before); err != nil {
		return nil, err
	}
	for key, a := range before.byVersion {
		if b.set.byVersion[key] != a {
			b.remove(a)
		}
	}
	if err := b.settle(); err != nil {
		return nil, err
	}
	return b.set, nil
}

// builder makes a Set of the one before.
type builder struct {
	set      *Set
	catalog  *catalog.Catalog
	compiled compiler
	touched  map[scopeKey]bool // scopes that are not what they were
	meeting  map[partyKey]bool // parties likewise
}

// decides reports whether a version in this state has a say: to grant, or to name why not.
func decides(s hubv1.AgreementState) bool {
	switch s {
	case hubv1.AgreementState_AGREEMENT_STATE_PROPOSED, hubv1.AgreementState_AGREEMENT_STATE_ACTIVE,
		hubv1.AgreementState_AGREEMENT_STATE_SUSPENDED, hubv1.AgreementState_AGREEMENT_STATE_TERMINATED,
		hubv1.AgreementState_AGREEMENT_STATE_EXPIRED:
		return true
	}
	return false
}

// take compiles the versions that before does not have as they are.
func (b *builder) take(versions []Version, before *Set) error {
	for _, v := range versions {
		if !decides(v.State) {
			continue
		}
		key := versionKey{v.Doc.GetId(), v.Doc.GetVersion()}
		if _, twice := b.set.byVersion[key]; twice {
			return fmt.Errorf("version %d of %s is given twice", key.version, key.id)
		}
		a := before.byVersion[key]
		if a == nil || !a.is(v, b.catalog) {
			var err error
			if a, err = b.compile(v); err != nil {
				b.set.broken = append(b.set.broken, fmt.Errorf("%s version %d decides nothing: %w", key.id, key.version, err))
				continue
			}
			b.add(a)
		}
		b.set.byVersion[key] = a
		b.set.all = append(b.set.all, a)
	}
	slices.SortFunc(b.set.all, func(x, y *Agreement) int {
		return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Version, y.Version))
	})
	return nil
}

// is reports whether an agreement is what a version would be compiled to.
func (a *Agreement) is(v Version, c *catalog.Catalog) bool {
	s, ok := c.Service(v.Doc.GetService())
	return ok && s == a.Service && a.edition == v.Edition && a.State == v.State && a.From.Equal(v.From) && a.Until.Equal(v.Until)
}

// compile makes a version ready to decide.
func (b *builder) compile(v Version) (*Agreement, error) {
	doc := v.Doc
	s, ok := b.catalog.Service(doc.GetService())
	if !ok {
		return nil, fmt.Errorf("service %s is not in the catalog", doc.GetService())
	}
	a := &Agreement{
		ID: doc.GetId(), Version: doc.GetVersion(), State: v.State, Title: doc.GetTitle(),
		Agency: doc.GetConsumer().GetAgency(), Systems: doc.GetConsumer().GetSystems(),
		Provider: doc.GetProvider(), Service: s, From: v.From, Until: v.Until,
	}
	a.index = index{
		edition: v.Edition, from: v.From.Unix(), until: v.Until.Unix(),
		caseRequired: doc.CaseRequired, officerRequired: doc.OfficerRequired,
		jurisdictions: doc.GetJurisdictions(), answerCondition: doc.GetAnswerCondition(),
		limits: limitsOf(doc), dataLife: time.Duration(doc.GetDataLifeDays()) * 24 * time.Hour,
		consentRequired: doc.GetGround().GetKind() == hubv1.Agreement_Ground_KIND_CONSENT,
		rules:           map[*catalog.Method]map[string]*rule{},
	}
	if err := a.bound(doc.GetGround()); err != nil {
		return nil, err
	}
	a.refusals = newRefusals(a)
	for _, p := range doc.GetPurposes() {
		a.Purposes = append(a.Purposes, Purpose{p.GetCode(), p.GetTitle(), p.GetLegalBasis(), p.GetProcedures()})
	}
	for _, d := range doc.GetMethods() {
		if err := b.method(a, doc, d); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// bound ends an agreement with the emergency that it rests on.
func (a *Agreement) bound(g *hubv1.Agreement_Ground) error {
	if g.GetKind() != hubv1.Agreement_Ground_KIND_EMERGENCY {
		return nil
	}
	last, err := time.ParseInLocation(time.DateOnly, g.GetExpires(), hanoi)
	if err != nil {
		return fmt.Errorf("ground.expires: %w", err)
	}
	if end := last.AddDate(0, 0, 1); end.Before(a.Until) {
		a.until = end.Unix()
	}
	return nil
}

func (b *builder) method(a *Agreement, doc *hubv1.Agreement, d *hubv1.Agreement_Method) error {
	m, ok := a.Service.Method(d.GetName())
	if !ok {
		return fmt.Errorf("%s has no method %s", a.Service.Name, d.GetName())
	}
	agreed := Method{Method: m}
	for _, f := range d.GetFields() {
		leaves, err := expand(m.Output, f)
		if err != nil {
			return fmt.Errorf("%s: %w", d.GetName(), err)
		}
		agreed.Fields = append(agreed.Fields, leaves...)
	}
	slices.Sort(agreed.Fields)
	agreed.Fields = slices.DeleteFunc(slices.Compact(agreed.Fields), isResult)
	a.Methods = append(a.Methods, agreed)
	f, err := b.compiled.fields(agreed)
	if err != nil {
		return err
	}
	var holds conditioned
	if text := doc.GetCondition(); text != "" {
		c, err := condition.CompileQuestion(text, m.Input)
		if err != nil {
			return fmt.Errorf("condition does not fit %s: %w", m.Short(), err)
		}
		holds = conditioned{c}
	}
	rules := map[string]*rule{}
	for _, p := range a.Purposes {
		r := &rule{
			agreement:       a,
			caseRequired:    decide(a.caseRequired, m.Policy.GetCaseRequired()),
			officerRequired: decide(a.officerRequired, m.Policy.GetOfficerRequired()),
			condition:       holds,
			fields:          f,
		}
		r.full = r.grant(p.LegalBasis, f.all)
		rules[p.Code] = r
	}
	a.rules[m] = rules
	return nil
}

func decide(agreed *bool, contract bool) bool {
	if agreed != nil {
		return *agreed
	}
	return contract
}

// add lets an agreement have its say.
func (b *builder) add(a *Agreement) {
	b.each(a, func(key scopeKey) {
		s := b.scope(key)
		s.agreements = append(s.agreements, a)
	}, func(key partyKey) {
		p := b.party(key)
		p.agreements = append(p.agreements, a)
	})
}

// remove takes an agreement out.
func (b *builder) remove(a *Agreement) {
	not := func(x *Agreement) bool { return x == a }
	b.each(a, func(key scopeKey) {
		s := b.scope(key)
		s.agreements = slices.DeleteFunc(s.agreements, not)
	}, func(key partyKey) {
		p := b.party(key)
		p.agreements = slices.DeleteFunc(p.agreements, not)
	})
}

func (b *builder) each(a *Agreement, inScope func(scopeKey), inParty func(partyKey)) {
	for _, system := range a.Systems {
		consumer := peer.ID{Agency: a.Agency, System: system}
		for m := range a.rules {
			inScope(scopeKey{consumer, m, a.Provider})
		}
		inParty(partyKey{consumer, a.Service, a.Provider})
	}
}

// scope returns a scope that is this Set's own: those of the one before are shared and not to be changed.
func (b *builder) scope(key scopeKey) *scope {
	if b.touched[key] {
		return b.set.scopes[key]
	}
	b.touched[key] = true
	own := &scope{}
	if old, ok := b.set.scopes[key]; ok {
		own.agreements = slices.Clone(old.agreements)
	}
	b.set.scopes[key] = own
	return own
}

func (b *builder) party(key partyKey) *party {
	if b.meeting[key] {
		return b.set.parties[key]
	}
	b.meeting[key] = true
	own := &party{}
	if old, ok := b.set.parties[key]; ok {
		own.agreements = slices.Clone(old.agreements)
	}
	b.set.parties[key] = own
	return own
}

// settle makes what was touched ready, and complains of versions that overlap, once for each pair.
func (b *builder) settle() error {
	for key := range b.meeting {
		p := b.set.parties[key]
		if len(p.agreements) == 0 {
			delete(b.set.parties, key)
		}
		for _, a := range p.agreements {
			p.named = later(p.named, a)
		}
	}
	clashes := map[[2]*Agreement]string{}
	for key := range b.touched {
		s := b.set.scopes[key]
		if len(s.agreements) == 0 {
			delete(b.set.scopes, key)
			continue
		}
		s.settle(key.method)
		for code, rules := range s.purposes {
			for _, pair := range overlapping(rules) {
				what := fmt.Sprintf("%s may call %s for purpose %s", key.consumer, key.method.Name, code)
				if old, ok := clashes[pair]; !ok || what < old {
					clashes[pair] = what
				}
			}
		}
	}
	var errs []error
	for pair, what := range clashes {
		x, y := pair[0], pair[1]
		errs = append(errs, fmt.Errorf("%s version %d overlaps %s version %d: by both, %s at one time; expected one agreement to decide",
			y.ID, y.Version, x.ID, x.Version, what))
	}
	slices.SortFunc(errs, func(x, y error) int { return strings.Compare(x.Error(), y.Error()) })
	return errors.Join(errs...)
}

func (s *scope) settle(m *catalog.Method) {
	s.purposes = map[string][]*rule{}
	for _, a := range s.agreements {
		s.named = later(s.named, a)
		for code, r := range a.rules[m] {
			s.purposes[code] = append(s.purposes[code], r)
		}
	}
	for _, rules := range s.purposes {
		slices.SortFunc(rules, func(x, y *rule) int {
			return cmp.Or(cmp.Compare(x.agreement.from, y.agreement.from), cmp.Compare(x.agreement.ID, y.agreement.ID), cmp.Compare(x.agreement.Version, y.agreement.Version))
		})
	}
}

// overlapping finds pairs of agreements that could decide one question at one time.
func overlapping(rules []*rule) (pairs [][2]*Agreement) {
	for i, r := range rules {
		for _, o := range rules[i+1:] {
			x, y := r.agreement, o.agreement
			if x.granting() && y.granting() && y.from < x.until && x.from < y.until && meet(x.jurisdictions, y.jurisdictions) {
				pairs = append(pairs, [2]*Agreement{x, y})
			}
		}
	}
	return pairs
}

// granting reports whether an agreement decides questions, now or when it is resumed.
func (a *Agreement) granting() bool {
	return a.State == hubv1.AgreementState_AGREEMENT_STATE_ACTIVE || a.State == hubv1.AgreementState_AGREEMENT_STATE_SUSPENDED
}

// meet reports whether two lists of jurisdictions have one in common. An empty list has all.
func meet(x, y []string) bool {
	if len(x) == 0 || len(y) == 0 {
		return true
	}
	return slices.ContainsFunc(x, func(where string) bool { return slices.Contains(y, where) })
}

// later returns the agreement to name: one that is active before others, then the one that began last.
func later(a, b *Agreement) *Agreement {
	if a == nil {
		return b
	}
	active := func(x *Agreement) int {
		if x.State == hubv1.AgreementState_AGREEMENT_STATE_ACTIVE {
			return 1
		}
		return 0
	}
	if cmp.Or(cmp.Compare(active(a), active(b)), cmp.Compare(a.from, b.from), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version)) < 0 {
		return b
	}
	return a
}

// Systems returns every consumer system that an agreement names, in order.
func (s *Set) Systems() []peer.ID {
	seen := map[peer.ID]bool{}
	for _, a := range s.All() {
		for _, system := range a.Systems {
			seen[peer.ID{Agency: a.Agency, System: system}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(x, y peer.ID) int {
		return cmp.Or(cmp.Compare(x.Agency, y.Agency), cmp.Compare(x.System, y.System))
	})
}
