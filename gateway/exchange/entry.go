package exchange

import (
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// entry says how the exchange went. What was never known, such as the method of a call that names none of the
// catalog's, stays empty: text from a caller that nobody checked is not recorded.
func (x *exchange) entry(err error, ended time.Time) *hubv1.LedgerRecord {
	e := &hubv1.Exchange{
		Id:             x.reply.Exchange[:],
		TraceId:        x.traceID(),
		Received:       timestamppb.New(x.began),
		ConsumerAgency: x.call.Caller.ID.Agency,
		ConsumerSystem: x.call.Caller.ID.System,
		Certificate:    x.call.Caller.Serial,
		Method:         x.methodName(),
		Face:           x.call.Face,
		RequestBytes:   uint32(len(x.call.Request)),
		TotalUs:        micros(ended.Sub(x.began)),
		MembersVersion: x.policy.Members.Version(),
		PolicyRevision: x.policy.Revision,
		Decoy:          x.decoy,
	}
	if x.method != nil {
		e.ContractDigest = x.method.Service.Digest[:]
	}
	if checkWords(x.call) == nil {
		e.Officer, e.Case, e.Purpose, e.Consent = x.call.Officer, x.call.Case, x.call.Purpose, x.call.Consent
	}
	if x.provider.Agency != "" {
		e.ProviderAgency, e.Jurisdiction = x.provider.Agency, x.jurisdiction
	}
	var refused *agreement.Refusal
	switch {
	case x.grant != nil:
		e.Agreement, e.AgreementVersion, e.LegalBasis = x.grant.Agreement, x.grant.Version, x.grant.LegalBasis
	case errors.As(err, &refused):
		e.Agreement, e.AgreementVersion = refused.Agreement, refused.Version
	}
	if !x.decided.IsZero() {
		e.DecideUs = micros(x.decided.Sub(x.began))
	}
	if !x.carried.IsZero() {
		e.CarryUs = micros(x.carried.Sub(x.decided))
	}
	x.addAnswer(e, err)
	e.Outcome = outcome(err)
	e.Subjects = x.subjects()
	if err != nil {
		e.Reason = string(reason.Of(err).Reason)
		e.InDoubt = x.inDoubt(e.GetOutcome())
	}
	return &hubv1.LedgerRecord{
		Time:   timestamppb.New(ended),
		Origin: x.hub.cfg.Origin,
		Event:  &hubv1.LedgerRecord_Exchange{Exchange: e},
	}
}

// addAnswer adds what the connector said of the answer, released or not.
func (x *exchange) addAnswer(e *hubv1.Exchange, err error) {
	a := x.answered
	if a == nil {
		return
	}
	e.Result, e.Timings = a.GetResult(), a.GetTimings()
	e.Matched, e.Missed = a.GetMatched(), a.GetMissed()
	if err == nil {
		e.Released, e.Withheld = x.grant.Fields, x.grant.Withheld
		e.AnswerBytes, e.Sensitive = uint32(len(x.reply.Response)), x.grant.Sensitive
		if x.reply.Keep != "" {
			e.KeepUntil = timestamppb.New(x.keepUntil())
		}
	}
}

// intent says what the registry is about to be asked.
func (x *exchange) intent() *hubv1.LedgerRecord {
	return &hubv1.LedgerRecord{
		Time:   timestamppb.New(x.decided),
		Origin: x.hub.cfg.Origin,
		Event: &hubv1.LedgerRecord_Intent{Intent: &hubv1.Intent{
			ExchangeId:       x.reply.Exchange[:],
			Received:         timestamppb.New(x.began),
			ConsumerAgency:   x.call.Caller.ID.Agency,
			ConsumerSystem:   x.call.Caller.ID.System,
			Officer:          x.call.Officer,
			Case:             x.call.Case,
			Purpose:          x.call.Purpose,
			ProviderAgency:   x.provider.Agency,
			Method:           x.method.Name,
			Jurisdiction:     x.jurisdiction,
			Agreement:        x.grant.Agreement,
			AgreementVersion: x.grant.Version,
			Subjects:         x.subjects(),
		}},
	}
}

// subjects are all that the exchange is about: whom the connector counted in question and answer, and whom the hub
// itself finds in the question. So a question that nobody carried is found by its data subject, and a connector
// cannot hide whom it was asked about.
func (x *exchange) subjects() []*hubv1.DataSubject {
	told := x.answered.GetSubjects()
	if x.method == nil {
		return told
	}
	var asked contract.Tally
	_ = x.method.Subjects(x.call.Request, &asked) // what can be read of a malformed question counts
	if len(asked.Subjects) == 0 {
		return told
	}
	all := make([]*hubv1.DataSubject, 0, len(asked.Subjects)+len(told))
	for _, s := range asked.Subjects {
		all = append(all, &hubv1.DataSubject{Kind: s.Kind, Value: s.Value})
	}
	return append(all, told...)
}

// inDoubt reports whether a registry may have done what nobody could tell the consumer: it was asked to change
// something and did not say what came of it.
func (x *exchange) inDoubt(o hubv1.Exchange_Outcome) bool {
	return x.asked != nil && x.asked.Sent && x.method.Writes() && x.answered == nil && o != hubv1.Exchange_OUTCOME_REFUSED
}

func (x *exchange) methodName() string {
	if x.method == nil {
		return ""
	}
	return x.method.Name
}

// outcome sorts a failure: who asked wrongly was refused, what broke has failed.
func outcome(err error) hubv1.Exchange_Outcome {
	if err == nil {
		return hubv1.Exchange_OUTCOME_ANSWERED
	}
	switch r := reason.Of(err).Reason; {
	case r == reason.DeadlineExceeded, r == reason.DeadlineTooShort:
		return hubv1.Exchange_OUTCOME_TIMED_OUT
	case r == reason.Cancelled:
		return hubv1.Exchange_OUTCOME_CANCELLED
	case r.Refuses():
		return hubv1.Exchange_OUTCOME_REFUSED
	}
	return hubv1.Exchange_OUTCOME_FAILED
}

func micros(d time.Duration) uint32 { return uint32(max(0, d.Microseconds())) }
