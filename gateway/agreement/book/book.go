// Package book keeps agreements in the hub's state: every version of each, how far it has come, who approved it, and
// which consumers are suspended.
//
//	draft ─▶ proposed ─▶ active ◀─▶ suspended ─▶ terminated
//	             │          └──▶ terminated, superseded; expired is told by time
//	             └──▶ refused, superseded, terminated
//
// Invariants:
//   - A version is never overwritten: its document is written once, and read only if it still has its digest.
//   - At any moment at most one version of an agreement decides, and at most one waits for approval.
//   - A version becomes active by two approvals of that very version, by two systems and two people, neither of whom
//     wrote or proposed it: one for the provider, one for the hub.
//   - A version that is approved while its agreement is suspended takes its place suspended: a suspension ends by being
//     lifted and by nothing else. What waits when an agreement is terminated ends with it.
//   - Operations check everything before they write anything, and record what they did; one that fails did nothing.
//
// What does not belong here: what a document must say (package agreement), who asks (package service), and decisions.
package book

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Rules are what documents are judged by: as they are in the transaction of the operation.
type Rules struct {
	// Catalog says what can be asked.
	Catalog *catalog.Catalog
	// Known reports whether an agency's system is a member; with an empty system, whether the agency is. nil: everybody.
	Known func(agency, system string) bool
}

// known is Known, or yes.
func (r Rules) known(agency, system string) bool { return r.Known == nil || r.Known(agency, system) }

// Parties that approve.
const (
	partyProvider = "provider"
	partyHub      = "hub"
)

// States of agreements, in short.
const (
	draft      = hubv1.AgreementState_AGREEMENT_STATE_DRAFT
	proposed   = hubv1.AgreementState_AGREEMENT_STATE_PROPOSED
	active     = hubv1.AgreementState_AGREEMENT_STATE_ACTIVE
	suspended  = hubv1.AgreementState_AGREEMENT_STATE_SUSPENDED
	terminated = hubv1.AgreementState_AGREEMENT_STATE_TERMINATED
	refused    = hubv1.AgreementState_AGREEMENT_STATE_REFUSED
	superseded = hubv1.AgreementState_AGREEMENT_STATE_SUPERSEDED
	expired    = hubv1.AgreementState_AGREEMENT_STATE_EXPIRED
)

// Who is who does something, beside the state.Actor of the change.
type Who struct {
	Roles member.Roles
}

// may says whether somebody of an agency may do something to what is between a consumer and a provider. What they may
// not even see they are not told of.
func (w Who) may(act member.Act, agency, consumer, provider string) error {
	switch {
	case w.Roles.May(act).Covers(agency, consumer, provider):
		return nil
	case w.Roles.May(member.SeeAgreement).Covers(agency, consumer, provider):
		return reason.ActNotAllowed
	}
	return reason.AgreementUnknown
}

// may judges who makes the change.
func (r *row) may(tx *state.Tx, who Who, act member.Act) error {
	return who.may(act, tx.By.ID.Agency, r.consumer, r.provider)
}

// hanoi is the time that days are in: Asia/Ho_Chi_Minh, which has had no other offset since 1975.
var hanoi = time.FixedZone("Asia/Ho_Chi_Minh", 7*60*60)

// days are the first moment of a document's first day and the one after its last, in Unix ms. An emergency ends its
// agreement.
func days(doc *hubv1.Agreement) (from, until int64, err error) {
	first, err := time.ParseInLocation(time.DateOnly, doc.GetValidFrom(), hanoi)
	if err != nil {
		return 0, 0, errDays
	}
	last, err := time.ParseInLocation(time.DateOnly, doc.GetValidTo(), hanoi)
	if err != nil {
		return 0, 0, errDays
	}
	if expires := doc.GetGround().GetExpires(); expires != "" {
		end, err := time.ParseInLocation(time.DateOnly, expires, hanoi)
		if err != nil {
			return 0, 0, errDays
		}
		if end.Before(last) {
			last = end
		}
	}
	return first.UnixMilli(), last.AddDate(0, 0, 1).UnixMilli(), nil
}

var errDays = errors.New("the document's days are not days")

// seal is a document's one form, and its SHA-256.
func seal(doc *hubv1.Agreement) (document, digest []byte, err error) {
	document, err = proto.MarshalOptions{Deterministic: true}.Marshal(doc)
	if err != nil {
		return nil, nil, fmt.Errorf("write agreement: %w", err)
	}
	sum := sha256.Sum256(document)
	return document, sum[:], nil
}

// recorded is what the ledger says of one version: "act: reason".
func (r *row) recorded(act, why string, approvals ...string) *hubv1.Change {
	text := act
	if why != "" {
		text += ": " + why
	}
	return &hubv1.Change{
		Kind: hubv1.Change_KIND_AGREEMENT, Object: r.id, Version: r.version, Text: text, Approvals: approvals, Digest: r.digest,
	}
}

// actOf takes such a text apart.
func actOf(text string) (act, why string) {
	act, why, _ = strings.Cut(text, ": ")
	return act, why
}
