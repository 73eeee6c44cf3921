package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/proto/contract"
)

// Difference is one thing that a publication adds to a service, takes from it or changes in it.
type Difference struct {
	Change string `json:"change"` // "added", "removed" or "changed"
	What   string `json:"what"`   // "method", "request field", "answer field", "provider", "item", "safety" or "contract"
	Name   string `json:"name"`   // "GetPerson", or "GetPerson person.birth_date"
	Detail string `json:"detail,omitempty"`
}

// Differences lists how a service differs between two catalogs: methods first, in order of the contract. Either may lack
// the service.
func Differences(before, after *Catalog, service string) []Difference {
	was, _ := before.Service(service)
	is, _ := after.Service(service)
	var d differences
	d.methods(was, is)
	d.maps("provider", providersOf(was), providersOf(is))
	d.maps("item", itemsOf(before, service), itemsOf(after, service))
	if was == nil || is == nil {
		return d
	}
	if was.SafetyLevel != is.SafetyLevel || was.Assessed != is.Assessed {
		d.add("changed", "safety", service, fmt.Sprintf("level %d, assessed %s; was %d, %s", is.SafetyLevel, is.Assessed, was.SafetyLevel, was.Assessed))
	}
	if (was.Digest != is.Digest || clash(was, is) != "") && !slices.ContainsFunc(d, Difference.ofContract) {
		d.add("changed", "contract", service, "titles, examples, or what no method uses")
	}
	return d
}

type differences []Difference

func (d *differences) add(change, what, name, detail string) {
	*d = append(*d, Difference{change, what, name, detail})
}

// ofContract reports whether it is a method or a field that differs.
func (d Difference) ofContract() bool {
	return d.What == "method" || strings.HasSuffix(d.What, " field")
}

func (d *differences) methods(was, is *Service) {
	if is != nil {
		for _, m := range is.Methods {
			old, known := was.find(m.Short())
			switch {
			case !known:
				d.add("added", "method", m.Short(), m.Policy.GetTitle().GetEn())
			default:
				d.method(old, m)
			}
		}
	}
	if was != nil {
		for _, m := range was.Methods {
			if _, known := is.find(m.Short()); !known {
				d.add("removed", "method", m.Short(), m.Policy.GetTitle().GetEn())
			}
		}
	}
}

// find is Method of a service that may be nil.
func (s *Service) find(method string) (*Method, bool) {
	if s == nil {
		return nil, false
	}
	return s.Method(method)
}

func (d *differences) method(was, is *Method) {
	if !proto.Equal(was.Policy, is.Policy) {
		d.add("changed", "method", is.Short(), "its labels: effect, what it needs, deadline, jurisdiction or title")
	}
	d.fields("request field", is.Short(), was.Input, is.Input)
	d.fields("answer field", is.Short(), was.Output, is.Output)
}

func (d *differences) fields(what, method string, was, is protoreflect.MessageDescriptor) {
	d.maps(what, leavesOf(method, was), leavesOf(method, is))
}

// maps compares names with what is said of each.
func (d *differences) maps(what string, was, is map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(is)) {
		old, known := was[name]
		switch {
		case !known:
			d.add("added", what, name, is[name])
		case old != is[name]:
			d.add("changed", what, name, is[name]+"; was "+old)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if _, known := is[name]; !known {
			d.add("removed", what, name, was[name])
		}
	}
}

// leavesOf says what each field of a message is.
func leavesOf(method string, md protoreflect.MessageDescriptor) map[string]string {
	all := map[string]string{}
	for _, leaf := range contract.Leaves(md) {
		text := fmt.Sprintf("%s %d, %s", leaf.Field.Kind(), leaf.Field.Number(), strings.ToLower(strings.TrimPrefix(leaf.Class.String(), "DATA_CLASS_")))
		if leaf.Field.IsList() {
			text = "repeated " + text
		}
		all[method+" "+leaf.Path] = text
	}
	return all
}

func providersOf(s *Service) map[string]string {
	all := map[string]string{}
	if s != nil {
		for where, id := range s.Providers {
			all[where] = id.String()
		}
	}
	return all
}

func itemsOf(c *Catalog, service string) map[string]string {
	all := map[string]string{}
	for _, i := range c.Items() {
		if i.Service != service {
			continue
		}
		all[i.Name] = i.Field
		if i.Copy {
			all[i.Name] += ", a copy"
		}
	}
	return all
}

// ServicesOf names the services that a set's own files declare: not those of the hub's files.
func ServicesOf(set *descriptorpb.FileDescriptorSet) []string { return servicesOf(set) }
