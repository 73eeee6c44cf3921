// Package courier carries a question over NATS to a connector of the right registry, and its answer back.
//
// Invariants:
//   - A question goes to one connector process, sealed for it alone, and only to one whose certificate belongs to
//     the provider that the catalog names for that service and jurisdiction.
//   - An answer counts only if that process sealed it for this gateway, this question and this reply subject.
//   - Every question ends at its deadline at the latest.
//
// What does not belong here: whether the question may be asked, and what of the answer may be released.
package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/bus"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// settling is how long a question waits for a connector to show up when none is known.
const settling = 250 * time.Millisecond

// Config says how a gateway reaches the bus, and as whom.
type Config struct {
	Bus         bus.ConnectConfig // Name, Inbox and Log are filled in
	Certificate tls.Certificate   // who this gateway is; signs its sealing keys
	Roots       *x509.CertPool    // whom connectors' certificates are checked against
	Log         *slog.Logger      // default: slog's default
	Now         func() time.Time  // default time.Now

	// GetCertificate, if set, is asked whenever a sealing key is made, instead of Certificate, so that a renewed
	// certificate comes into use without a restart.
	GetCertificate func() (*tls.Certificate, error)
	// Accept judges a connector whose certificate is good, when it announces itself and every few seconds after,
	// so that a revoked one is not asked any more; nil accepts all.
	Accept func(peer.ID, *x509.Certificate) error
}

// Question is what the courier carries.
type Question struct {
	Exchange     [16]byte
	Service      string          // "registry.land.v1.LandService"
	Method       string          // "registry.land.v1.LandService/GetParcel"
	Jurisdiction string          // "vn" or a province code
	Provider     peer.ID         // whose connectors may answer
	Digest       [32]byte        // of the service's contract in the catalog
	Envelope     *hubv1.Envelope // under what authority it is asked
	Request      []byte          // the request message, serialised
	Trace        string          // W3C traceparent, or empty when nobody reads the trace
}

// Courier is a gateway's end of the bus. It is safe for concurrent use.
type Courier struct {
	cfg     Config
	nc      *nats.Conn
	key     atomic.Pointer[ownKey]
	routes  *routes
	waiting waiting
	hello   rateLimit
}

// ownKey is the gateway's sealing key and the words that introduce it.
type ownKey struct {
	key   *bus.Key
	words []byte
	made  time.Time
}

// Open connects to the bus and learns who answers. Close it when done.
func Open(cfg Config) (*Courier, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Courier{cfg: cfg, routes: newRoutes()}
	if err := c.rotate(); err != nil {
		return nil, err
	}
	var ready sync.Once
	opened := make(chan struct{})
	cfg.Bus.Inbox, cfg.Bus.Log = bus.GatewayInbox, cfg.Log
	cfg.Bus.OnChange = func(connected bool) {
		<-opened
		if connected {
			c.sayHello()
		}
	}
	defer ready.Do(func() { close(opened) })
	nc, err := bus.Connect(cfg.Bus)
	if err != nil {
		return nil, err
	}
	c.nc = nc
	c.waiting.prefix = nc.NewInbox() + "."
	for subject, handle := range map[string]nats.MsgHandler{bus.AllKeys: c.heard, c.waiting.prefix + "*": c.waiting.arrived} {
		sub, err := nc.Subscribe(subject, handle)
		if err != nil {
			nc.Close()
			return nil, fmt.Errorf("listen on the bus: %w", err)
		}
		_ = sub.SetPendingLimits(-1, 256<<20)
	}
	return c, nil
}

// Run keeps the courier's keys fresh and forgets connectors that fell silent, until ctx ends.
func (c *Courier) Run(ctx context.Context) error {
	tick := time.NewTicker(bus.Heartbeat)
	defer tick.Stop()
	c.sayHello()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := c.cfg.Now()
		c.routes.remove(func(r *route) bool { return c.accept(r.party) != nil })
		if c.nc.IsConnected() {
			c.routes.forgetSilent(now.Add(-bus.Silence))
		}
		if now.Sub(c.key.Load().made) >= bus.KeyLife {
			if err := c.rotate(); err != nil {
				c.cfg.Log.Error("sealing key not renewed", "error", err)
			}
		}
	}
}

// Close leaves the bus. Questions under way end as REGISTRY_OFFLINE or at their deadline.
func (c *Courier) Close() { c.nc.Close() }

// Connected reports whether the bus is there.
func (c *Courier) Connected() bool { return c.nc.IsConnected() }

// Online counts the connector processes of the provider that answer for a service in a jurisdiction.
func (c *Courier) Online(service, jurisdiction string, provider peer.ID) int {
	n := 0
	for _, r := range c.routes.find(service, jurisdiction) {
		if r.party.ID == provider {
			n++
		}
	}
	return n
}

// accept judges who is at the other end.
func (c *Courier) accept(party *bus.Party) error {
	if c.cfg.Accept == nil {
		return nil
	}
	return c.cfg.Accept(party.ID, party.Certificate)
}

func (c *Courier) rotate() error {
	now := c.cfg.Now()
	certificate := &c.cfg.Certificate
	if c.cfg.GetCertificate != nil {
		var err error
		if certificate, err = c.cfg.GetCertificate(); err != nil {
			return err
		}
	}
	key, err := bus.NewKey(bus.KeyConfig{Certificate: *certificate, Role: hubv1.AnnouncedKey_ROLE_GATEWAY, Now: now})
	if err != nil {
		return err
	}
	words, err := key.Announce(now, false)
	if err != nil {
		return err
	}
	c.key.Store(&ownKey{key: key, words: words, made: now})
	return c.routes.rekey(key)
}

// sayHello asks all connectors to announce themselves, at most ten times a second.
func (c *Courier) sayHello() {
	if c.hello.allow(c.cfg.Now(), 100*time.Millisecond) {
		if err := c.nc.Publish(bus.Hello, nil); err != nil {
			c.cfg.Log.Debug("hello not said", "error", err)
		}
	}
}

// heard learns of a connector from its announcement.
func (c *Courier) heard(msg *nats.Msg) {
	if err := c.learn(msg.Data); err != nil {
		c.cfg.Log.Warn("announcement refused", "subject", msg.Subject, "error", err)
	}
}

func (c *Courier) learn(announcement []byte) error {
	now := c.cfg.Now()
	party, err := bus.Verify(announcement, c.cfg.Roots, now)
	if err != nil {
		return err
	}
	if party.Role != hubv1.AnnouncedKey_ROLE_CONNECTOR {
		return fmt.Errorf("%w: not a connector", bus.ErrAnnouncement)
	}
	if err := c.accept(party); err != nil {
		return fmt.Errorf("%w: %s: %w", bus.ErrAnnouncement, party.ID, err)
	}
	return c.routes.learn(c.key.Load().key, party, now)
}

// Ask carries a question and returns what came of it. Failures on the way are reasons: REGISTRY_OFFLINE,
// BUS_OFFLINE, OVERLOADED, SEAL_REFUSED, DEADLINE_EXCEEDED, CANCELLED. ctx must have a deadline.
func (c *Courier) Ask(ctx context.Context, q *Question) (*hubv1.Answer, error) {
	plain, err := proto.Marshal(&hubv1.Call{Envelope: q.Envelope, Request: q.Request})
	if err != nil {
		return nil, fmt.Errorf("seal call: %w", err)
	}
	var words []byte // sent along once a connector said that it does not know this gateway
	introduced := false
	for {
		r, err := c.choose(ctx, q)
		if err != nil {
			return nil, err
		}
		answer, err := c.askOne(ctx, q, r, plain, words)
		switch {
		case errors.Is(err, errGone):
			c.routes.drop(r)
		case errors.Is(err, errKeyUnknown) && !introduced:
			introduced, words = true, c.key.Load().words
		case errors.Is(err, errKeyUnknown):
			return nil, reason.SealRefused.Because(err)
		default:
			return answer, err
		}
	}
}

// choose picks the least busy connector of the provider; if none is known it calls for one and waits a little.
func (c *Courier) choose(ctx context.Context, q *Question) (*route, error) {
	if r := c.routes.pick(q); r != nil {
		return r, nil
	}
	if !c.nc.IsConnected() {
		return nil, reason.BusOffline
	}
	deadline := time.NewTimer(settling)
	defer deadline.Stop()
	for {
		changed := c.routes.changed()
		if r := c.routes.pick(q); r != nil {
			return r, nil
		}
		c.sayHello()
		select {
		case <-changed:
		case <-deadline.C:
			return nil, reason.RegistryOffline
		case <-ctx.Done():
			return nil, reason.Of(ctx.Err())
		}
	}
}

// rateLimit lets something happen once in a while.
type rateLimit struct{ last atomic.Int64 }

func (l *rateLimit) allow(now time.Time, every time.Duration) bool {
	last, ms := l.last.Load(), now.UnixMilli()
	return ms-last >= every.Milliseconds() && l.last.CompareAndSwap(last, ms)
}
