package book

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// judge checks the documents of a proposal: each by itself, against each other, and against the agreements that there
// are. What is unchanged was judged before.
func judge(ctx context.Context, tx *state.Tx, rules Rules, entries []*entry, wrong *complaints) error {
	now := tx.Now.UnixMilli()
	for i, e := range entries {
		if err := ctx.Err(); err != nil || len(wrong.problems) > maxFound {
			return err // enough is wrong: nobody reads more, and others wait to write
		}
		if e.what == whatUnchanged || !whole(i, e.doc, wrong) {
			continue
		}
		sound := len(wrong.problems)
		for _, p := range agreement.Check(e.doc, rules.Catalog) {
			wrong.add(i, p.Path, "%s", p.Text)
		}
		members(i, e.doc, rules, wrong)
		if len(wrong.problems) > sound {
			continue
		}
		if _, until, err := days(e.doc); err != nil {
			wrong.add(i, "valid_to", "%s", err)
		} else if until <= now {
			wrong.add(i, "valid_to", "its last day is over; expected one to come")
		}
	}
	if len(wrong.problems) > 0 {
		return nil // what is malformed cannot be compared
	}
	return conflicts(ctx, tx, rules, entries, wrong)
}

// Bounds of what is looked at.
const (
	maxDocument = 64 << 10 // bytes of a document: an answer has room for several
	maxFields   = 4_000    // fields of all its methods together
	maxFound    = 1_000    // problems of a proposal
)

// whole refuses a document of which this hub would keep more than it understands, or too much. A field that it does not
// know may be a restriction, and nobody who approves would see it. It reports whether there is a point in looking closer.
func whole(i int, doc *hubv1.Agreement, wrong *complaints) bool {
	fields := 0
	for _, m := range doc.GetMethods() {
		fields += len(m.GetFields())
	}
	known := new(hubv1.Agreement)
	raw, err := proto.Marshal(doc)
	if err == nil {
		err = proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, known)
	}
	switch {
	case err != nil:
		wrong.add(i, "", "it cannot be written down; expected text in UTF-8")
	case proto.Size(known) != len(raw):
		wrong.add(i, "", "it has fields that this hub does not know; expected those of its own hub.v1.Agreement")
	case len(raw) > maxDocument:
		wrong.add(i, "", "it takes %d bytes; expected %d at most", len(raw), maxDocument)
	case fields > maxFields:
		wrong.add(i, "methods", "they name %d fields; expected %d at most", fields, maxFields)
	default:
		return true
	}
	return false
}

// members says which parties nobody knows.
func members(i int, doc *hubv1.Agreement, rules Rules, wrong *complaints) {
	agency := doc.GetConsumer().GetAgency()
	if provider := doc.GetProvider(); provider != "" && !rules.known(provider, "") {
		wrong.add(i, "provider", "no agency %s is a member; expected one of: lienthong agency list", provider)
	}
	if agency == "" {
		return // which was said already
	}
	if !rules.known(agency, "") {
		wrong.add(i, "consumer.agency", "no agency %s is a member; expected one of: lienthong agency list", agency)
		return
	}
	for k, system := range doc.GetConsumer().GetSystems() {
		if !rules.known(agency, system) {
			wrong.add(i, fmt.Sprintf("consumer.systems[%d]", k), "%s has no system %s; expected one of: lienthong identity list", agency, system)
		}
	}
}

// parties are those between whom something can be agreed twice.
type parties struct{ consumer, provider, service string }

// conflicts finds documents that could decide one question at one time with another of the proposal, or with a version
// of another agreement that decides, will, or waits for approval.
func conflicts(ctx context.Context, tx *state.Tx, rules Rules, entries []*entry, wrong *complaints) error {
	groups := map[parties][]int{}
	changed := map[string]bool{}
	for i, e := range entries {
		if e.what != whatUnchanged {
			key := parties{e.doc.GetConsumer().GetAgency(), e.doc.GetProvider(), e.doc.GetService()}
			groups[key] = append(groups[key], i)
			changed[e.doc.GetId()] = true
		}
	}
	for key, group := range groups {
		docs := make([]*hubv1.Agreement, len(group))
		for k, i := range group {
			docs[k] = entries[i].doc
		}
		others, err := standing(ctx, tx, key, changed, proposed, active, suspended)
		if err != nil {
			return err
		}
		found, err := clashes(ctx, docs, others, rules.Catalog)
		if err != nil {
			return err
		}
		for _, p := range found {
			wrong.add(group[p.Document], p.Path, "%s", p.Text)
		}
	}
	return nil
}

// standing are the documents between two parties that are in one of the states, without those of some agreements, and
// with the days that are left to them.
func standing(ctx context.Context, tx *state.Tx, between parties, without map[string]bool, in ...hubv1.AgreementState) ([]*hubv1.Agreement, error) {
	now := tx.Now.UnixMilli()
	where := `WHERE consumer = $1 AND provider = $2 AND service = $3 AND state IN ($4, $5, $6) ORDER BY id, version`
	rows, err := rowsOf(ctx, tx, where, between.consumer, between.provider, between.service,
		int64(proposed), int64(active), int64(suspended)) // what is over is not even read: there may be much of it
	if err != nil {
		return nil, err
	}
	var docs []*hubv1.Agreement
	for _, r := range rows {
		if without[r.id] || !slices.Contains(in, r.state) || r.until <= max(now, r.from) {
			continue
		}
		doc := r.doc
		if last := time.UnixMilli(r.until - 1).In(hanoi).Format(time.DateOnly); last < doc.GetValidTo() {
			doc = proto.CloneOf(doc)
			doc.ValidTo = last
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// clashes are the conflicts of documents with each other and with others, by the document's index. Only what has a purpose
// in common is compared.
func clashes(ctx context.Context, docs, others []*hubv1.Agreement, c *catalog.Catalog) ([]Problem, error) {
	by := map[string][]*hubv1.Agreement{}
	for _, o := range others {
		for _, p := range o.GetPurposes() {
			by[p.GetCode()] = append(by[p.GetCode()], o)
		}
	}
	var found []Problem
	for i, d := range docs {
		if err := ctx.Err(); err != nil || len(found) > maxFound {
			return found, err
		}
		compared := map[*hubv1.Agreement]bool{d: true}
		for _, p := range d.GetPurposes() {
			for _, o := range by[p.GetCode()] {
				if compared[o] {
					continue
				}
				compared[o] = true
				for _, clash := range agreement.Conflicts([]*hubv1.Agreement{o, d}, c) {
					found = append(found, Problem{i, clash.Path, clash.Text})
				}
			}
			by[p.GetCode()] = append(by[p.GetCode()], d)
		}
	}
	return found, nil
}

// sound checks a document once more before it decides: the catalog may have changed since it was proposed, and what
// was proposed together need not be approved together.
func (r *row) sound(ctx context.Context, tx *state.Tx, rules Rules) error {
	var wrong complaints
	for _, p := range agreement.Check(r.doc, rules.Catalog) {
		wrong.add(0, p.Path, "%s", p.Text)
	}
	members(0, r.doc, rules, &wrong)
	if err := wrong.err(); err != nil {
		return err
	}
	others, err := standing(ctx, tx, parties{r.consumer, r.provider, r.service}, map[string]bool{r.id: true}, active, suspended)
	if err != nil {
		return err
	}
	if wrong.problems, err = clashes(ctx, []*hubv1.Agreement{r.doc}, others, rules.Catalog); err != nil {
		return err
	}
	return wrong.err()
}
