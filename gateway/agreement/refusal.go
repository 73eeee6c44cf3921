package agreement

import (
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Refusal is a no: why, and by which agreement where one decided. It is shared and not to be changed.
type Refusal struct {
	Fault     *reason.Fault
	Agreement string // empty when no agreement decided
	Version   int64
}

// Error returns the reason, its sentence and the metadata entry at fault.
func (r *Refusal) Error() string { return r.Fault.Error() }

// Unwrap makes errors.Is find the reason, and reason.Of the metadata entry at fault.
func (r *Refusal) Unwrap() error { return r.Fault }

var noAgreement = &Refusal{Fault: &reason.Fault{Reason: reason.NoAgreement}}

// Why an agreement refuses: indices of faults and of an agreement's refusals, in the order in which they are looked for.
const (
	consumerSuspended = iota
	methodNotAgreed
	purposeRequired
	purposeNotAgreed
	proposed
	suspended
	terminated
	expired
	notYetValid
	caseRequired
	officerRequired
	consentRequired
	fieldUnknown
	fieldsNotAgreed
	metadataInvalid
	conditionNotMet

	reasons
)

var faults = [reasons]*reason.Fault{
	consumerSuspended: {Reason: reason.ConsumerSuspended},
	methodNotAgreed:   {Reason: reason.MethodNotAgreed},
	purposeRequired:   reason.PurposeRequired.At("lt-purpose"),
	purposeNotAgreed:  reason.PurposeNotAgreed.At("lt-purpose"),
	proposed:          {Reason: reason.AgreementProposed},
	suspended:         {Reason: reason.AgreementSuspended},
	terminated:        {Reason: reason.AgreementTerminated},
	expired:           {Reason: reason.AgreementExpired},
	notYetValid:       {Reason: reason.AgreementNotYet},
	caseRequired:      reason.CaseRequired.At("lt-case"),
	officerRequired:   reason.OfficerRequired.At("lt-officer"),
	consentRequired:   reason.ConsentRequired.At("lt-consent"),
	fieldUnknown:      reason.FieldUnknown.At("lt-fields"),
	fieldsNotAgreed:   reason.FieldsNotAgreed.At("lt-fields"),
	metadataInvalid:   reason.MetadataInvalid.At("lt-fields"),
	conditionNotMet:   {Reason: reason.ConditionNotMet},
}

// refusals are made with the agreement, so that to refuse costs no memory.
type refusals [reasons]Refusal

func newRefusals(a *Agreement) (all refusals) {
	for i, f := range faults {
		all[i] = Refusal{Fault: f, Agreement: a.ID, Version: a.Version}
	}
	return all
}

func (a *Agreement) refuse(why int) *Refusal { return &a.refusals[why] }

// refuseFields returns the refusal for what fields.narrow says.
func (a *Agreement) refuseFields(err error) error {
	for _, why := range [...]int{fieldUnknown, fieldsNotAgreed, metadataInvalid} {
		if err == error(faults[why].Reason) {
			return a.refuse(why)
		}
	}
	return &Refusal{Fault: reason.Internal.Because(err), Agreement: a.ID, Version: a.Version}
}

// standing is why an agreement does not decide at a moment, and how much there is to be said for naming it: of several
// that do not, the one closest to deciding is named. A suspension comes first, for somebody meant it.
func (a *Agreement) standing(now int64) (why, weight int) {
	over := now >= a.until
	switch a.State {
	case hubv1.AgreementState_AGREEMENT_STATE_SUSPENDED:
		if over {
			return expired, 2
		}
		return suspended, 6
	case hubv1.AgreementState_AGREEMENT_STATE_PROPOSED:
		if over {
			return expired, 2
		}
		return proposed, 4
	case hubv1.AgreementState_AGREEMENT_STATE_TERMINATED:
		return terminated, 1
	case hubv1.AgreementState_AGREEMENT_STATE_EXPIRED:
		return expired, 2
	}
	switch {
	case over:
		return expired, 3
	case now < a.from:
		return notYetValid, 5
	}
	return -1, 7
}
