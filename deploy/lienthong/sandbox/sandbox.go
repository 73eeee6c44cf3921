// Package sandbox is the offers and agreements that a new hub begins with. They are illustrative: the
// agencies, services and laws are real, nobody signed these agreements.
//
// What does not belong here: identities (member/authority) and people (services/nation).
package sandbox

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/catalog"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Files holds catalog/*.yaml and agreements/*.yaml.
//
//go:embed catalog/*.yaml agreements/*.yaml
var Files embed.FS

// Offer is the offer of a service.
func Offer(service string) (*catalog.Offer, error) {
	names, err := fs.Glob(Files, "catalog/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		o, err := catalog.ReadOffer(Files, name)
		if err != nil {
			return nil, err
		}
		if o.Name() == service {
			return o, nil
		}
	}
	return nil, fmt.Errorf("the sandbox has no offer of %s", service)
}

// Agreements are the documents of all agreements, in order of their files.
func Agreements() ([]*hubv1.Agreement, error) {
	names, err := fs.Glob(Files, "agreements/*.yaml")
	if err != nil {
		return nil, err
	}
	var docs []*hubv1.Agreement
	var errs []error
	for _, name := range names {
		text, err := Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		d, err := agreement.Parse(name, text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		docs = append(docs, d.Doc)
	}
	return docs, errors.Join(errs...)
}
