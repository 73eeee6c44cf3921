// Package tally carries what the gateways of one hub count to one another over the bus: how often somebody asked, how
// often somebody was not found. It is quick and may lose words; what must last lies in SQL.
//
// Invariants:
//   - Who runs the bus reads nothing of what is said, and can neither change it nor add to it: each word is sealed with
//     AES-256-GCM under a key that only gateways have.
//   - A word is taken once at most. Its sender's numbers grow, and words from before this process listened, or from too
//     long ago, are refused: so a word that was heard once is played again in vain, to old gateways and new ones.
//   - A process never hears itself.
//   - Nobody can make a process remember more than a bounded number of senders.
//
// What does not belong here: what is counted, and what follows from it (guard, meter).
package tally

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lienthong/lienthong/proto/bus"
)

const (
	// MaxPayload is the longest payload in bytes.
	MaxPayload = 64 << 10
	// KeySize is the size of the key that all gateways share, in bytes.
	KeySize = 32

	flushTime    = time.Second
	pendingWords = 4096     // that wait to be handled; more are lost
	pendingBytes = 16 << 20 // the same in bytes
)

// Errors of Send.
var (
	ErrTooLong = errors.New("a tally is over 64 KiB; split it")
	ErrClosed  = errors.New("tallies are closed")
)

// Config says how the gateways of a hub reach each other.
type Config struct {
	NC      *nats.Conn       // the bus; must be allowed to publish and to subscribe bus.Tallies
	Key     []byte           // that all gateways of the hub have and nobody else, 32 bytes: state.DB.Secret(ctx, "tally")
	Process string           // this process, for those who ask who is heard; at most 64 bytes
	Now     func() time.Time // default time.Now
}

// Bus is one gateway's end. Its methods may be called concurrently.
type Bus struct {
	cfg Config
	sub *nats.Subscription

	sending sync.Mutex // words leave in the order of their numbers
	out     *sealer
	sent    atomic.Uint64

	mu       sync.RWMutex
	handlers [256]func([]byte)

	hearing sync.Mutex // of what follows; words come one after another
	in      opener
}

// Open begins to listen, now or as soon as the bus can be reached. The caller closes it.
func Open(ctx context.Context, cfg Config) (*Bus, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	out, err := newSealer(cfg.Key, cfg.Process)
	if err != nil {
		return nil, fmt.Errorf("open tallies: %w", err)
	}
	b := &Bus{cfg: cfg, out: out, in: opener{key: cfg.Key, self: out.sender, since: cfg.Now().UnixMilli(), heard: map[senderID]*heard{}}}
	if b.sub, err = cfg.NC.Subscribe(bus.Tallies, func(m *nats.Msg) { b.hear(m.Data) }); err != nil {
		return nil, fmt.Errorf("open tallies: %w", err)
	}
	if err := b.sub.SetPendingLimits(pendingWords, pendingBytes); err != nil {
		return nil, errors.Join(fmt.Errorf("open tallies: %w", err), b.sub.Unsubscribe())
	}
	if cfg.NC.IsConnected() {
		ctx, cancel := context.WithTimeout(ctx, flushTime)
		defer cancel()
		_ = cfg.NC.FlushWithContext(ctx) // whoever asks now is heard; if not, the client subscribes when it connects again
	}
	return b, nil
}

// Close ends listening. A word that is being handled may still be.
func (b *Bus) Close() error {
	if err := b.sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("close tallies: %w", err)
	}
	return nil
}

// Handle has the payloads of a kind handled that other processes send, one after another, whatever their kinds. A
// payload is the handler's only until it returns, and it must not block: others wait behind it. What comes of a kind
// without a handler is dropped.
func (b *Bus) Handle(kind byte, handler func(payload []byte)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handlers[kind] = handler
}

// Send says something to all other gateways. It does not wait until it has left, and nobody says whether it arrived.
func (b *Bus) Send(kind byte, payload []byte) error {
	if len(payload) > MaxPayload {
		return ErrTooLong
	}
	b.sending.Lock()
	defer b.sending.Unlock()
	word, err := b.out.seal(kind, payload, b.cfg.Now().UnixMilli())
	if err == nil {
		err = b.cfg.NC.Publish(bus.Tallies, word)
	}
	if errors.Is(err, nats.ErrConnectionClosed) {
		return ErrClosed
	}
	if err != nil {
		return fmt.Errorf("send tally: %w", err)
	}
	b.sent.Add(1)
	return nil
}

// hear handles a word that came.
func (b *Bus) hear(word []byte) {
	b.hearing.Lock()
	kind, payload, err := b.in.open(word, b.cfg.Now().UnixMilli())
	b.hearing.Unlock()
	if err != nil {
		return // counted
	}
	b.mu.RLock()
	handler := b.handlers[kind]
	b.mu.RUnlock()
	if handler != nil {
		handler(payload)
	}
}

// Stats says what was said and heard since Open.
type Stats struct {
	Sent    uint64   // words to the others
	Taken   uint64   // words of others that were believed
	Refused uint64   // words that were not: forged, repeated, too old, or from a clock that is off by half a minute
	Others  []string // processes that are heard, sorted
}

// Stats says what was said and heard.
func (b *Bus) Stats() Stats {
	b.hearing.Lock()
	defer b.hearing.Unlock()
	return Stats{Sent: b.sent.Load(), Taken: b.in.taken, Refused: b.in.refused, Others: b.in.others(b.cfg.Now().UnixMilli())}
}
