package book

import (
	"cmp"
	"context"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// MaxDocuments is how many documents a proposal has at most.
const MaxDocuments = 10_000

// Proposal is a list of documents that are proposed together.
type Proposal struct {
	Documents []*hubv1.Agreement // not changed
	Draft     bool               // keep them as drafts
	DryRun    bool               // only say what would be done
}

// What a proposal makes of a document.
const (
	whatNew       = "new"
	whatChanged   = "changed"
	whatUnchanged = "unchanged"
)

// entry is one document of a proposal, beside what there is of the agreement.
type entry struct {
	doc    *hubv1.Agreement // as it would be kept
	before []*row           // versions that there are, the newest first
	what   string
}

// Propose takes documents as new versions: all of them, or none if one has a problem. It fails with *Invalid,
// ACT_NOT_ALLOWED or FIELD_REQUIRED.
func Propose(ctx context.Context, tx *state.Tx, rules Rules, who Who, p Proposal) ([]*hubv1.ProposedAgreement, error) {
	switch {
	case len(p.Documents) == 0:
		return nil, reason.FieldRequired.At("agreements")
	case len(p.Documents) > MaxDocuments:
		return nil, reason.FieldInvalid.At("agreements")
	}
	var wrong complaints
	entries, err := weigh(ctx, tx, who, p.Documents, &wrong)
	if err != nil {
		return nil, err
	}
	if err := judge(ctx, tx, rules, entries, &wrong); err != nil {
		return nil, err
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	answers := make([]*hubv1.ProposedAgreement, len(entries))
	for i, e := range entries {
		if answers[i], err = e.propose(ctx, tx, p); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// weigh compares documents with what there is of their agreements, and says who may not propose them.
func weigh(ctx context.Context, tx *state.Tx, who Who, docs []*hubv1.Agreement, wrong *complaints) ([]*entry, error) {
	entries := make([]*entry, len(docs))
	seen := map[string]int{}
	for i, doc := range docs {
		if doc == nil {
			doc = new(hubv1.Agreement)
		}
		consumer := cmp.Or(doc.GetConsumer().GetAgency(), tx.By.ID.Agency) // who names none hears that, and not that they may not
		if !who.Roles.May(member.ProposeAgreement).Covers(tx.By.ID.Agency, consumer, doc.GetProvider()) {
			return nil, reason.ActNotAllowed
		}
		if other, twice := seen[doc.GetId()]; twice && doc.GetId() != "" {
			wrong.add(i, "id", "document %d has the id %s too; expected each agreement once", other, doc.GetId())
		}
		seen[doc.GetId()] = i
		before, err := rowsOf(ctx, tx, `WHERE id = $1 ORDER BY version DESC`, doc.GetId())
		if err != nil {
			return nil, err
		}
		entries[i] = &entry{doc: proto.CloneOf(doc), before: before, what: whatNew}
		entries[i].compare(i, tx.Now.UnixMilli(), wrong)
	}
	return entries, nil
}

// compare says what a document is beside the newest version, and numbers it.
func (e *entry) compare(i int, now int64, wrong *complaints) {
	if len(e.before) == 0 {
		if e.doc.GetVersion() > 1 {
			wrong.old(i, "version %d; there is no %s yet, so expected 1, or none", e.doc.GetVersion(), e.doc.GetId())
		}
		e.doc.Version = 1
		return
	}
	newest := e.before[0]
	if newest.consumer != e.doc.GetConsumer().GetAgency() || newest.provider != e.doc.GetProvider() || newest.service != e.doc.GetService() {
		wrong.add(i, "id", "%s is the name of an agreement of other parties or about another service; expected a new id", e.doc.GetId())
		return
	}
	e.what = whatChanged
	asked := e.doc.GetVersion()
	e.doc.Version = newest.version
	same := proto.Equal(e.doc, newest.doc)
	told := newest.told(now)
	switch {
	case same && asked == newest.version, same && asked == 0 && (newest.lives(now) || told == proposed || told == draft):
		e.what = whatUnchanged
		return
	case asked == 0, asked == newest.version+1:
		e.doc.Version = newest.version + 1
	case asked == newest.version:
		wrong.old(i, "version %d exists and says something else; expected %d, made from it", asked, newest.version+1)
	default:
		wrong.old(i, "version %d; the newest is %d, so expected %d, made from it", asked, newest.version, newest.version+1)
	}
}

// propose writes an entry, unless it is only asked what would be done, and says what it is.
func (e *entry) propose(ctx context.Context, tx *state.Tx, p Proposal) (*hubv1.ProposedAgreement, error) {
	answer := &hubv1.ProposedAgreement{Id: e.doc.GetId(), Version: e.doc.GetVersion(), What: e.what, State: proposed}
	if p.Draft {
		answer.State = draft
	}
	if e.what == whatUnchanged {
		answer.State = e.before[0].told(tx.Now.UnixMilli())
		return answer, nil
	}
	if e.what == whatChanged {
		answer.Differences = Differences(e.before[0].doc, e.doc)
	}
	if p.DryRun {
		return answer, nil
	}
	r, err := fresh(tx, e.doc, answer.State)
	if err != nil {
		return nil, err
	}
	if err := r.insert(ctx, tx); err != nil {
		return nil, err
	}
	act := "proposed"
	if p.Draft {
		act = "drafted"
	}
	tx.Record(r.recorded(act, ""))
	return answer, replace(ctx, tx, r, e.before)
}

// fresh is a version that is not in the table yet.
func fresh(tx *state.Tx, doc *hubv1.Agreement, as hubv1.AgreementState) (*row, error) {
	from, until, err := days(doc)
	if err != nil {
		return nil, err
	}
	r := &row{
		id: doc.GetId(), version: doc.GetVersion(), state: as, doc: doc,
		consumer: doc.GetConsumer().GetAgency(), provider: doc.GetProvider(), service: doc.GetService(),
		draftedBy: tx.By.ID.String(), draftedFor: tx.By.Officer, from: from, until: until,
	}
	if as == proposed {
		r.beProposed(tx)
	}
	return r, nil
}

// beProposed begins the provider's clock.
func (r *row) beProposed(tx *state.Tx) {
	r.state, r.proposed, r.proposedBy, r.proposedFor = proposed, tx.Now.UnixMilli(), tx.By.ID.String(), tx.By.Officer
}

// replace ends drafts that are older than a new version, and the proposal that waits if the new version is one itself:
// at most one waits.
func replace(ctx context.Context, tx *state.Tx, r *row, before []*row) error {
	over := []hubv1.AgreementState{draft}
	if r.state == proposed {
		over = append(over, proposed)
	}
	for _, o := range before {
		if o.version >= r.version || !slices.Contains(over, o.state) {
			continue
		}
		o.state = superseded
		if err := o.update(ctx, tx); err != nil {
			return err
		}
		tx.Record(o.recorded("superseded", by(r)))
	}
	return nil
}
