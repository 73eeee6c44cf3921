package hubtest

import (
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/proto/bus"
)

// errBusDown is what a part hears that dials while the bus is stopped.
var errBusDown = errors.New("the test stopped the bus")

// busSwitch leads connections to the bus of the moment.
type busSwitch struct {
	mu      sync.Mutex
	current *parts.EmbeddedBus
}

// InProcessConn implements nats.InProcessConnProvider.
func (s *busSwitch) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return nil, errBusDown
	}
	var cfg bus.ConnectConfig
	s.current.Reach(&cfg)
	return cfg.InProcess.InProcessConn()
}

// set makes another bus current and returns the one before.
func (s *busSwitch) set(next *parts.EmbeddedBus) (before *parts.EmbeddedBus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, s.current = s.current, next
	return before
}

// StopBus stops the bus. Everything on it goes on trying to come back.
func (h *Hub) StopBus() {
	if b := h.bus.set(nil); b != nil {
		b.Close()
	}
}

// StartBus starts the bus, also again after StopBus. It has another address then.
func (h *Hub) StartBus() error {
	b, err := h.creds.StartBus("127.0.0.1:0")
	if err != nil {
		return err
	}
	if before := h.bus.set(b); before != nil {
		before.Close()
	}
	return nil
}

// NATS is the address of the bus, for other processes; empty while it is stopped.
func (h *Hub) NATS() string {
	h.bus.mu.Lock()
	defer h.bus.mu.Unlock()
	if h.bus.current == nil {
		return ""
	}
	return h.bus.current.URL()
}

// Reach says how a process of the test's own joins the bus in the place of a registry: with its credentials, and
// with nothing of the connector that the registry would have.
func (h *Hub) Reach(t testing.TB, seat parts.Registry) bus.ConnectConfig {
	t.Helper()
	cfg, err := h.creds.Registry(seat)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Name, cfg.Inbox, cfg.Log = seat.Name, bus.ConnectorInbox, h.slog()
	return h.reach(cfg)
}
