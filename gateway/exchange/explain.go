package exchange

import (
	"strings"

	"github.com/lienthong/lienthong/gateway/member"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// Explain says what would become of a question of a system, and why, without asking anybody and without a record of an
// exchange: the same steps are taken as Do takes, up to the one before the registry. Quotas are not used up.
func (h *Hub) Explain(consumer peer.ID, q *hubv1.ExplainRequest) (*hubv1.ExplainResponse, error) {
	now := h.cfg.Now()
	x := &exchange{hub: h, began: now, call: &Call{
		Caller: &member.Certificate{ID: consumer, NotBefore: now, NotAfter: now}, Method: "/" + strings.TrimPrefix(q.GetMethod(), "/"), Purpose: q.GetPurpose(),
		Case: q.GetCase(), Officer: q.GetOfficer(), Fields: q.GetFields(), Consent: q.GetConsent(), Request: q.GetRequest(),
	}}
	if x.policy, x.stale = h.cfg.Policy(now); x.stale != nil {
		return nil, x.stale
	}
	e := &hubv1.ExplainResponse{Revision: x.policy.Revision}
	step := func(name, passed string, take func() error) bool { return explainStep(e, name, passed, take()) }
	if !step("identity", "the system is an active member of an agency that is open, and its words can be recorded", x.identify) {
		return e, nil
	}
	method, known := x.policy.Catalog.Method(x.call.Method)
	if !step("service", "the catalog has the method", func() error {
		if !known {
			return unknownMethod(x.policy.Catalog, x.call.Method)
		}
		return nil
	}) {
		return e, nil
	}
	x.method = method
	if len(q.GetRequest()) > 0 || method.Policy.GetJurisdiction() == "" {
		routed := step("provider", "somebody answers for it", func() (err error) {
			x.jurisdiction, x.provider, err = method.Route(q.GetRequest())
			return err
		})
		if !routed {
			return e, nil
		}
	}
	decided := x.policy.Agreements.Explain(x.query())
	decided.Steps, decided.Revision = append(e.GetSteps(), decided.GetSteps()...), e.GetRevision()
	e = decided
	if !e.GetAllowed() {
		return e, nil
	}
	e.Allowed = step("role", "the system is a consumer", func() error {
		if !x.caller.Roles.Has(member.Consumer) {
			return reason.NotAConsumer
		}
		return nil
	}) && step("words", "the officer is enrolled, and the case has the agency's form", func() error {
		return x.policy.Members.CheckWords(consumer.Agency, q.GetOfficer(), q.GetCase())
	}) && step("official", "the service is in official use, and no stop is in force", func() error {
		return method.Service.Admits(x.jurisdiction, now)
	}) && step("guard", "nobody was stopped for guessing", func() error {
		if h.cfg.Guard == nil {
			return nil
		}
		return h.cfg.Guard.Check(consumer.Agency, q.GetPurpose(), q.GetOfficer())
	})
	if !e.GetAllowed() {
		for _, f := range e.GetFields() {
			f.Released = false
		}
	}
	return e, nil
}

// explainStep notes a step, and reports whether the question passed it.
func explainStep(e *hubv1.ExplainResponse, name, passed string, err error) bool {
	one := &hubv1.ExplainStep{Name: name, Passed: err == nil, Finding: passed}
	e.Steps = append(e.Steps, one)
	if err == nil {
		return true
	}
	f := reason.Of(err)
	e.Reason, e.Message, e.Field = string(f.Reason), f.Reason.Form().Message, f.Field
	one.Finding = e.Reason + ": " + e.Message
	return false
}
