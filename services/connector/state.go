package connector

import (
	"context"
	"encoding/hex"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/lienthong/lienthong/proto/bus"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// leaveGrace is how long a leaving connector goes on listening, so that calls sent before its word arrived are
// still answered.
const leaveGrace = 200 * time.Millisecond

// announceGap is the least time between two announcements, however often they are asked for.
const announceGap = 50 * time.Millisecond

// connector is one process of a registry on the bus.
type connector struct {
	cfg      Config
	services []*service
	keys     *keys
	nc       *nats.Conn
	micro    micro.Service
	instance string
	subjects []string // where announcements go, one for each service
	queue    *queue
	say      chan struct{} // asks for an announcement
	calls    inFlight
}

func newConnector(cfg Config, services []*service) (*connector, error) {
	keys, err := newKeys(cfg)
	if err != nil {
		return nil, err
	}
	return &connector{
		cfg:      cfg,
		services: services,
		keys:     keys,
		queue:    newQueue(cfg.Waiting),
		say:      make(chan struct{}, 1),
	}, nil
}

// counts is what `nats micro stats` shows of a method beside NATS's own figures.
type counts struct {
	answered, failed, refused, overloaded atomic.Uint64
	registryMicros                        atomic.Uint64
}

// stats are the counts of one method; NATS asks for them endpoint by endpoint.
func (c *connector) stats(e *micro.Endpoint) map[string]uint64 {
	for _, s := range c.services {
		for _, m := range s.methods {
			if string(m.desc.Name()) != e.Name {
				continue
			}
			return map[string]uint64{
				"answered":        m.counts.answered.Load(),
				"failed":          m.counts.failed.Load(),
				"refused":         m.counts.refused.Load(),
				"overloaded":      m.counts.overloaded.Load(),
				"registry_micros": m.counts.registryMicros.Load(),
				"waiting":         uint64(len(c.queue.jobs)), // of all methods
			}
		}
	}
	return nil
}

func (c *connector) metadata() map[string]string {
	m := map[string]string{
		"agency":       c.keys.id.Agency,
		"system":       c.keys.id.System,
		"jurisdiction": c.cfg.Jurisdiction,
	}
	for _, s := range c.services {
		m["service."+s.name] = hex.EncodeToString(s.digest[:8])
	}
	return m
}

func (c *connector) offers() []*hubv1.Offer {
	var offers []*hubv1.Offer
	for _, s := range c.services {
		offers = append(offers, &hubv1.Offer{Service: s.name, Jurisdiction: c.cfg.Jurisdiction, ContractDigest: s.digest[:]})
	}
	return offers
}

// announcer tells the gateways of this process at once, on request and every heartbeat, until ctx ends.
func (c *connector) announcer(ctx context.Context, ready func()) {
	tick := time.NewTicker(bus.Heartbeat)
	defer tick.Stop()
	c.announceSoon()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.say:
		case <-tick.C:
		}
		if err := c.keys.rotateIfDue(c.cfg.Now(), c.instance, c.offers()); err != nil {
			c.cfg.Log.Error("sealing key not renewed", "error", err)
		}
		if c.announce(false) && ready != nil {
			ready()
			ready = nil
		}
		if !pause(ctx, announceGap) {
			return
		}
	}
}

// asked answers a hello: to all connectors, or to those who announce themselves on the subject that it names.
func (c *connector) asked(msg *nats.Msg) {
	if len(msg.Data) == 0 || slices.Contains(c.subjects, string(msg.Data)) {
		c.announceSoon()
	}
}

// announceSoon asks for an announcement without waiting for it.
func (c *connector) announceSoon() {
	select {
	case c.say <- struct{}{}:
	default:
	}
}

// announce tells the gateways of this process, and reports whether the bus took it.
func (c *connector) announce(leaving bool) bool {
	words, err := c.keys.announcement(c.cfg.Now(), leaving)
	if err != nil {
		c.cfg.Log.Error("announcement not made", "error", err)
		return false
	}
	said := true
	for _, subject := range c.subjects {
		said = c.nc.Publish(subject, words) == nil && said
	}
	return said
}

// pause waits, and reports whether ctx has not ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// callID is a call as its gateway names it: another gateway cannot cancel it.
type callID struct {
	caller   bus.KeyID
	exchange [16]byte
}

// inFlight knows the calls inside the registry, so that they can be cancelled.
type inFlight struct {
	mu    sync.Mutex
	calls map[callID]context.CancelFunc
}

func (f *inFlight) add(id callID, cancel context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = make(map[callID]context.CancelFunc)
	}
	f.calls[id] = cancel
}

func (f *inFlight) remove(id callID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.calls, id)
}

func (f *inFlight) cancel(id callID) {
	f.mu.Lock()
	cancel := f.calls[id]
	f.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}
