package courier

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/bus"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

var (
	errGone       = errors.New("nobody listens there any more")
	errKeyUnknown = errors.New("connector does not know the key")
)

// buffers for sealed calls; NATS copies what it publishes.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// askOne sends a sealed question to one connector process and waits for its answer.
func (c *Courier) askOne(ctx context.Context, q *Question, r *route, plain, words []byte) (*hubv1.Answer, error) {
	subject, err := r.subject(q)
	if err != nil {
		return nil, err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, errors.New("ask without a deadline")
	}
	r.busy.Add(1)
	defer r.busy.Add(-1)
	w := c.waiting.add()
	defer c.waiting.remove(w)
	h := bus.Header{Subject: subject, Reply: w.reply, ExchangeID: q.Exchange, Expires: deadline.Add(-bus.Margin), Digest: q.Digest}
	buf := buffers.Get().(*[]byte)
	*buf = r.pair.Seal((*buf)[:0], &h, plain, words)
	err = c.publish(subject, w.reply, *buf, q.Trace)
	buffers.Put(buf)
	if err != nil {
		return nil, reason.BusOffline.Because(err)
	}
	select {
	case msg := <-w.answer:
		return c.open(r, &h, msg)
	case <-ctx.Done():
		c.cancel(q, r)
		return nil, reason.Of(ctx.Err())
	}
}

func (c *Courier) publish(subject, reply string, data []byte, trace string) error {
	if trace == "" {
		return c.nc.PublishRequest(subject, reply, data)
	}
	msg := nats.Msg{Subject: subject, Reply: reply, Data: data, Header: nats.Header{bus.HeaderTrace: {trace}}}
	return c.nc.PublishMsg(&msg)
}

// open reads what came back for a question.
func (c *Courier) open(r *route, h *bus.Header, msg *nats.Msg) (*hubv1.Answer, error) {
	if len(msg.Data) == 0 && msg.Header.Get("Status") == "503" {
		return nil, errGone
	}
	f, err := bus.ParseFrame(msg.Data)
	if err != nil {
		return nil, reason.SealRefused.Because(err)
	}
	switch f.Refusal {
	case hubv1.Frame_REFUSAL_UNSPECIFIED:
	case hubv1.Frame_REFUSAL_KEY_UNKNOWN:
		if err := c.learn(f.Announcement); err != nil {
			return nil, reason.SealRefused.Because(err)
		}
		return nil, errKeyUnknown
	case hubv1.Frame_REFUSAL_OVERLOADED:
		return nil, reason.Overloaded
	default:
		return nil, reason.SealRefused
	}
	got := bus.Header{Subject: h.Subject, Reply: h.Reply}
	plain, err := r.pair.Open(nil, &got, &f, c.cfg.Now())
	if err != nil {
		return nil, reason.SealRefused.Because(err)
	}
	if got.ExchangeID != h.ExchangeID || got.Digest != h.Digest {
		return nil, reason.SealRefused.Because(errors.New("answer to another question"))
	}
	answer := new(hubv1.Answer)
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(plain, answer); err != nil {
		return nil, reason.AnswerMalformed.Because(err)
	}
	return answer, nil
}

// cancel tells the connector that nobody waits any more. It is best effort: the call has its own deadline there.
func (c *Courier) cancel(q *Question, r *route) {
	subject, err := bus.CancelSubject(q.Jurisdiction, q.Service, r.party.Instance)
	if err != nil {
		return
	}
	h := bus.Header{Subject: subject, ExchangeID: q.Exchange, Expires: c.cfg.Now().Add(time.Second), Digest: q.Digest}
	if err := c.nc.Publish(subject, r.pair.Seal(nil, &h, nil, nil)); err != nil {
		c.cfg.Log.Debug("cancellation not sent", "error", err)
	}
}

// waiting knows who waits for which reply subject. Shards keep callers from queueing for one lock.
type waiting struct {
	prefix string
	next   atomic.Uint64
	shards [32]struct {
		mu   sync.Mutex
		byID map[uint64]*waiter
	}
}

// waiter waits for one answer.
type waiter struct {
	id     uint64
	reply  string
	answer chan *nats.Msg
}

func (w *waiting) add() *waiter {
	id := w.next.Add(1)
	one := &waiter{id: id, reply: w.prefix + strconv.FormatUint(id, 36), answer: make(chan *nats.Msg, 1)}
	s := &w.shards[id%uint64(len(w.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = make(map[uint64]*waiter)
	}
	s.byID[id] = one
	return one
}

func (w *waiting) remove(one *waiter) {
	s := &w.shards[one.id%uint64(len(w.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, one.id)
}

// arrived hands an answer to whoever waits for it. Late and foreign ones are dropped.
func (w *waiting) arrived(msg *nats.Msg) {
	if len(msg.Subject) <= len(w.prefix) {
		return
	}
	id, err := strconv.ParseUint(msg.Subject[len(w.prefix):], 36, 64)
	if err != nil {
		return
	}
	s := &w.shards[id%uint64(len(w.shards))]
	s.mu.Lock()
	one := s.byID[id]
	s.mu.Unlock()
	if one == nil {
		return
	}
	select {
	case one.answer <- msg:
	default:
	}
}

func (r *route) subject(q *Question) (string, error) {
	if s, ok := r.subjects.Load(q.Method); ok {
		return s.(string), nil
	}
	s, err := bus.CallSubject(q.Jurisdiction, q.Method, r.party.Instance)
	if err != nil {
		return "", fmt.Errorf("address call: %w", err)
	}
	r.subjects.Store(q.Method, s)
	return s, nil
}
