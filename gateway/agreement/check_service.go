package agreement

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/proto/condition"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// service checks what may be asked, against the catalog.
func (k *checker) service() {
	d := k.doc
	k.require(d.GetProvider(), "provider", "provider", "the agency that owns the registry, such as G01")
	if !k.require(d.GetService(), "service", "service", "a published service's full name") {
		return
	}
	s, ok := k.catalog.Service(d.GetService())
	if !ok {
		k.add("service", "service %s is not in the catalog; expected one of: %s", short(d.GetService()), published(k.catalog))
		return
	}
	if !provides(s, d.GetProvider(), "") {
		k.add("provider", "%s does not provide %s; see its offer in the catalog for who does", short(d.GetProvider()), s.Name)
	}
	for i, where := range d.GetJurisdictions() {
		path := fmt.Sprintf("jurisdictions[%d]", i)
		if !provides(s, d.GetProvider(), where) {
			k.add(path, "%s does not answer for jurisdiction %q; expected some of: %s", short(d.GetProvider()), short(where), served(s, d.GetProvider()))
		} else if slices.Contains(d.GetJurisdictions()[:i], where) {
			k.add(path, "jurisdiction %s is named twice", where)
		}
	}
	if len(d.GetMethods()) == 0 {
		k.add("methods", "methods is empty; expected a list of name and fields")
	}
	k.many(len(d.GetMethods()), maxNames, "methods")
	for i, m := range d.GetMethods() {
		k.method(s, m, i)
	}
}

func (k *checker) method(s *catalog.Service, d *hubv1.Agreement_Method, i int) {
	path := fmt.Sprintf("methods[%d]", i)
	if !k.require(d.GetName(), path+".name", "name of the method", "one of: "+methods(s)) {
		return
	}
	m, ok := s.Method(d.GetName())
	if !ok {
		k.add(path+".name", "%s has no method %s; expected one of: %s", s.Name, short(d.GetName()), methods(s))
		return
	}
	same := func(o *hubv1.Agreement_Method) bool { return o.GetName() == d.GetName() }
	if slices.ContainsFunc(k.doc.GetMethods()[:i], same) {
		k.add(path+".name", "method %s is named twice", d.GetName())
	}
	if len(d.GetFields()) == 0 {
		k.add(path, "fields of %s is empty; expected paths of %s, or result alone", d.GetName(), m.Output.FullName())
	}
	k.many(len(d.GetFields()), maxFields, path+".fields")
	for j, f := range d.GetFields() {
		if _, err := expand(m.Output, f); err != nil {
			k.add(fmt.Sprintf("%s.fields[%d]", path, j), "%s: %v; expected a path such as: %s", d.GetName(), err, examples(m))
		}
	}
	k.conditions(m, path)
}

// conditions checks both conditions against a method: each method has a request of its own.
func (k *checker) conditions(m *catalog.Method, path string) {
	if text := k.doc.GetCondition(); text != "" {
		if _, err := condition.CompileQuestion(text, m.Input); err != nil {
			k.add("condition", "condition does not fit %s: %s", m.Short(), oneLine(err))
		}
	}
	text := k.doc.GetAnswerCondition()
	if text == "" {
		return
	}
	if m.Writes() {
		k.add(path+".name", "%s changes its registry, and no condition over an answer can undo that; expected an agreement of its own for it", m.Short())
		return
	}
	if _, err := condition.CompileAnswer(text, m.Input, m.Output); err != nil {
		k.add("answer_condition", "answer_condition does not fit %s: %s", m.Short(), oneLine(err))
	}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

var errEverything = errors.New("* is not a field: an agreement names what it releases")

// Uses says what a document names of its service, method by method, for who changes the service's contract.
func Uses(doc *hubv1.Agreement, c *catalog.Catalog) []catalog.Use {
	s, ok := c.Service(doc.GetService())
	if !ok {
		return nil
	}
	var uses []catalog.Use
	for _, d := range doc.GetMethods() {
		m, ok := s.Method(d.GetName())
		if !ok {
			continue
		}
		use := catalog.Use{Agreement: doc.GetId(), Method: d.GetName()}
		for _, f := range d.GetFields() {
			leaves, err := expand(m.Output, f)
			if err != nil {
				continue
			}
			use.Fields = append(use.Fields, leaves...)
		}
		asked, told := read(m, doc)
		use.RequestFields, use.Fields = asked, append(use.Fields, told...)
		slices.Sort(use.Fields)
		use.Fields = slices.Compact(use.Fields)
		uses = append(uses, use)
	}
	return uses
}

// read are the fields of request and answer that the conditions of a document read.
func read(m *catalog.Method, doc *hubv1.Agreement) (asked, told []string) {
	var all []string
	if c, err := condition.CompileQuestion(doc.GetCondition(), m.Input); err == nil {
		all = append(all, c.Fields()...)
	}
	if c, err := condition.CompileAnswer(doc.GetAnswerCondition(), m.Input, m.Output); err == nil {
		all = append(all, c.Fields()...)
	}
	for _, path := range all {
		if rest, ok := strings.CutPrefix(path, "answer."); ok {
			told = append(told, rest)
		} else {
			asked = append(asked, path)
		}
	}
	slices.Sort(asked)
	return slices.Compact(asked), told
}

func published(c *catalog.Catalog) string {
	var names []string
	for _, s := range c.Services() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// provides reports whether an agency answers for the service: in a jurisdiction, or in any if that is empty.
func provides(s *catalog.Service, agency, where string) bool {
	for jurisdiction, id := range s.Providers {
		if id.Agency == agency && (where == "" || where == jurisdiction) {
			return true
		}
	}
	return false
}

// served are the jurisdictions for which an agency answers.
func served(s *catalog.Service, agency string) string {
	var all []string
	for jurisdiction, id := range s.Providers {
		if id.Agency == agency {
			all = append(all, jurisdiction)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
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
