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
	errNoDeadline = errors.New("ask without a deadline")
)

// keptBuffer is the largest buffer that is kept for other calls, in bytes.
const keptBuffer = 64 << 10

// buffers for one call: as it is, and sealed. NATS copies what it publishes.
type buffers struct{ plain, frame []byte }

var pool = sync.Pool{New: func() any { return new(buffers) }}

func (b *buffers) free() {
	if cap(b.plain) <= keptBuffer && cap(b.frame) <= keptBuffer {
		pool.Put(b)
	}
}

// askOne sends a sealed question to one connector process and waits for its answer.
func (c *Courier) askOne(ctx context.Context, q *Question, r *route, introduce bool) (*hubv1.Answer, error) {
	subject, err := r.subject(q)
	if err != nil {
		return nil, err
	}
	r.busy.Add(1)
	defer r.busy.Add(-1)
	w := c.waiting.add()
	defer c.waiting.remove(w)
	h := bus.Header{Subject: subject, Reply: w.reply, ExchangeID: q.Exchange, Digest: q.Digest}
	if err := c.send(ctx, q, r, &h, introduce); err != nil {
		return nil, err
	}
	select {
	case msg := <-w.answer:
		return c.open(r, &h, msg)
	case <-ctx.Done():
		c.cancel(q, r)
		return nil, reason.Of(ctx.Err())
	}
}

// send seals a question and publishes it. The connector is told how long its answer is waited for; the frame's
// expiry is only what bounds a replay.
func (c *Courier) send(ctx context.Context, q *Question, r *route, h *bus.Header, introduce bool) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return errNoDeadline
	}
	left := time.Until(deadline) - bus.Margin
	if left < time.Millisecond {
		return reason.DeadlineExceeded
	}
	b := pool.Get().(*buffers)
	defer b.free()
	var err error
	call := hubv1.Call{Envelope: q.Envelope, Request: q.Request, TimeoutMs: uint32(min(left, bus.MaxLife).Milliseconds())}
	if b.plain, err = (proto.MarshalOptions{}).MarshalAppend(b.plain[:0], &call); err != nil {
		return fmt.Errorf("seal call: %w", err)
	}
	var words []byte
	if introduce {
		words = r.own.words
	}
	h.Expires = c.cfg.Now().Add(left)
	b.frame = r.pair.Seal(b.frame[:0], h, b.plain, words)
	err = c.publish(h.Subject, h.Reply, b.frame, q.Trace)
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		return reason.RequestTooLarge.Because(err)
	case err != nil:
		return reason.BusOffline.Because(err)
	}
	return nil
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
		if err := c.introduced(r, f.Announcement); err != nil {
			return nil, reason.SealRefused.Because(err)
		}
		return nil, errKeyUnknown
	case hubv1.Frame_REFUSAL_OVERLOADED:
		return nil, reason.Overloaded
	case hubv1.Frame_REFUSAL_LEAVING:
		return nil, errGone
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

// introduced learns the key of a process that could not open a call, from its own words and nobody else's.
func (c *Courier) introduced(r *route, announcement []byte) error {
	party, err := c.verify(announcement)
	if err != nil {
		return err
	}
	if party.ID != r.id || party.Instance != r.instance {
		return fmt.Errorf("%w: somebody else was asked", bus.ErrAnnouncement)
	}
	return c.routes.learn(party, c.cfg.Now(), func(p place) bool { return p == r.place })
}

// cancel tells the connector that nobody waits any more. It is best effort: the call has its own deadline there.
func (c *Courier) cancel(q *Question, r *route) {
	subject, err := bus.CancelSubject(q.Jurisdiction, q.Service, r.instance)
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
	s, err := bus.CallSubject(q.Jurisdiction, q.Method, r.instance)
	if err != nil {
		return "", fmt.Errorf("address call: %w", err)
	}
	r.subjects.Store(q.Method, s)
	return s, nil
}
