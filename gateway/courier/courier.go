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
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lienthong/lienthong/proto/bus"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// settling is how long a question waits for a connector to show up when none is known.
const settling = 250 * time.Millisecond

// helloGap is the least time between two calls for connectors of one place.
const helloGap = 100 * time.Millisecond

// Config says how a gateway reaches the bus, and as whom.
type Config struct {
	Bus         bus.ConnectConfig // Name, Inbox and Log are filled in
	Certificate tls.Certificate   // who this gateway is; signs its sealing keys
	Roots       *x509.CertPool    // whom connectors' certificates are checked against
	Log         *slog.Logger      // default: slog's default
	Now         func() time.Time  // default time.Now

	// GetCertificate, if set, is asked every few seconds, instead of Certificate. A certificate that is new makes a
	// new sealing key, so that it comes into use without a restart.
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

	Sent bool // set by Ask before the question leaves for the first time: from then on a registry may have it
}

// Courier is a gateway's end of the bus. It is safe for concurrent use.
type Courier struct {
	cfg     Config
	nc      *nats.Conn
	made    time.Time // when the own key was made; Open's and then Run's
	key     *bus.Key  // the own key; Open's and then Run's
	routes  *routes
	waiting waiting
	hellos  sync.Map // place → *rateLimit
}

// ownKey is the gateway's sealing key and the words that introduce it.
type ownKey struct {
	key   *bus.Key
	words []byte
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
	opened := make(chan struct{})
	defer close(opened)
	cfg.Bus.Inbox, cfg.Bus.Log = bus.GatewayInbox, cfg.Log
	cfg.Bus.OnChange = func(connected bool) {
		<-opened
		if connected {
			c.sayHello("")
		}
	}
	nc, err := bus.Connect(cfg.Bus)
	if err != nil {
		return nil, err
	}
	c.nc = nc
	c.waiting.prefix = nc.NewInbox() + "."
	err = errors.Join(
		c.listen(bus.AllKeys, c.heard, 16<<20),
		c.listen(c.waiting.prefix+"*", c.waiting.arrived, 256<<20),
	)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("listen on the bus: %w", err)
	}
	return c, nil
}

// listen subscribes; at most so many bytes may wait to be handled, the rest is lost.
func (c *Courier) listen(subject string, handle nats.MsgHandler, bytes int) error {
	sub, err := c.nc.Subscribe(subject, handle)
	if err != nil {
		return err
	}
	return sub.SetPendingLimits(-1, bytes)
}

// Run keeps the courier's keys fresh and forgets connectors that fell silent, until ctx ends.
func (c *Courier) Run(ctx context.Context) error {
	tick := time.NewTicker(bus.Heartbeat)
	defer tick.Stop()
	c.sayHello("")
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := c.cfg.Now()
		c.routes.remove(func(r *route) bool { return c.accept(r.party) != nil })
		if c.nc.IsConnected() {
			c.routes.forgetSilent(now)
		}
		// A key from the future comes of a clock that was set back.
		if age := now.Sub(c.made); age >= bus.KeyLife || age < -bus.MaxSkew || c.replaced() {
			if err := c.rotate(); err != nil {
				c.cfg.Log.Error("sealing key not renewed", "error", err)
			}
		}
	}
}

// Close leaves the bus. Questions under way end at their deadline.
func (c *Courier) Close() { c.nc.Close() }

// Connected reports whether the bus is there.
func (c *Courier) Connected() bool { return c.nc.IsConnected() }

// Online counts the connector processes of the provider that answer for a service in a jurisdiction.
func (c *Courier) Online(service, jurisdiction string, provider peer.ID) int {
	n := 0
	for _, r := range c.routes.find(service, jurisdiction) {
		if r.id == provider {
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

// certificate is who this gateway is at this moment.
func (c *Courier) certificate() (*tls.Certificate, error) {
	if c.cfg.GetCertificate == nil {
		return &c.cfg.Certificate, nil
	}
	return c.cfg.GetCertificate()
}

// replaced reports whether the own key was signed with a certificate that is not the gateway's any more.
func (c *Courier) replaced() bool {
	certificate, err := c.certificate()
	return err == nil && !c.key.SignedBy(certificate)
}

func (c *Courier) rotate() error {
	now := c.cfg.Now()
	certificate, err := c.certificate()
	if err != nil {
		return err
	}
	key, err := bus.NewKey(bus.KeyConfig{Certificate: *certificate, Role: hubv1.AnnouncedKey_ROLE_GATEWAY, Now: now})
	if err != nil {
		return err
	}
	words, err := key.Announce(now, false)
	if err != nil {
		return err
	}
	c.key, c.made = key, now.Round(0) // of the wall clock, which is what others judge the key's times by
	return c.routes.rekey(&ownKey{key: key, words: words})
}

// sayHello asks the connectors that announce themselves on a subject to do so now; all of them if it is empty.
func (c *Courier) sayHello(subject string) {
	if err := c.nc.Publish(bus.Hello, []byte(subject)); err != nil {
		c.cfg.Log.Debug("hello not said", "error", err)
	}
}

// call asks for connectors at a place, at most ten times a second however many questions wait for one.
func (c *Courier) call(p place) {
	limit, ok := c.hellos.Load(p)
	if !ok {
		limit, _ = c.hellos.LoadOrStore(p, new(rateLimit))
	}
	if !limit.(*rateLimit).allow(c.cfg.Now(), helloGap) {
		return
	}
	if subject, err := bus.KeySubject(p.jurisdiction, p.service); err == nil {
		c.sayHello(subject)
	}
}

// heard learns of a connector from its announcement. NATS lets it announce itself at its own places only, so it is
// believed there only.
func (c *Courier) heard(msg *nats.Msg) {
	party, err := c.verify(msg.Data)
	if err == nil {
		err = c.routes.learn(party, c.cfg.Now(), func(p place) bool {
			subject, serr := bus.KeySubject(p.jurisdiction, p.service)
			return serr == nil && subject == msg.Subject
		})
	}
	if err != nil {
		c.cfg.Log.Warn("announcement refused", "subject", msg.Subject, "error", err)
	}
}

// verify believes a connector's announcement.
func (c *Courier) verify(announcement []byte) (*bus.Party, error) {
	party, err := bus.Verify(announcement, c.cfg.Roots, c.cfg.Now())
	if err != nil {
		return nil, err
	}
	if party.Role != hubv1.AnnouncedKey_ROLE_CONNECTOR {
		return nil, fmt.Errorf("%w: not a connector", bus.ErrAnnouncement)
	}
	if err := c.accept(party); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", bus.ErrAnnouncement, party.ID, err)
	}
	return party, nil
}

// Ask carries a question and returns what came of it. Failures on the way are reasons: REGISTRY_OFFLINE,
// BUS_OFFLINE, OVERLOADED, SEAL_REFUSED, REQUEST_TOO_LARGE, DEADLINE_EXCEEDED, CANCELLED. ctx must have a deadline,
// at most bus.MaxLife away.
func (c *Courier) Ask(ctx context.Context, q *Question) (*hubv1.Answer, error) {
	for {
		r, err := c.choose(ctx, q)
		if err != nil {
			return nil, err
		}
		answer, err := c.askOne(ctx, q, r)
		switch {
		case errors.Is(err, errGone):
			c.routes.drop(r)
		case errors.Is(err, errOtherKey):
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
	again := time.NewTicker(helloGap)
	defer again.Stop()
	for {
		changed := c.routes.changed()
		if r := c.routes.pick(q); r != nil {
			return r, nil
		}
		c.call(place{q.Service, q.Jurisdiction})
		select {
		case <-changed:
		case <-again.C:
		case <-deadline.C:
			return nil, reason.RegistryOffline
		case <-ctx.Done():
			return nil, reason.Of(ctx.Err())
		}
	}
}

// rateLimit lets something happen once in a while. The zero value lets it happen at once.
type rateLimit struct {
	mu   sync.Mutex
	last time.Time
}

func (l *rateLimit) allow(now time.Time, every time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if since := now.Sub(l.last); 0 <= since && since < every {
		return false
	}
	l.last = now
	return true
}
