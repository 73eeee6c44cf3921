package agreement

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/yamlfile"
	"github.com/lienthong/lienthong/proto/peer"
)

// Load reads every *.yaml file of the directory against the catalog. The error lists all that is wrong, by file
// and line. Queries to the Set must carry methods of this very catalog.
func Load(dir string, c *catalog.Catalog) (*Set, error) {
	paths, err := yamlfile.List(dir)
	if err != nil {
		return nil, fmt.Errorf("list agreements: %w", err)
	}
	compiled := compiler{}
	b := builder{
		set:      &Set{scopes: map[scopeKey]*scope{}, parties: map[partyKey]*Agreement{}},
		versions: map[versionKey]*Agreement{},
	}
	var errs []error
	for _, path := range paths {
		a, err := read(path, c)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := b.add(a, compiled); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", a.file, err))
		}
	}
	errs = append(errs, b.finish()...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return b.set, nil
}

type versionKey struct {
	id      string
	version int64
}

// builder makes a Set of agreements.
type builder struct {
	set      *Set
	versions map[versionKey]*Agreement
}

func (b *builder) add(a *Agreement, compiled compiler) error {
	key := versionKey{a.ID, a.Version}
	if other, twice := b.versions[key]; twice {
		return fmt.Errorf("version %d of %s is in %s too; expected each version once", a.Version, a.ID, other.file)
	}
	b.versions[key] = a
	b.set.all = append(b.set.all, a)
	for _, system := range a.Systems {
		consumer := peer.ID{Agency: a.Agency, System: system}
		for _, m := range a.Methods {
			f, err := compiled.fields(m)
			if err != nil {
				return err
			}
			b.scope(scopeKey{consumer, m.Method, a.Provider}).add(a, m, f)
		}
		party := partyKey{consumer, a.Service, a.Provider}
		b.set.parties[party] = later(b.set.parties[party], a)
	}
	return nil
}

func (b *builder) scope(key scopeKey) *scope {
	s, ok := b.set.scopes[key]
	if !ok {
		s = &scope{purposes: map[string][]*rule{}}
		b.set.scopes[key] = s
	}
	return s
}

func (s *scope) add(a *Agreement, m Method, f *fields) {
	s.named = later(s.named, a)
	for _, p := range a.Purposes {
		r := &rule{
			agreement:       a,
			caseRequired:    decide(a.caseRequired, m.Method.Policy.GetCaseRequired()),
			officerRequired: decide(a.officerRequired, m.Method.Policy.GetOfficerRequired()),
			fields:          f,
		}
		r.full = r.grant(p.LegalBasis, f.all)
		s.purposes[p.Code] = append(s.purposes[p.Code], r)
	}
}

func decide(agreed *bool, contract bool) bool {
	if agreed != nil {
		return *agreed
	}
	return contract
}

// later returns the agreement that began last; of two that began together, the one with the greater id and version.
func later(a, b *Agreement) *Agreement {
	if a == nil || cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version)) < 0 {
		return b
	}
	return a
}

// finish puts the rules in order of time and complains of those that overlap, once for each pair of agreements.
func (b *builder) finish() []error {
	slices.SortFunc(b.set.all, func(x, y *Agreement) int {
		return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Version, y.Version))
	})
	clashes := map[[2]*Agreement]string{}
	for key, s := range b.set.scopes {
		for code, rules := range s.purposes {
			slices.SortFunc(rules, func(x, y *rule) int { return cmp.Compare(x.agreement.from, y.agreement.from) })
			for i := 1; i < len(rules); i++ {
				x, y := rules[i-1].agreement, rules[i].agreement
				if y.from < x.until {
					pair := [2]*Agreement{x, y}
					what := fmt.Sprintf("%s may call %s for purpose %s", key.consumer, key.method.Name, code)
					if old, ok := clashes[pair]; !ok || what < old {
						clashes[pair] = what
					}
				}
			}
		}
	}
	var errs []error
	for pair, what := range clashes {
		x, y := pair[0], pair[1]
		errs = append(errs, fmt.Errorf("%s: %s version %d overlaps %s version %d of %s: by both, %s at one time; expected one agreement to decide",
			y.file, y.ID, y.Version, x.ID, x.Version, x.file, what))
	}
	slices.SortFunc(errs, func(x, y error) int { return cmp.Compare(x.Error(), y.Error()) })
	return errs
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
