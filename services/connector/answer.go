package connector

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// opened is a call whose seal was good.
type opened struct {
	*job
	header  *bus.Header
	caller  bus.KeyID // the gateway's key
	started time.Time
}

// errNoMessage says that a handler returned neither an answer nor an error.
var errNoMessage = errors.New("the handler returned no message")

// answer makes the answer to an opened call, and never fails: a failure is an answer too.
func (c *connector) answer(o *opened, b *buffers) *hubv1.Answer {
	a := &hubv1.Answer{Timings: &hubv1.Timings{}}
	var call hubv1.Call
	err := proto.Unmarshal(b.plain, &call)
	if err == nil {
		err = c.check(o.method, o.header, &call)
	}
	if err == nil {
		err = c.fulfil(o, &call, a, b)
	}
	if err == nil {
		o.method.counts.answered.Add(1)
		return a
	}
	o.method.counts.failed.Add(1)
	fault := reason.Of(err)
	if fault.Reason == reason.Internal || !fault.Reason.Registered() {
		fault.Reason = reason.RegistryFailed
		c.cfg.Log.Error("registry failed", "method", o.method.name, "exchange", fmt.Sprintf("%x", o.header.ExchangeID), "error", fault.Cause)
	}
	a.Status, a.Reason, a.FaultField = uint32(fault.Reason.Form().Code), string(fault.Reason), reason.FieldPath(fault.Field)
	a.Response = nil
	return a
}

// check refuses a call that was sealed properly but is not for this contract, method or jurisdiction, or says on
// nobody's authority.
func (c *connector) check(m *method, h *bus.Header, call *hubv1.Call) error {
	e := call.GetEnvelope()
	switch {
	case h.Digest != m.service.digest:
		return reason.ContractMismatch
	case e.GetMethod() != m.name, e.GetJurisdiction() != c.cfg.Jurisdiction:
		return reason.SealRefused
	case e.GetConsumerAgency() == "", e.GetConsumerSystem() == "", e.GetPurpose() == "", e.GetAgreement() == "":
		return reason.SealRefused
	case len(call.GetRequest()) > bus.MaxRequest:
		return reason.RequestTooLarge
	}
	return nil
}

// fulfil asks the registry, counts whom the exchange is about, and cuts the answer down to the envelope's fields.
func (c *connector) fulfil(o *opened, call *hubv1.Call, a *hubv1.Answer, b *buffers) (err error) {
	defer c.survive(o.method, &err)
	fields, err := o.method.mask(call.GetEnvelope().GetFields())
	if err != nil {
		return reason.ContractMismatch.Because(err)
	}
	b.tally = contract.Tally{Subjects: b.tally.Subjects[:0]}
	if err := o.method.asked.Count(call.GetRequest(), &b.tally); err != nil {
		return reason.RequestMalformed.Because(err)
	}
	defer func() { a.Subjects = subjects(b.tally.Subjects) }()
	b.tally.Matched, b.tally.Missed = 0, 0
	if err := o.method.conditional(call.GetEnvelope()); err != nil {
		return err
	}
	response, err := c.ask(o, call, a.Timings)
	if err != nil {
		if reason.Of(err).Reason == reason.PersonNotFound { // a guess that missed, though there is no answer that says so
			a.Missed = 1
		}
		return err
	}
	settle(response)
	if proto.Size(response) > bus.MaxAnswer {
		return reason.AnswerTooLarge
	}
	if b.response, err = (proto.MarshalOptions{UseCachedSize: true}).MarshalAppend(b.response[:0], response); err != nil {
		return reason.AnswerMalformed.Because(err)
	}
	if err := o.method.told.Count(b.response, &b.tally); err != nil {
		return reason.AnswerMalformed.Because(err)
	}
	a.Matched, a.Missed = uint32(b.tally.Matched), uint32(b.tally.Missed)
	a.Result, _ = o.method.told.Result(b.response)
	if err := o.method.holds(call.GetEnvelope(), call.GetRequest(), b.response, a.Result, o.started); err != nil {
		return err
	}
	if b.pruned, err = fields.Append(b.pruned[:0], b.response); err != nil {
		return reason.AnswerMalformed.Because(err)
	}
	a.Response = b.pruned
	return nil
}

// ask runs the registry's handler within the call's time, and survives its panics.
func (c *connector) ask(o *opened, call *hubv1.Call, t *hubv1.Timings) (response proto.Message, err error) {
	left := min(time.Duration(call.GetTimeoutMs())*time.Millisecond, bus.MaxLife) - bus.Margin - o.started.Sub(o.came)
	if left <= 0 {
		return nil, reason.DeadlineExceeded
	}
	ctx, cancel := context.WithTimeout(c.context(o, call.GetEnvelope()), left)
	defer cancel()
	id := callID{o.caller, o.header.ExchangeID}
	c.calls.add(id, cancel)
	defer c.calls.remove(id)
	ctx, end := c.span(ctx, o.method)
	asked := c.cfg.Now()
	defer func() {
		took := c.cfg.Now().Sub(asked)
		t.RegistryUs = micros(took)
		o.method.counts.registryMicros.Add(uint64(t.RegistryUs))
		end(err)
	}()
	defer c.survive(o.method, &err)
	decode := func(into any) error {
		if uerr := proto.Unmarshal(call.GetRequest(), into.(proto.Message)); uerr != nil {
			return reason.RequestMalformed.Because(uerr)
		}
		return nil
	}
	out, err := o.method.handler(o.method.server, ctx, decode, nil)
	if err != nil {
		return nil, err
	}
	response, ok := out.(proto.Message)
	if !ok || !response.ProtoReflect().IsValid() {
		return nil, errNoMessage
	}
	return response, nil
}

// context says on whose authority, and within which trace, the registry is asked.
func (c *connector) context(o *opened, e *hubv1.Envelope) context.Context {
	ctx := context.WithValue(c.traced(o.trace), callerKey{}, Caller{
		Agency: e.GetConsumerAgency(), System: e.GetConsumerSystem(), Officer: e.GetOfficer(),
		Case: e.GetCase(), Purpose: e.GetPurpose(), Agreement: e.GetAgreement(),
	})
	return metadata.NewIncomingContext(ctx, nil)
}

// survive makes a failure of a panic. The value is not logged: it may hold what the call is about.
func (c *connector) survive(m *method, err *error) {
	if p := recover(); p != nil {
		c.cfg.Log.Error("registry panicked", "method", m.name, "stack", string(debug.Stack()))
		*err = reason.RegistryFailed
	}
}

// subjects lists data subjects for an answer. What is not UTF-8 is no number, in a request that no registry reads,
// and would keep the answer from being sent.
func subjects(found []contract.Subject) []*hubv1.DataSubject {
	list := make([]hubv1.DataSubject, len(found))
	refs := make([]*hubv1.DataSubject, 0, len(found))
	for i, s := range found {
		if utf8.ValidString(s.Value) {
			list[i].Kind, list[i].Value = s.Kind, s.Value
			refs = append(refs, &list[i])
		}
	}
	return refs
}
