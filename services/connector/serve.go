package connector

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// job is a call that waits for a worker.
type job struct {
	method  *method
	subject string
	reply   string
	trace   string
	data    []byte
	came    time.Time
}

// accept takes a call from NATS, which delivers those of one endpoint one by one: it only hands over.
func (c *connector) accept(m *method, r micro.Request) {
	j := job{method: m, subject: r.Subject(), reply: r.Reply(), trace: r.Headers().Get(bus.HeaderTrace), data: r.Data(), came: c.cfg.Now()}
	select {
	case c.queue <- j:
	default:
		c.counts.overloaded.Add(1)
		c.send(j.reply, bus.Refuse(hubv1.Frame_REFUSAL_OVERLOADED, nil))
	}
}

// work answers calls until the queue is closed and empty.
func (c *connector) work() {
	var b buffers
	for j := range c.queue {
		c.serve(&j, &b)
	}
}

// buffers are reused by one worker from call to call.
type buffers struct {
	plain, response, pruned, answer, frame []byte
	tally                                  contract.Tally
}

// serve opens one call, has the registry answer it, and sends the sealed answer.
func (c *connector) serve(j *job, b *buffers) {
	started := c.cfg.Now()
	f, err := bus.ParseFrame(j.data)
	if err != nil {
		c.refuse(j, hubv1.Frame_REFUSAL_SEAL, err)
		return
	}
	pair, err := c.keys.pair(&f)
	switch {
	case err != nil:
		c.refuse(j, hubv1.Frame_REFUSAL_SEAL, err)
		return
	case pair == nil:
		c.refuse(j, hubv1.Frame_REFUSAL_KEY_UNKNOWN, nil)
		return
	}
	h := bus.Header{Subject: j.subject, Reply: j.reply}
	if b.plain, err = pair.Open(b.plain[:0], &h, &f, started); err != nil {
		c.refuse(j, hubv1.Frame_REFUSAL_SEAL, err)
		return
	}
	answer := c.answer(j, &h, b)
	answer.Timings.QueueUs = micros(started.Sub(j.came))
	answer.Timings.ConnectorUs = micros(c.cfg.Now().Sub(started)) - answer.Timings.GetRegistryUs()
	if b.answer, err = (proto.MarshalOptions{}).MarshalAppend(b.answer[:0], answer); err != nil {
		c.cfg.Log.Error("answer not sealed", "method", j.method.name, "error", err)
		return
	}
	b.frame = pair.Seal(b.frame[:0], &h, b.answer, nil)
	c.send(j.reply, b.frame)
}

// refuse says that a call could not be opened. Its sender may be anybody, so it learns no more than that.
func (c *connector) refuse(j *job, why hubv1.Frame_Refusal, err error) {
	c.counts.refused.Add(1)
	if why != hubv1.Frame_REFUSAL_KEY_UNKNOWN {
		c.cfg.Log.Warn("call refused", "method", j.method.name, "refusal", why.String(), "error", err)
		c.send(j.reply, bus.Refuse(why, nil))
		return
	}
	words, err := c.keys.announcement(c.cfg.Now(), false)
	if err != nil {
		c.cfg.Log.Error("announcement not made", "error", err)
	}
	c.send(j.reply, bus.Refuse(why, words))
}

func (c *connector) send(reply string, data []byte) {
	if reply == "" {
		return
	}
	if err := c.nc.Publish(reply, data); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		c.cfg.Log.Warn("answer not sent", "error", err)
	}
}

// answer makes the answer to an opened call, and never fails: a failure is an answer too.
func (c *connector) answer(j *job, h *bus.Header, b *buffers) *hubv1.Answer {
	a := &hubv1.Answer{Timings: &hubv1.Timings{}}
	var call hubv1.Call
	err := proto.Unmarshal(b.plain, &call)
	if err == nil {
		err = c.check(j.method, h, call.GetEnvelope())
	}
	if err == nil {
		err = c.fulfil(j, h, &call, a, b)
	}
	if err == nil {
		c.counts.answered.Add(1)
		return a
	}
	c.counts.failed.Add(1)
	fault := reason.Of(err)
	if fault.Reason == reason.Internal {
		fault.Reason = reason.RegistryFailed
		c.cfg.Log.Error("registry failed", "method", j.method.name, "exchange", fmt.Sprintf("%x", h.ExchangeID), "error", fault.Cause)
	}
	a.Status, a.Reason, a.FaultField = uint32(fault.Reason.Form().Code), string(fault.Reason), fault.Field
	a.Response = nil
	return a
}

// check refuses a call that was sealed properly but is not for this contract, method or jurisdiction, or says on
// nobody's authority.
func (c *connector) check(m *method, h *bus.Header, e *hubv1.Envelope) error {
	switch {
	case h.Digest != m.service.digest:
		return reason.ContractMismatch
	case e.GetMethod() != m.name, e.GetJurisdiction() != c.cfg.Jurisdiction:
		return reason.SealRefused
	case e.GetConsumerAgency() == "", e.GetConsumerSystem() == "", e.GetPurpose() == "", e.GetAgreement() == "":
		return reason.SealRefused
	}
	return nil
}

// fulfil asks the registry, counts whom the exchange is about, and cuts the answer down to the envelope's fields.
func (c *connector) fulfil(j *job, h *bus.Header, call *hubv1.Call, a *hubv1.Answer, b *buffers) error {
	m := j.method
	fields, err := m.mask(call.GetEnvelope().GetFields())
	if err != nil {
		return reason.ContractMismatch.Because(err)
	}
	b.tally = contract.Tally{Subjects: b.tally.Subjects[:0]}
	if err := m.asked.Count(call.GetRequest(), &b.tally); err != nil {
		return reason.RequestMalformed.Because(err)
	}
	defer func() { a.Subjects = subjects(b.tally.Subjects) }()
	b.tally.Matched, b.tally.Missed = 0, 0
	response, err := c.ask(j, h, call, a.Timings)
	if err != nil {
		return err
	}
	settle(response)
	if b.response, err = (proto.MarshalOptions{}).MarshalAppend(b.response[:0], response); err != nil {
		return reason.AnswerMalformed.Because(err)
	}
	if len(b.response) > bus.MaxAnswer {
		return reason.AnswerTooLarge
	}
	if err := m.told.Count(b.response, &b.tally); err != nil {
		return reason.AnswerMalformed.Because(err)
	}
	if b.pruned, err = fields.Append(b.pruned[:0], b.response); err != nil {
		return reason.AnswerMalformed.Because(err)
	}
	a.Response, a.Matched, a.Missed = b.pruned, uint32(b.tally.Matched), uint32(b.tally.Missed)
	a.Result, _ = m.told.Result(b.response)
	return nil
}

// ask runs the registry's handler, within the call's deadline, and survives its panics.
func (c *connector) ask(j *job, h *bus.Header, call *hubv1.Call, t *hubv1.Timings) (response proto.Message, err error) {
	e := call.GetEnvelope()
	ctx := context.WithValue(c.traced(j.trace), callerKey{}, Caller{
		Agency: e.GetConsumerAgency(), System: e.GetConsumerSystem(), Officer: e.GetOfficer(),
		Case: e.GetCase(), Purpose: e.GetPurpose(), Agreement: e.GetAgreement(),
	})
	ctx = metadata.NewIncomingContext(ctx, nil)
	ctx, cancel := context.WithDeadline(ctx, h.Expires.Add(-bus.Margin))
	defer cancel()
	if ctx.Err() != nil {
		return nil, reason.DeadlineExceeded
	}
	c.calls.add(h.ExchangeID, cancel)
	defer c.calls.remove(h.ExchangeID)
	ctx, end := c.span(ctx, j.method)
	asked := c.cfg.Now()
	defer func() {
		took := c.cfg.Now().Sub(asked)
		t.RegistryUs = micros(took)
		c.counts.registryMicros.Add(uint64(took.Microseconds()))
		if p := recover(); p != nil {
			c.cfg.Log.Error("registry panicked", "method", j.method.name, "stack", string(debug.Stack()))
			response, err = nil, reason.RegistryFailed
		}
		end(err)
	}()
	decode := func(into any) error {
		if uerr := proto.Unmarshal(call.GetRequest(), into.(proto.Message)); uerr != nil {
			return reason.RequestMalformed.Because(uerr)
		}
		return nil
	}
	out, err := j.method.handler(j.method.server, ctx, decode, nil)
	if err != nil {
		return nil, err
	}
	return out.(proto.Message), nil
}

func subjects(found []contract.Subject) []*hubv1.DataSubject {
	list := make([]hubv1.DataSubject, len(found))
	refs := make([]*hubv1.DataSubject, len(found))
	for i, s := range found {
		list[i].Kind, list[i].Value = s.Kind, s.Value
		refs[i] = &list[i]
	}
	return refs
}

func micros(d time.Duration) uint32 {
	return uint32(max(0, d.Microseconds()))
}
