package connector

import (
	"strings"
	"sync"
	"time"

	"github.com/lienthong/lienthong/proto/condition"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// maxConditions bounds how many conditions a method remembers; with one more it forgets them all.
const maxConditions = 256

// conditions are those over answers that a method was asked to decide, compiled once each.
type conditions struct {
	mu  sync.Mutex
	all map[string]*condition.Condition
}

// condition compiles a condition over the method's answers, or finds it.
func (m *method) condition(text string) (*condition.Condition, error) {
	c := &m.conditions
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.all[text]; ok {
		return found, nil
	}
	made, err := condition.CompileAnswer(text, m.desc.Input(), m.desc.Output())
	if err != nil {
		return nil, err
	}
	if c.all == nil || len(c.all) >= maxConditions {
		c.all = map[string]*condition.Condition{}
	}
	c.all[strings.Clone(text)] = made
	return made, nil
}

// conditional refuses what no condition over an answer can hold back: a registry that was changed stays changed.
func (m *method) conditional(e *hubv1.Envelope) error {
	if e.GetAnswerCondition() == "" {
		return nil
	}
	if m.policy.GetEffect() != hubv1.Effect_EFFECT_READ {
		return reason.ConditionNotMet
	}
	if _, err := m.condition(e.GetAnswerCondition()); err != nil {
		return reason.ContractMismatch.Because(err)
	}
	return nil
}

// holds decides the agreement's condition over a whole answer. An answer with nothing about anybody passes: to refuse it
// would tell nobody from somebody elsewhere.
func (m *method) holds(e *hubv1.Envelope, request, response []byte, found *hubv1.Result, now time.Time) error {
	if e.GetAnswerCondition() == "" || empty(found.GetCode()) {
		return nil
	}
	c, err := m.condition(e.GetAnswerCondition())
	if err != nil {
		return reason.ContractMismatch.Because(err)
	}
	held, err := c.Holds(condition.Facts{
		Caller: condition.Caller{
			Agency: e.GetConsumerAgency(), System: e.GetConsumerSystem(), Province: e.GetConsumerProvince(),
			Officer: e.GetOfficer(), Case: e.GetCase(), Purpose: e.GetPurpose(),
		},
		Now: now, Request: request, Answer: response,
	})
	if err != nil {
		return reason.ConditionNotMet.Because(err)
	}
	if !held {
		return reason.ConditionNotMet
	}
	return nil
}

// empty reports whether an answer with this result has no record in it.
func empty(code hubv1.Result_Code) bool {
	return code == hubv1.Result_NO_MATCH || code == hubv1.Result_MISSING
}
