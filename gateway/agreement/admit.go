package agreement

import (
	"slices"
	"time"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/proto/condition"
	"github.com/lienthong/lienthong/proto/mask"
	"github.com/lienthong/lienthong/proto/peer"
)

// Query is what a decision needs of a call.
type Query struct {
	Consumer     peer.ID
	Province     string // of the consumer's agency; may be empty
	Method       *catalog.Method
	Provider     peer.ID // who would answer, as Method.Route says; may be left out where the service has one provider
	Jurisdiction string  // for which they would; empty: whichever
	Purpose      string
	Case         string
	Officer      string
	Fields       string // lt-fields as sent: paths of the answer, comma separated; empty: all that is agreed
	Consent      string
	Request      []byte // the question, serialised, for conditions over it
	Now          time.Time
}

// Grant is a yes: under what, and what may be released. It is shared and not to be changed.
type Grant struct {
	Agreement       string
	Version         int64
	LegalBasis      string
	Fields          string        // leaf paths that may be released, sorted, joined by commas
	Mask            *mask.Mask    // lets these fields pass
	Withheld        string        // leaf paths that were asked for and may not; ends in ",..." where it was cut
	Sensitive       bool          // sensitive fields are among Fields
	AnswerCondition string        // must hold for the whole answer, as the registry's connector decides; empty: none
	Limits          *Limits       // nil: none
	DataLife        time.Duration // how long the consumer may keep the answer; 0: not said
}

// Admit decides. What it returns beside a Grant is a *Refusal with one of the reasons NO_AGREEMENT, CONSUMER_SUSPENDED,
// METHOD_NOT_AGREED, PURPOSE_REQUIRED, PURPOSE_NOT_AGREED, AGREEMENT_SUSPENDED, AGREEMENT_NOT_YET_VALID,
// AGREEMENT_PROPOSED, AGREEMENT_EXPIRED, AGREEMENT_TERMINATED, CASE_REQUIRED, OFFICER_REQUIRED, CONSENT_REQUIRED,
// FIELD_UNKNOWN, FIELDS_NOT_AGREED, METADATA_INVALID, CONDITION_NOT_MET; the first that applies. Without a condition it
// allocates nothing, unless fields are asked for in a way that is new.
func (s *Set) Admit(q Query) (*Grant, error) {
	r, refusal := s.find(&q)
	if refusal != nil {
		return nil, refusal
	}
	a := r.agreement
	switch {
	case r.caseRequired && q.Case == "":
		return nil, a.refuse(caseRequired)
	case r.officerRequired && q.Officer == "":
		return nil, a.refuse(officerRequired)
	case a.consentRequired && q.Consent == "":
		return nil, a.refuse(consentRequired)
	}
	g := &r.full
	if q.Fields != "" {
		var err error
		if g, err = r.narrow(q.Fields); err != nil {
			return nil, err
		}
	}
	if !r.condition.holds(&q) {
		return nil, a.refuse(conditionNotMet)
	}
	return g, nil
}

// find returns the rule that decides.
func (s *Set) find(q *Query) (*rule, *Refusal) {
	if s == nil || q.Method == nil {
		return nil, noAgreement
	}
	provider := q.provider()
	p := s.parties[partyKey{q.Consumer, q.Method.Service, provider}]
	if p == nil {
		return nil, noAgreement
	}
	if s.stopped(q.Consumer, provider) {
		return nil, p.named.refuse(consumerSuspended)
	}
	scope, ok := s.scopes[scopeKey{q.Consumer, q.Method, provider}]
	if !ok {
		return nil, p.named.refuse(methodNotAgreed)
	}
	if q.Purpose == "" {
		return nil, scope.named.refuse(purposeRequired)
	}
	rules := scope.purposes[q.Purpose]
	if len(rules) == 0 {
		return nil, scope.named.refuse(purposeNotAgreed)
	}
	return inForce(rules, q)
}

// stopped reports whether the provider has stopped the consumer.
func (s *Set) stopped(consumer peer.ID, provider string) bool {
	return len(s.suspended) > 0 && (s.suspended[Suspension{provider, consumer.Agency, ""}] ||
		s.suspended[Suspension{provider, consumer.Agency, consumer.System}])
}

// inForce finds the rule of the moment, or the refusal of the one that comes closest.
func inForce(rules []*rule, q *Query) (*rule, *Refusal) {
	now, best, heaviest := q.Now.Unix(), noAgreement, 0
	for _, r := range rules {
		a := r.agreement
		if !a.covers(q.Jurisdiction) {
			continue
		}
		why, weight := a.standing(now)
		if why < 0 {
			return r, nil
		}
		if weight > heaviest || weight == heaviest && why == expired { // of several that are over, the last
			best, heaviest = a.refuse(why), weight
		}
	}
	return nil, best
}

// covers reports whether the agreement is about a jurisdiction.
func (a *Agreement) covers(where string) bool {
	return where == "" || len(a.jurisdictions) == 0 || slices.Contains(a.jurisdictions, where)
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

// conditioned is a condition over the question; the zero value has none and always holds.
type conditioned struct{ *condition.Condition }

// holds decides the condition. What cannot be decided does not hold.
func (c conditioned) holds(q *Query) bool {
	if c.Condition == nil {
		return true
	}
	held, err := c.Holds(condition.Facts{
		Caller: condition.Caller{
			Agency: q.Consumer.Agency, System: q.Consumer.System, Province: q.Province,
			Officer: q.Officer, Case: q.Case, Purpose: q.Purpose,
		},
		Now: q.Now, Request: q.Request,
	})
	return held && err == nil
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
	a := r.agreement
	return Grant{
		Agreement: a.ID, Version: a.Version, LegalBasis: basis,
		Fields: rel.paths, Mask: rel.mask, Withheld: rel.withheld, Sensitive: rel.sensitive,
		AnswerCondition: a.answerCondition, Limits: a.limits, DataLife: a.dataLife,
	}
}
