package connector

import (
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

const (
	keptBuffer   = 64 << 10  // bytes; larger buffers are given back after the call that needed them
	keptSubjects = 1 << 10   // the same for lists of data subjects
	surelyFits   = 256 << 10 // bytes of an answer that every NATS server takes
	frameOutside = 512       // bytes of a frame beside its body, at most
)

// accept takes a call from NATS, which delivers those of one endpoint one by one: it only hands over.
func (c *connector) accept(m *method, r micro.Request) {
	j := job{method: m, subject: r.Subject(), reply: r.Reply(), trace: r.Headers().Get(bus.HeaderTrace), data: r.Data(), came: c.cfg.Now()}
	switch c.queue.put(j) {
	case full:
		m.counts.overloaded.Add(1)
		c.send(j.reply, bus.Refuse(hubv1.Frame_REFUSAL_OVERLOADED, nil))
	case closed:
		c.send(j.reply, bus.Refuse(hubv1.Frame_REFUSAL_LEAVING, nil))
	}
}

// work answers calls until the queue is closed and empty.
func (c *connector) work() {
	var b buffers
	for j := range c.queue.jobs {
		c.serve(&j, &b)
		b.trim()
	}
}

// buffers are reused by one worker from call to call.
type buffers struct {
	plain, response, pruned, answer, frame []byte
	tally                                  contract.Tally
}

// trim gives back what only a large call needed.
func (b *buffers) trim() {
	for _, one := range []*[]byte{&b.plain, &b.response, &b.pruned, &b.answer, &b.frame} {
		if cap(*one) > keptBuffer {
			*one = nil
		}
	}
	if cap(b.tally.Subjects) > keptSubjects {
		b.tally.Subjects = nil
	}
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
	answer := c.answer(&opened{job: j, header: &h, caller: f.Sender, started: started}, b)
	answer.Timings.QueueUs = micros(started.Sub(j.came))
	answer.Timings.ConnectorUs = micros(c.cfg.Now().Sub(started) - time.Duration(answer.Timings.GetRegistryUs())*time.Microsecond)
	if err := c.marshal(answer, b); err != nil {
		c.cfg.Log.Error("answer not sealed", "method", j.method.name, "error", err)
		return
	}
	b.frame = pair.Seal(b.frame[:0], &h, b.answer)
	c.send(j.reply, b.frame)
}

// marshal serialises an answer. One that the bus would not carry becomes the failure that says so.
func (c *connector) marshal(a *hubv1.Answer, b *buffers) (err error) {
	if b.answer, err = (proto.MarshalOptions{}).MarshalAppend(b.answer[:0], a); err != nil || len(b.answer) <= surelyFits {
		return err
	}
	if len(b.answer)+frameOutside <= min(bus.MaxFrame, int(c.nc.MaxPayload())) {
		return nil
	}
	a.Response = nil
	a.Status, a.Reason = uint32(reason.AnswerTooLarge.Form().Code), string(reason.AnswerTooLarge)
	b.answer, err = (proto.MarshalOptions{}).MarshalAppend(b.answer[:0], a)
	return err
}

// refuse says that a call could not be opened. Its sender may be anybody, so it learns no more than that.
func (c *connector) refuse(j *job, why hubv1.Frame_Refusal, err error) {
	j.method.counts.refused.Add(1)
	var words []byte
	if why == hubv1.Frame_REFUSAL_KEY_UNKNOWN {
		words = c.keys.introduction()
	} else {
		c.cfg.Log.Warn("call refused", "method", j.method.name, "refusal", why.String(), "error", err)
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

func micros(d time.Duration) uint32 {
	return uint32(max(0, d.Microseconds()))
}
