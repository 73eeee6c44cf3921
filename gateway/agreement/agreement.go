// Package agreement decides whether a consumer may ask a method for a purpose, and which fields of the answer it
// gets. Agreements are YAML files: what one agency agreed with another, with its legal basis.
//
// Invariants:
//   - Deny is the default: what no agreement in force names is refused.
//   - A Grant never has a sensitive field that its agreement does not name one by one; `result` is in every Grant.
//   - A Set never changes, and a directory is loaded wholly or not at all.
//   - One version of one agreement decides each question: two that could are refused when they are loaded.
//   - The cost of a decision does not grow with the number of agreements.
//
// What does not belong here: who the consumer is (member), what can be asked (catalog), cutting the answer (mask).
package agreement

import (
	"time"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/proto/peer"
)

// Agreement is what one consumer agency may ask of one provider's service: one version of it.
type Agreement struct {
	ID       string
	Version  int64
	Title    string
	Agency   string   // the consumer
	Systems  []string // the consumer's systems that may ask
	Provider string   // the agency that owns the registry
	Service  *catalog.Service
	Purposes []Purpose
	Methods  []Method
	From     time.Time // in force from this moment
	Until    time.Time // and up to this one, not in it
	Path     string    // the file it came from

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
	from, until     int64 // Unix seconds
	caseRequired    *bool // over the contract's label, if the agreement says
	officerRequired *bool
	refusals        refusals
	file            string // "path:line" of its id, for complaints
}

// Set is every agreement of a directory, ready to decide. A nil Set refuses everything.
type Set struct {
	all     []*Agreement
	scopes  map[scopeKey]*scope
	parties map[partyKey]*Agreement // one agreement between the two about the service, to name in a refusal
}

// scopeKey is what a decision begins with.
type scopeKey struct {
	consumer peer.ID
	method   *catalog.Method
	provider string
}

type partyKey struct {
	consumer peer.ID
	service  *catalog.Service
	provider string
}

// scope is all that one consumer system agreed with one provider about one method.
type scope struct {
	named    *Agreement // to name in a refusal that no single agreement decides: the latest
	purposes map[string][]*rule
}

// rule is one purpose of a scope under one agreement; rules of a purpose are in order of time and do not overlap.
type rule struct {
	agreement       *Agreement
	caseRequired    bool
	officerRequired bool
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
