package book

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Motion says what is to be done to which agreement.
type Motion struct {
	ID      string
	Version int64               // that is meant; 0: the one that waits
	Digest  []byte              // of the document that is meant; empty: any
	Ground  hubv1.RefusalGround // of a refusal
	Reason  string              // in words; may be empty
}

// Submit makes a draft a proposal.
func Submit(ctx context.Context, tx *state.Tx, rules Rules, who Who, m Motion) (*hubv1.AgreementVersion, error) {
	r, all, err := meant(ctx, tx, who, member.ProposeAgreement, m, draft)
	if err != nil {
		return nil, err
	}
	var wrong complaints
	if err := judge(ctx, tx, rules, []*entry{{doc: r.doc, before: all, what: whatChanged}}, &wrong); err != nil {
		return nil, err
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	r.beProposed(tx)
	if err := r.update(ctx, tx); err != nil {
		return nil, err
	}
	tx.Record(r.recorded("proposed", ""))
	return r.shown(tx.Now.UnixMilli()), replace(ctx, tx, r, all)
}

// Approve gives a party's word to the proposal that waits. The second one puts it in force. It fails with
// OFFICER_REQUIRED if no officer is named, SELF_APPROVAL, STATE_WRONG if the party has approved, VERSION_CONFLICT if
// another version or document is meant, and *Invalid if what was proposed cannot be in force as things are now.
func Approve(ctx context.Context, tx *state.Tx, rules Rules, who Who, m Motion) (*hubv1.AgreementVersion, error) {
	r, all, err := meant(ctx, tx, who, member.ApproveAgreement, m, proposed)
	if err != nil {
		return nil, err
	}
	a := approval{party: r.party(who, tx.By), by: tx.By.ID.String(), officer: tx.By.Officer, at: tx.Now.UnixMilli()}
	if err := r.mayApprove(a); err != nil {
		return nil, err
	}
	if err := r.sound(ctx, tx, rules); err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO agreement_approval (id, version, party, by_id, officer, at_ms) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.id, r.version, a.party, a.by, a.officer, a.at); err != nil {
		return nil, fmt.Errorf("write approval: %w", err)
	}
	r.approvals = append(r.approvals, a)
	tx.Record(r.recorded("approved for the "+a.party, ""))
	if len(r.approvals) == 2 {
		err = r.begin(ctx, tx, all)
	} else {
		err = r.update(ctx, tx)
	}
	if err != nil {
		return nil, err
	}
	return r.shown(tx.Now.UnixMilli()), nil
}

// Refuse refuses the proposal that waits, for a legal reason. It fails with FIELD_REQUIRED if there is none.
func Refuse(ctx context.Context, tx *state.Tx, who Who, m Motion) (*hubv1.AgreementVersion, error) {
	r, _, err := meant(ctx, tx, who, member.ApproveAgreement, m, proposed)
	if err != nil {
		return nil, err
	}
	if m.Ground == hubv1.RefusalGround_REFUSAL_GROUND_UNSPECIFIED {
		return nil, reason.FieldRequired.At("ground")
	}
	if _, known := hubv1.RefusalGround_name[int32(m.Ground)]; !known {
		return nil, reason.FieldInvalid.At("ground")
	}
	text, err := CleanText(m.Reason, "reason")
	if err != nil {
		return nil, err
	}
	r.state, r.reason, r.ground, r.refusedFor = refused, text, m.Ground, r.party(who, tx.By)
	if err := r.update(ctx, tx); err != nil {
		return nil, err
	}
	tx.Record(r.recorded("refused for the "+r.refusedFor, strings.TrimSuffix(Ground(m.Ground)+"; "+text, "; ")))
	return r.shown(tx.Now.UnixMilli()), nil
}

// Ground is a legal reason in short: "FIELDS_EXCESSIVE".
func Ground(g hubv1.RefusalGround) string { return strings.TrimPrefix(g.String(), "REFUSAL_GROUND_") }

// meant finds the version of an agreement that a motion is about: the one in a state that only one can be in.
func meant(ctx context.Context, tx *state.Tx, who Who, act member.Act, m Motion, in hubv1.AgreementState) (*row, []*row, error) {
	all, err := find(ctx, tx, who, m.ID)
	if err != nil {
		return nil, nil, err
	}
	if err := all[0].may(tx, who, act); err != nil {
		return nil, nil, err
	}
	waits := slices.IndexFunc(all, func(r *row) bool {
		return r.state == in && (m.Version == 0 || r.version == m.Version) && r.visible(who, tx.By.ID.Agency)
	})
	switch {
	case waits < 0 && m.Version != 0 && m.Version != all[0].version:
		return nil, nil, reason.VersionConflict.At("version")
	case waits < 0:
		return nil, nil, reason.StateWrong
	case len(m.Digest) > 0 && !bytes.Equal(m.Digest, all[waits].digest):
		return nil, nil, reason.VersionConflict.At("digest")
	case all[waits].told(tx.Now.UnixMilli()) != in:
		return nil, nil, reason.StateWrong
	}
	return all[waits], all, nil
}

// find loads an agreement's versions; AGREEMENT_UNKNOWN if there is none that somebody may see.
func find(ctx context.Context, tx *state.Tx, who Who, id string) ([]*row, error) {
	all, err := load(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(r *row) bool { return r.visible(who, tx.By.ID.Agency) }) {
		return nil, reason.AgreementUnknown
	}
	return all, nil
}

// visible reports whether a system of an agency may see a version. A draft is its author's.
func (r *row) visible(who Who, agency string) bool {
	reach := who.Roles.May(member.SeeAgreement)
	if !reach.Covers(agency, r.consumer, r.provider) {
		return false
	}
	return r.proposed > 0 || reach&member.Everywhere != 0 || strings.HasPrefix(r.draftedBy, agency+"/")
}

// party says for whom somebody approves or refuses, who may: a steward for the provider, an operator for the hub. Who
// is both acts for the party that has not approved yet.
func (r *row) party(who Who, by state.Actor) string {
	provider := who.Roles.Has(member.Steward) && by.ID.Agency == r.provider
	if provider && (!who.Roles.Has(member.Operator) || !r.approvedFor(partyProvider)) {
		return partyProvider
	}
	return partyHub
}

func (r *row) approvedFor(party string) bool {
	return slices.ContainsFunc(r.approvals, func(a approval) bool { return a.party == party })
}

// mayApprove says whether an approval can be given: two different people, neither of whom made the proposal.
func (r *row) mayApprove(a approval) error {
	if a.officer == "" {
		return reason.OfficerRequired.At(member.WordOfficer)
	}
	if same(a, r.draftedBy, r.draftedFor) || same(a, r.proposedBy, r.proposedFor) {
		return reason.SelfApproval
	}
	for _, other := range r.approvals {
		if same(a, other.by, other.officer) {
			return reason.SelfApproval
		}
	}
	if r.approvedFor(a.party) {
		return reason.StateWrong
	}
	return nil
}

// same reports whether an approval is by a system, or by a person: account names are those of an agency.
func same(a approval, by, officer string) bool {
	agency, _, _ := strings.Cut(by, "/")
	return a.by == by || strings.EqualFold(a.officer, officer) && strings.HasPrefix(a.by, agency+"/")
}

// by names the version that is the reason of something.
func by(r *row) string { return fmt.Sprintf("by version %d", r.version) }
