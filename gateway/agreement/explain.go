package agreement

import (
	"errors"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// steps are those of a decision, in the order in which Admit takes them, each with the reasons that it refuses for.
var steps = []struct {
	name    string
	refuses []reason.Reason
	passed  string
}{
	{"agreement", []reason.Reason{reason.NoAgreement}, "there is an agreement between the two about this service"},
	{"consumer", []reason.Reason{reason.ConsumerSuspended}, "the provider has not stopped the consumer"},
	{"method", []reason.Reason{reason.MethodNotAgreed}, "the method is agreed"},
	{"purpose", []reason.Reason{reason.PurposeRequired, reason.PurposeNotAgreed}, "the purpose is agreed"},
	{"state", []reason.Reason{reason.AgreementProposed, reason.AgreementSuspended, reason.AgreementTerminated, reason.AgreementExpired, reason.AgreementNotYet}, "the agreement is active, and its time has begun and is not over"},
	{"case", []reason.Reason{reason.CaseRequired}, "a case is named, or need not be"},
	{"officer", []reason.Reason{reason.OfficerRequired}, "an officer is named, or need not be"},
	{"consent", []reason.Reason{reason.ConsentRequired}, "a consent is named, or need not be"},
	{"fields", []reason.Reason{reason.FieldUnknown, reason.FieldsNotAgreed, reason.MetadataInvalid}, "some of the fields are agreed"},
	{"condition", []reason.Reason{reason.ConditionNotMet}, "the condition over the question holds, or there is none"},
}

// Explain says what Admit decides, and why: step by step, and field by field.
func (s *Set) Explain(q Query) *hubv1.ExplainResponse {
	g, err := s.Admit(q)
	e := &hubv1.ExplainResponse{Allowed: err == nil}
	var refused *Refusal
	if errors.As(err, &refused) {
		e.Reason, e.Message, e.Field = string(refused.Fault.Reason), refused.Fault.Reason.Form().Message, refused.Fault.Field
		e.Agreement, e.Version = refused.Agreement, refused.Version
	}
	if g != nil {
		e.Agreement, e.Version, e.LegalBasis, e.AnswerCondition = g.Agreement, g.Version, g.LegalBasis, g.AnswerCondition
	}
	for _, step := range steps {
		one := &hubv1.ExplainStep{Name: step.name, Passed: true, Finding: step.passed}
		e.Steps = append(e.Steps, one)
		if slices.Contains(step.refuses, reason.Reason(e.GetReason())) {
			one.Passed, one.Finding = false, e.GetReason()+": "+e.GetMessage()
			break
		}
	}
	if q.Method != nil {
		e.Fields = s.explainFields(&q, g)
	}
	return e
}

// explainFields says what would become of each leaf of the answer.
func (s *Set) explainFields(q *Query, g *Grant) []*hubv1.ExplainField {
	agreed := s.agreedFields(q)
	var released []string
	if g != nil {
		released = strings.Split(g.Fields, ",")
	}
	var all []*hubv1.ExplainField
	for _, leaf := range contract.Leaves(q.Method.Output) {
		f := &hubv1.ExplainField{
			Path:     leaf.Path,
			Class:    strings.ToLower(strings.TrimPrefix(leaf.Class.String(), "DATA_CLASS_")),
			Released: slices.Contains(released, leaf.Path),
		}
		switch {
		case f.GetReleased() && isResult(leaf.Path):
			f.Why = "result"
		case f.GetReleased():
			f.Why = "agreed"
		case agreed[leaf.Path] && g != nil:
			f.Why = "not asked for"
		case agreed[leaf.Path]:
			f.Why = "agreed, but the question is refused"
		case leaf.Class == hubv1.DataClass_DATA_CLASS_SENSITIVE:
			f.Why = "sensitive: not named"
		default:
			f.Why = "not agreed"
		}
		all = append(all, f)
	}
	return all
}

// agreedFields are the fields that are agreed for a question, also where the agreement is not in force.
func (s *Set) agreedFields(q *Query) map[string]bool {
	if r, refused := s.find(q); refused == nil {
		return r.fields.agreed
	}
	if s == nil {
		return nil
	}
	scope, ok := s.scopes[scopeKey{q.Consumer, q.Method, q.provider()}]
	if !ok {
		return nil
	}
	for _, r := range slices.Backward(scope.purposes[q.Purpose]) {
		if r.agreement.covers(q.Jurisdiction) {
			return r.fields.agreed
		}
	}
	return nil
}
