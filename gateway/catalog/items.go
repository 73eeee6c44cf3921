package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/gateway/state"
)

// Item is an item of data in a service: its one source (R06), or a declared copy.
type Item struct {
	Name    string // "person.birth_date"
	Service string
	Field   string // "Person.birth_date", within the contract's package
	Copy    bool   // of what another service owns
}

// Items returns which service is the source of what, by name, sources before copies. The slice is not to be changed.
func (c *Catalog) Items() []Item {
	if c == nil {
		return nil
	}
	return c.items
}

// checkItems refuses fields that the contract lacks, and items that another service owns.
func (p *Publication) checkItems(ctx context.Context, tx *state.Tx, desc protoreflect.ServiceDescriptor) error {
	seen := map[string]bool{}
	for _, item := range p.Items {
		if seen[item.Name] {
			return fmt.Errorf("item %s is claimed twice; expected it once", item.Name)
		}
		seen[item.Name] = true
		if !declares(desc, item.Field) {
			return fmt.Errorf("item %s: the contract of %s has no field %s; expected one of its package, such as Person.birth_date", item.Name, p.Service, item.Field)
		}
		if item.Copy {
			continue
		}
		var owner, field string
		row := tx.QueryRowContext(ctx, `SELECT service, field FROM service_item WHERE item = $1 AND copy = 0 AND service <> $2`, item.Name, p.Service)
		if found, err := scanOne(row, &owner, &field); err != nil {
			return err
		} else if found {
			return fmt.Errorf("item %s has its source already: %s, field %s; one item has one source (R06), so declare this one as a copy of it (copy: true), or leave it out",
				item.Name, owner, field)
		}
	}
	return nil
}

// declares reports whether the service's package has the message's field: "Person.birth_date".
func declares(desc protoreflect.ServiceDescriptor, field string) bool {
	name, leaf, ok := cutLast(field)
	if !ok {
		return false
	}
	prefix := desc.ParentFile().Package()
	for _, md := range reachable(desc) {
		if md.FullName() == prefix.Append(protoreflect.Name(name)) || string(md.FullName()) == string(prefix)+"."+name {
			return md.Fields().ByName(protoreflect.Name(leaf)) != nil
		}
	}
	return false
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i <= 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// reachable are the messages that answers of the service can hold.
func reachable(desc protoreflect.ServiceDescriptor) []protoreflect.MessageDescriptor {
	var all []protoreflect.MessageDescriptor
	seen := map[protoreflect.FullName]bool{}
	var visit func(md protoreflect.MessageDescriptor)
	visit = func(md protoreflect.MessageDescriptor) {
		if seen[md.FullName()] {
			return
		}
		seen[md.FullName()] = true
		all = append(all, md)
		for i := range md.Fields().Len() {
			fd := md.Fields().Get(i)
			if fd.IsMap() {
				fd = fd.MapValue()
			}
			if fd.Message() != nil {
				visit(fd.Message())
			}
		}
	}
	for i := range desc.Methods().Len() {
		visit(desc.Methods().Get(i).Output())
	}
	return all
}

// sortItems puts sources before copies.
func sortItems(items []Item) {
	slices.SortFunc(items, func(a, b Item) int {
		if a.Name != b.Name {
			return strings.Compare(a.Name, b.Name)
		}
		if a.Copy != b.Copy {
			if a.Copy {
				return 1
			}
			return -1
		}
		return strings.Compare(a.Service, b.Service)
	})
}
