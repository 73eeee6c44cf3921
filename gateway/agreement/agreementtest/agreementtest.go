// Package agreementtest puts documents in force for tests, without the approvals that the book asks for.
//
// What does not belong here: claims about agreements; those are tests.
package agreementtest

import (
	"errors"
	"time"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/catalog"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

var hanoi = time.FixedZone("Asia/Ho_Chi_Minh", 7*60*60)

// Load reads every YAML file of a directory, and makes a Set in which each document is active.
func Load(dir string, c *catalog.Catalog) (*agreement.Set, error) {
	docs, err := agreement.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	return active(docs, c)
}

// Parse is Load of texts.
func Parse(c *catalog.Catalog, texts ...string) (*agreement.Set, error) {
	var docs []*agreement.Document
	for _, text := range texts {
		d, err := agreement.Parse("agreement.yaml", []byte(text))
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	return active(docs, c)
}

func active(docs []*agreement.Document, c *catalog.Catalog) (*agreement.Set, error) {
	var versions []agreement.Version
	var errs []error
	for _, d := range docs {
		if problems := agreement.Check(d.Doc, c); len(problems) > 0 {
			errs = append(errs, d.Errors(problems))
			continue
		}
		versions = append(versions, Version(d.Doc, hubv1.AgreementState_AGREEMENT_STATE_ACTIVE))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return agreement.Compile(versions, nil, c, nil)
}

// Version is a document in a state, for its own days.
func Version(doc *hubv1.Agreement, state hubv1.AgreementState) agreement.Version {
	from, _ := time.ParseInLocation(time.DateOnly, doc.GetValidFrom(), hanoi)
	to, _ := time.ParseInLocation(time.DateOnly, doc.GetValidTo(), hanoi)
	return agreement.Version{Doc: doc, State: state, From: from, Until: to.AddDate(0, 0, 1), Edition: 1, Digest: agreement.Digest(doc)}
}
