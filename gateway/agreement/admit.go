package agreement

import (
	"sort"
	"time"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/proto/mask"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// Query is what a decision needs of a call.
type Query struct {
	Consumer peer.ID
	Method   *catalog.Method
	Provider peer.ID // who would answer, as Method.Route says; may be left out where the service has one provider
	Purpose  string
	Case     string
	Officer  string
	Fields   string // lt-fields as sent: paths of the answer, comma separated; empty: all that is agreed
	Now      time.Time
}

// Grant is a yes: under what, and what may be released. It is shared and not to be changed.
type Grant struct {
	Agreement  string
	Version    int64
	LegalBasis string
	Fields     string     // leaf paths that may be released, sorted, joined by commas
	Mask       *mask.Mask // lets these fields pass
	Withheld   string     // leaf paths that were asked for and may not; ends in ",..." where it was cut
	Sensitive  bool       // sensitive fields are among Fields
}

// Admit decides. What it returns beside a Grant is a *Refusal with one of the reasons NO_AGREEMENT,
// METHOD_NOT_AGREED, PURPOSE_REQUIRED, PURPOSE_NOT_AGREED, AGREEMENT_EXPIRED, AGREEMENT_NOT_YET_VALID,
// CASE_REQUIRED, OFFICER_REQUIRED, FIELD_UNKNOWN, FIELDS_NOT_AGREED, METADATA_INVALID; the first that applies.
func (s *Set) Admit(q Query) (*Grant, error) {
	if s == nil || q.Method == nil {
		return nil, noAgreement
	}
	provider := q.provider()
	scope, ok := s.scopes[scopeKey{q.Consumer, q.Method, provider}]
	if !ok {
		if a := s.parties[partyKey{q.Consumer, q.Method.Service, provider}]; a != nil {
			return nil, a.refuse(methodNotAgreed)
		}
		return nil, noAgreement
	}
	if q.Purpose == "" {
		return nil, scope.named.refuse(purposeRequired)
	}
	rules := scope.purposes[q.Purpose]
	if len(rules) == 0 {
		return nil, scope.named.refuse(purposeNotAgreed)
	}
	r, refusal := inForce(rules, q.Now.Unix())
	if refusal != nil {
		return nil, refusal
	}
	if r.caseRequired && q.Case == "" {
		return nil, r.agreement.refuse(caseRequired)
	}
	if r.officerRequired && q.Officer == "" {
		return nil, r.agreement.refuse(officerRequired)
	}
	if q.Fields == "" {
		return &r.full, nil
	}
	return r.narrow(q.Fields)
}

// provider returns the agency that would answer; "", which no agreement has, when the query leaves it open.
func (q *Query) provider() string {
	if q.Provider.Agency != "" {
		return q.Provider.Agency
	}
	if len(q.Method.Service.Providers) == 1 {
		for _, id := range q.Method.Service.Providers {
			return id.Agency
		}
	}
	return ""
}

// inForce finds the rule of the moment.
func inForce(rules []*rule, now int64) (*rule, *Refusal) {
	next := sort.Search(len(rules), func(i int) bool { return rules[i].agreement.from > now })
	if next > 0 && now < rules[next-1].agreement.until {
		return rules[next-1], nil
	}
	if next < len(rules) {
		return nil, rules[next].agreement.refuse(notYetValid)
	}
	return nil, rules[next-1].agreement.refuse(expired)
}

// narrow returns the grant for some of the fields.
func (r *rule) narrow(asked string) (*Grant, error) {
	if g := r.narrowed.find(asked); g != nil {
		return g, nil
	}
	rel, err := r.fields.narrow(asked)
	if err != nil {
		return nil, r.agreement.refuseFields(err)
	}
	g := r.grant(r.full.LegalBasis, rel)
	r.narrowed.keep(asked, &g)
	return &g, nil
}

func (r *rule) grant(basis string, rel *release) Grant {
	return Grant{
		Agreement:  r.agreement.ID,
		Version:    r.agreement.Version,
		LegalBasis: basis,
		Fields:     rel.paths,
		Mask:       rel.mask,
		Withheld:   rel.withheld,
		Sensitive:  rel.sensitive,
	}
}

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

// Why an agreement refuses: indices of faults and of an agreement's refusals.
const (
	methodNotAgreed = iota
	purposeRequired
	purposeNotAgreed
	expired
	notYetValid
	caseRequired
	officerRequired
	fieldUnknown
	fieldsNotAgreed
	metadataInvalid
	reasons
)

var faults = [reasons]*reason.Fault{
	methodNotAgreed:  {Reason: reason.MethodNotAgreed},
	purposeRequired:  reason.PurposeRequired.At("lt-purpose"),
	purposeNotAgreed: reason.PurposeNotAgreed.At("lt-purpose"),
	expired:          {Reason: reason.AgreementExpired},
	notYetValid:      {Reason: reason.AgreementNotYet},
	caseRequired:     reason.CaseRequired.At("lt-case"),
	officerRequired:  reason.OfficerRequired.At("lt-officer"),
	fieldUnknown:     reason.FieldUnknown.At("lt-fields"),
	fieldsNotAgreed:  reason.FieldsNotAgreed.At("lt-fields"),
	metadataInvalid:  reason.MetadataInvalid.At("lt-fields"),
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
