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
	errIntroduce  = errors.New("the connector does not know this gateway's key")
	errOtherKey   = errors.New("the connector has another key by now")
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

// askOne sends a sealed question to one connector process and waits for its answer. If the process does not know
// this gateway, the same frame is sent again with an introduction.
func (c *Courier) askOne(ctx context.Context, q *Question, r *route) (*hubv1.Answer, error) {
	subject, err := r.subject(q)
	if err != nil {
		return nil, err
	}
	r.busy.Add(1)
	defer r.busy.Add(-1)
	w := c.waiting.add()
	defer c.waiting.remove(w)
	b := pool.Get().(*buffers)
	defer b.free()
	h := bus.Header{Subject: subject, Reply: w.reply, ExchangeID: q.Exchange, Digest: q.Digest}
	if err := c.seal(ctx, q, r, &h, b); err != nil {
		return nil, err
	}
	for introduced := false; ; introduced = true {
		q.Sent = true
		if err := c.publish(&h, b.frame, q.Trace); err != nil {
			return nil, err
		}
		select {
		case msg := <-w.answer:
			answer, err := c.open(r, &h, msg)
			if introduced || !errors.Is(err, errIntroduce) {
				return answer, err
			}
			b.frame = bus.Introduce(b.frame, r.own.words)
		case <-ctx.Done():
			c.cancel(q, r)
			return nil, reason.Of(ctx.Err())
		}
	}
}

// seal seals a question. The connector is told how long its answer is waited for; the frame's expiry is only what
// bounds a replay.
func (c *Courier) seal(ctx context.Context, q *Question, r *route, h *bus.Header, b *buffers) (err error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return errNoDeadline
	}
	left := time.Until(deadline) - bus.Margin
	if left < time.Millisecond {
		return reason.DeadlineExceeded
	}
	call := hubv1.Call{Envelope: q.Envelope, Request: q.Request, TimeoutMs: uint32(min(left, bus.MaxLife).Milliseconds())}
	if b.plain, err = (proto.MarshalOptions{}).MarshalAppend(b.plain[:0], &call); err != nil {
		return fmt.Errorf("seal call: %w", err)
	}
	h.Expires = c.cfg.Now().Add(left)
	b.frame = r.pair.Seal(b.frame[:0], h, b.plain)
	return nil
}

func (c *Courier) publish(h *bus.Header, frame []byte, trace string) error {
	var err error
	if trace == "" {
		err = c.nc.PublishRequest(h.Subject, h.Reply, frame)
	} else {
		header := nats.Header{bus.HeaderTrace: {trace}}
		err = c.nc.PublishMsg(&nats.Msg{Subject: h.Subject, Reply: h.Reply, Data: frame, Header: header})
	}
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		return reason.RequestTooLarge.Because(err)
	case err != nil:
		return reason.BusOffline.Because(err)
	}
	return nil
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
		return nil, c.unknown(r, f.Announcement)
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

// unknown says what to do about a process that does not know one of the two keys, after learning which one it has,
// from its own words and nobody else's.
func (c *Courier) unknown(r *route, announcement []byte) error {
	party, err := c.verify(announcement)
	if err == nil && (party.ID != r.id || party.Instance != r.instance) {
		err = fmt.Errorf("%w: somebody else was asked", bus.ErrAnnouncement)
	}
	if err == nil {
		err = c.routes.learn(party, c.cfg.Now(), func(p place) bool { return p == r.place })
	}
	if err != nil {
		return reason.SealRefused.Because(err)
	}
	if now := c.routes.now(r); now != nil && now.pair == r.pair {
		return reason.SealRefused.Because(errIntroduce)
	}
	return errOtherKey
}

// cancel tells the connector that nobody waits any more. It is best effort: the call has its own deadline there.
func (c *Courier) cancel(q *Question, r *route) {
	subject, err := bus.CancelSubject(q.Jurisdiction, q.Service, r.instance)
	if err != nil {
		return
	}
	h := bus.Header{Subject: subject, ExchangeID: q.Exchange, Expires: c.cfg.Now().Add(time.Second), Digest: q.Digest}
	if err := c.nc.Publish(subject, r.pair.Seal(nil, &h, nil)); err != nil {
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
