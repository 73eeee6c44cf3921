package exchange

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/meter"
	"github.com/lienthong/lienthong/gateway/policy"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/fault"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// shortest is the least time that makes asking a registry worth while.
const shortest = 50 * time.Millisecond

var (
	errPanic    = errors.New("the hub's own code panicked")
	errReason   = errors.New("connector gave no registered reason")
	errOverstep = errors.New("connector gave a reason that is the hub's to give")
)

// exchange is one exchange under way. It lives in one goroutine.
type exchange struct {
	hub    *Hub
	ctx    context.Context
	call   *Call
	policy *policy.Policy
	stale  error // why nothing may be decided now
	began  time.Time
	span   trace.Span

	caller       member.Caller
	method       *catalog.Method
	grant        *agreement.Grant
	jurisdiction string
	provider     peer.ID
	decided      time.Time // when admit was through
	asked        *courier.Question
	carried      time.Time // when the answer was here
	answered     *hubv1.Answer
	decoy        bool // somebody was asked for whom nobody has reason to ask
	reply        Reply
}

// take takes the steps in turn, until one fails. A panic in one is a failure like any other: it is recorded, and the
// hub goes on.
func (x *exchange) take(steps ...func() error) (err error) {
	defer x.survive(&err)
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// identify makes sure that the caller is still who its certificate says, and that its words can be recorded.
func (x *exchange) identify() error {
	if x.stale != nil {
		return x.stale
	}
	var err error
	if x.caller, err = x.policy.Members.Caller(x.call.Caller, x.began); err != nil {
		return err
	}
	if x.call.Unreadable != nil {
		return x.call.Unreadable
	}
	return checkWords(x.call)
}

// admit has one agreement version decide whether this may be asked. Deny is the default.
func (x *exchange) admit() error {
	method, ok := x.policy.Catalog.Method(x.call.Method)
	if !ok {
		return unknownMethod(x.policy.Catalog, x.call.Method)
	}
	x.method = method
	if len(x.call.Request) > bus.MaxRequest {
		return reason.RequestTooLarge
	}
	var err error
	if x.jurisdiction, x.provider, err = method.Route(x.call.Request); err != nil {
		return x.stranger(err)
	}
	if x.grant, err = x.policy.Agreements.Admit(x.query()); err != nil {
		return err
	}
	if !x.caller.Roles.Has(member.Consumer) {
		return reason.NotAConsumer
	}
	if err := x.policy.Members.CheckWords(x.caller.ID.Agency, x.call.Officer, x.call.Case); err != nil {
		return err
	}
	return method.Service.Admits(x.jurisdiction, x.began)
}

// query is what the decision needs of the call.
func (x *exchange) query() agreement.Query {
	return agreement.Query{
		Consumer: x.call.Caller.ID, Province: x.caller.Province, Method: x.method, Provider: x.provider,
		Jurisdiction: x.jurisdiction, Purpose: x.call.Purpose, Case: x.call.Case, Officer: x.call.Officer,
		Fields: x.call.Fields, Consent: x.call.Consent, Request: x.call.Request, Now: x.began,
	}
}

// limit stops who guesses, and who asks more or more often than was agreed.
func (x *exchange) limit() error {
	if g := x.hub.cfg.Guard; g != nil {
		if err := g.Check(x.caller.ID.Agency, x.call.Purpose, x.call.Officer); err != nil {
			return err
		}
	}
	limits := x.grant.Limits
	switch {
	case limits == nil:
		return nil
	case x.hub.cfg.Meter == nil:
		return reason.QuotaExceeded
	}
	use := meter.Use{
		Limits: limits, Agency: x.caller.ID.Agency, System: x.caller.ID.System, Officer: x.call.Officer, Now: x.began,
	}
	if limits.Times > 0 {
		use.Subjects = x.subjects()
	}
	return x.hub.cfg.Meter.Take(x.ctx, use)
}

// stranger answers a question that nobody can be found for. Who has no agreement about the service at all learns
// that, and nothing about how to ask it properly.
func (x *exchange) stranger(err error) error {
	for _, provider := range x.method.Service.Providers {
		_, refused := x.policy.Agreements.Admit(agreement.Query{
			Consumer: x.call.Caller.ID, Method: x.method, Provider: provider, Purpose: x.call.Purpose, Now: x.began,
		})
		if !errors.Is(refused, reason.NoAgreement) {
			return err
		}
	}
	return reason.NoAgreement
}

// intend has it recorded that a registry is about to be asked to change something.
func (x *exchange) intend() error {
	x.decided = x.hub.cfg.Now()
	if !x.method.Writes() {
		return nil
	}
	fault.At("exchange.before-intent")
	_, err := x.keep(context.WithoutCancel(x.ctx), Evidence{Record: x.intent(), Request: x.call.Request})
	if err != nil {
		x.hub.cfg.Log.Error("intent not recorded", "exchange", x.reply.Exchange.String(), "error", err)
		return reason.LedgerUnavailable.Because(err)
	}
	fault.At("exchange.after-intent")
	return nil
}

// ask carries the question to the registry and waits for what comes of it, until the deadline.
func (x *exchange) ask() error {
	ctx, cancel, err := x.deadline()
	if err != nil {
		return err
	}
	defer cancel()
	ctx, end := x.spanAsk(ctx)
	x.asked = x.question(ctx)
	fault.At("exchange.before-ask")
	answer, err := x.hub.cfg.Carrier.Ask(ctx, x.asked)
	fault.At("exchange.after-ask")
	end(err)
	x.carried = x.hub.cfg.Now()
	if err != nil {
		return err
	}
	x.answered = answer
	x.count()
	return x.failure()
}

// count tells the guard what the registry found, also where its answer is refused.
func (x *exchange) count() {
	if g := x.hub.cfg.Guard; g != nil {
		x.decoy = g.Count(x.caller.ID.Agency, x.call.Purpose, x.call.Officer, x.answered.GetMatched(), x.answered.GetMissed(), x.subjects())
	}
}

// release cuts the answer down to the agreed fields. The connector did so already; the hub does not rely on it.
func (x *exchange) release() error {
	if len(x.answered.GetResponse()) > bus.MaxAnswer {
		return reason.AnswerTooLarge
	}
	released, err := x.grant.Mask.Append(make([]byte, 0, len(x.answered.GetResponse())), x.answered.GetResponse())
	if err != nil {
		return reason.AnswerMalformed.Because(err)
	}
	x.reply.Response, x.reply.Withheld = released, x.grant.Withheld
	if x.grant.DataLife > 0 {
		x.reply.Keep = x.keepUntil().Format(time.DateOnly)
	}
	return nil
}

// hanoi is the time that days are in: Asia/Ho_Chi_Minh, which has had no other offset since 1975.
var hanoi = time.FixedZone("Asia/Ho_Chi_Minh", 7*60*60)

// keepUntil is the last moment at which the answer may be kept: the end of a day.
func (x *exchange) keepUntil() time.Time {
	y, m, d := x.began.In(hanoi).Add(x.grant.DataLife).Date()
	return time.Date(y, m, d, 23, 59, 59, 0, hanoi)
}

// record has the record of the exchange taken, whatever came of it. If that fails, nothing is answered.
func (x *exchange) record(err error) (out error) {
	defer x.survive(&out)
	ended := x.hub.cfg.Now()
	record := x.entry(err, ended)
	fault.At("exchange.before-record")
	// The record must be taken even if the consumer has gone away meanwhile.
	receipt, rerr := x.keep(context.WithoutCancel(x.ctx), Evidence{Record: record, Request: x.call.Request, Answer: x.released(err)})
	if rerr != nil {
		x.hub.cfg.Log.Error("exchange not recorded", "exchange", x.reply.Exchange.String(), "error", rerr)
		err = reason.LedgerUnavailable.Because(rerr)
		record = x.entry(err, ended) // for those who count: it was not answered
	}
	x.reply.Receipt = receipt
	if x.hub.cfg.Observe != nil {
		x.hub.cfg.Observe(&Ended{Record: record.GetExchange(), Took: ended.Sub(x.began)})
	}
	return err
}

// keep hands the record over. A recorder that panics did not take it.
func (x *exchange) keep(ctx context.Context, e Evidence) (r Receipt, err error) {
	defer x.survive(&err)
	if fault.Planted("answer-before-append") && e.Record.GetExchange() != nil {
		return x.keepLater(ctx, e), nil
	}
	return x.hub.cfg.Recorder.Append(ctx, e)
}

// released is what leaves unless there was an error.
func (x *exchange) released(err error) []byte {
	if err != nil {
		return nil
	}
	return x.reply.Response
}

// survive makes a failure of a panic. Its value is not logged, for nobody knows what it holds.
func (x *exchange) survive(err *error) {
	if p := recover(); p != nil {
		x.hub.cfg.Log.Error("exchange panicked", "exchange", x.reply.Exchange.String(), "method", x.methodName(), "stack", string(debug.Stack()))
		*err = reason.Internal.Because(errPanic)
	}
}

// answer is the last step: what the face may send.
func (x *exchange) answer(err error) (*Reply, error) {
	fault.At("exchange.before-answer")
	x.endSpan(err)
	if err == nil {
		if x.reply.Keep != "" && x.hub.cfg.Meter != nil {
			x.hub.cfg.Meter.Keep(x.grant.Agreement, x.caller.ID.String(), x.provider.Agency, x.reply.Keep)
		}
		return &x.reply, nil
	}
	refusal := reason.Of(err)
	if refusal.Reason == reason.Internal || refusal.Reason == reason.AnswerMalformed {
		x.hub.cfg.Log.Error("exchange failed", "exchange", x.reply.Exchange.String(), "method", x.methodName(), "reason", string(refusal.Reason), "error", refusal.Cause)
	}
	x.reply.Response, x.reply.Withheld, x.reply.Keep = nil, "", ""
	return &x.reply, refusal
}

// deadline bounds the asking by the caller's deadline, the method's, and what the bus allows.
func (x *exchange) deadline() (context.Context, context.CancelFunc, error) {
	limit := x.decided.Add(bus.MaxLife)
	if asked, ok := x.ctx.Deadline(); ok {
		limit = earlier(limit, asked.Add(-bus.Margin))
	} else {
		limit = earlier(limit, x.decided.Add(x.method.Deadline))
	}
	if limit.Sub(x.decided) < shortest {
		if x.ctx.Err() != nil {
			return nil, nil, reason.Of(x.ctx.Err())
		}
		return nil, nil, reason.DeadlineTooShort
	}
	ctx, cancel := context.WithDeadline(x.ctx, limit)
	return ctx, cancel, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (x *exchange) question(ctx context.Context) *courier.Question {
	return &courier.Question{
		Exchange:     x.reply.Exchange,
		Service:      x.method.Service.Name,
		Method:       x.method.Name,
		Jurisdiction: x.jurisdiction,
		Provider:     x.provider,
		Digest:       x.method.Service.Digest,
		Request:      x.call.Request,
		Trace:        traceparent(ctx),
		Envelope: &hubv1.Envelope{
			ConsumerAgency:   x.call.Caller.ID.Agency,
			ConsumerSystem:   x.call.Caller.ID.System,
			Officer:          x.call.Officer,
			Case:             x.call.Case,
			Purpose:          x.call.Purpose,
			Agreement:        x.grant.Agreement,
			AgreementVersion: x.grant.Version,
			Method:           x.method.Name,
			Jurisdiction:     x.jurisdiction,
			Fields:           x.grant.Fields,
			Consent:          x.call.Consent,
			AnswerCondition:  x.grant.AnswerCondition,
			ConsumerProvince: x.caller.Province,
		},
	}
}

// unknownMethod tells an unknown service from an unknown method of a known one.
func unknownMethod(c *catalog.Catalog, path string) error {
	if service, _, ok := cutPath(path); ok {
		if _, known := c.Service(service); known {
			return reason.MethodUnknown
		}
	}
	return reason.ServiceUnknown
}
