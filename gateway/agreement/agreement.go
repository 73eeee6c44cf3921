// Package agreement decides whether a consumer may ask a method for a purpose, and which fields of the answer it gets.
// Agreements are documents (hub.v1.Agreement) in versions, each in a state; people write them as YAML.
//
// Invariants:
//   - Deny is the default: what no active agreement in force names is refused, and so is what cannot be decided.
//   - A Grant never has a sensitive field that its agreement does not name one by one; `result` is in every Grant.
//   - A Set never changes; another state of the agreements is another Set.
//   - One version of one agreement decides each question: two that could are no Set.
//   - The cost of a decision does not grow with the number of agreements.
//
// What does not belong here: who the consumer is (member), what can be asked (catalog), cutting the answer (mask), how
// agreements come about and where they are kept (book).
package agreement

import (
	"time"

	"github.com/lienthong/lienthong/gateway/catalog"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// Version is one version of an agreement, as Compile takes it.
type Version struct {
	Doc     *hubv1.Agreement // not to be changed
	State   hubv1.AgreementState
	From    time.Time // decides from this moment
	Until   time.Time // and up to this one, not in it
	Edition int64     // another one with each change of the version
	Digest  [32]byte  // of Doc
}

// Suspension stops a consumer at a provider: one system of an agency, or all if System is empty.
type Suspension struct{ Provider, Agency, System string }

// Agreement is a version, ready to decide.
type Agreement struct {
	ID       string
	Version  int64
	State    hubv1.AgreementState
	Title    string
	Agency   string   // the consumer
	Systems  []string // the consumer's systems that may ask
	Provider string   // the agency that owns the registry
	Service  *catalog.Service
	Purposes []Purpose
	Methods  []Method
	From     time.Time // in force from this moment
	Until    time.Time // and up to this one, not in it

	index
}

// Purpose is a coded reason to ask.
type Purpose struct {
	Code       string
	Title      string
	LegalBasis string
	Procedures []string // codes of the administrative procedures it serves
}

// Method is a method that may be asked.
type Method struct {
	Method *catalog.Method
	Fields []string // leaf paths that may be released, sorted, without those of `result`
}

// index is what the decision needs of an agreement, made once.
type index struct {
	edition         int64
	from, until     int64 // Unix seconds
	caseRequired    *bool // over the contract's label, if the agreement says
	officerRequired *bool
	consentRequired bool
	jurisdictions   []string // empty: all
	answerCondition string
	limits          *Limits
	dataLife        time.Duration
	refusals        refusals
	rules           map[*catalog.Method]map[string]*rule // by method and purpose
}

// Set is all agreements of one moment, ready to decide. A nil Set refuses everything.
type Set struct {
	all       []*Agreement // by id and version
	byVersion map[versionKey]*Agreement
	scopes    map[scopeKey]*scope
	parties   map[partyKey]*party
	suspended map[Suspension]bool
	broken    []error
}

type versionKey struct {
	id      string
	version int64
}

// scopeKey is what a decision begins with.
type scopeKey struct {
	consumer peer.ID
	method   *catalog.Method
	provider string
}

// partyKey is who agreed with whom about what.
type partyKey struct {
	consumer peer.ID
	service  *catalog.Service
	provider string
}

// party is all that one consumer system agreed with one provider about one service.
type party struct {
	agreements []*Agreement
	named      *Agreement // to name in a refusal that no single agreement decides: the latest
}

// scope is all that one consumer system agreed with one provider about one method.
type scope struct {
	agreements []*Agreement
	named      *Agreement
	purposes   map[string][]*rule
}

// rule is one purpose of a method under one agreement. Active rules of a purpose do not overlap.
type rule struct {
	agreement       *Agreement
	caseRequired    bool
	officerRequired bool
	condition       conditioned
	fields          *fields
	full            Grant // of all agreed fields
	narrowed        narrowed
}

// All returns the agreements, by id and version. The slice is not to be changed.
func (s *Set) All() []*Agreement {
	if s == nil {
		return nil
	}
	return s.all
}

// Broken says which versions decide nothing although they should, because they do not fit the catalog any more.
func (s *Set) Broken() []error {
	if s == nil {
		return nil
	}
	return s.broken
}
