package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/gateway/catalog"
)

type catalogItems struct {
	Service string `help:"Only those that this service is the source of, or has copies of." placeholder:"SERVICE"`
}

// itemEntry is an item of data in JSON.
type itemEntry struct {
	Item   string      `json:"item"`
	Source string      `json:"source,omitempty"` // empty: only copies were published
	Field  string      `json:"field,omitempty"`
	Owner  string      `json:"owner,omitempty"`
	Copies []copyEntry `json:"copies"`
}

type copyEntry struct {
	Service string `json:"service"`
	Field   string `json:"field"`
}

// Help is shown below the command's usage.
func (catalogItems) Help() string {
	return `Each item of data has one source (R06): the registry that owns it. A service that keeps what another one owns declares it
as a copy, in its offer.`
}

// Run lists.
func (c *catalogItems) Run(ctx context.Context, top *cli) (err error) {
	if c.Service != "" {
		if err := serviceName(c.Service); err != nil {
			return err
		}
	}
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	all, err := readCatalog(ctx, db)
	if err != nil {
		return err
	}
	if _, known := all.Service(c.Service); c.Service != "" && !known {
		return usage("%s: %w", c.Service, catalog.ErrUnknown)
	}
	entries, rows := []itemEntry{}, [][]string(nil)
	for _, e := range itemsIn(all) {
		if c.Service != "" && !e.has(c.Service) {
			continue
		}
		entries = append(entries, e)
		var copies []string
		for _, i := range e.Copies {
			copies = append(copies, i.Service+" "+i.Field)
		}
		rows = append(rows, []string{e.Item, e.Source, e.Field, e.Owner, strings.Join(copies, ", ")})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"ITEM", "SOURCE", "FIELD", "OWNER", "COPIES"}, rows)
}

// itemsIn gathers the copies of each item with its source. The catalog has them by name, the source first.
func itemsIn(c *catalog.Catalog) (entries []itemEntry) {
	for _, i := range c.Items() {
		if n := len(entries); n == 0 || entries[n-1].Item != i.Name {
			entries = append(entries, itemEntry{Item: i.Name, Copies: []copyEntry{}})
		}
		e := &entries[len(entries)-1]
		if i.Copy {
			e.Copies = append(e.Copies, copyEntry{i.Service, i.Field})
			continue
		}
		e.Source, e.Field = i.Service, i.Field
		if s, ok := c.Service(i.Service); ok {
			e.Owner = s.Owner
		}
	}
	return entries
}

func (e *itemEntry) has(service string) bool {
	return e.Source == service || slices.ContainsFunc(e.Copies, func(c copyEntry) bool { return c.Service == service })
}
