// Package hubtest runs a whole hub in process, for tests: ours and those of integrators. Everything in it is the
// real thing: the bus is NATS with its accounts, the gateway listens with TLS on loopback, registries keep SQLite
// databases filled from a small synthetic nation, and frames are sealed.
//
//	hub := hubtest.Start(t, hubtest.Config{Registries: hubtest.Sandbox("population")})
//	population := populationv1.NewPopulationServiceClient(hub.Dial("H27/one-stop"))
//
// A registry of one's own joins with its generated code, its offer and an agreement; see Registry and Config.Files.
// Rules are changed by Agree, Enlist and Change. Faults are made on demand: StopBus, StopRegistry, and the files below Dir.
//
// What does not belong here: claims about the hub; those are tests.
package hubtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/services/nation"
)

// patience is how long something may take that the hub does by itself, on a busy machine under the race detector.
const patience = 30 * time.Second

// Config says what hub a test needs. The zero value is a gateway and a bus, without registries.
type Config struct {
	// Population is how many living people the nation has: at most 2,000. Default 500.
	Population int
	// Seed selects the nation. Default 1.
	Seed int64
	// Registries are those that are on the bus when Start returns.
	Registries []Registry
	// Files are laid over the hub's directory before it starts. Offers of the test's own registries (catalog/people.yaml)
	// are published, and agreements (agreements/people.yaml) put in force, beside the sandbox's own.
	Files fs.FS
	// Ledger says how the ledger is kept; what is empty is filled from Dir. Each refusal has a record of its own
	// unless Refusals says otherwise, and segments of the journal are small.
	Ledger ledger.Config
	// Tracer makes the spans of gateway and registries. Default: none.
	Tracer trace.Tracer
}

// Hub is a running hub.
type Hub struct {
	// Dir is the hub's directory: identities, keys, databases, the ledger.
	Dir parts.Dir
	// Authority issues, renews and revokes identities.
	Authority *authority.Authority

	cfg        Config
	creds      *parts.Credentials
	log        *logBook
	bus        busSwitch
	gateway    *parts.Gateway
	registries map[string]*running
	tasks      *errgroup.Group
	ctx        context.Context
	stop       context.CancelFunc
	nation     func() (*nation.Nation, error)
}

// Start runs a hub until the test ends. The test fails if the hub cannot start or stop. If the test fails, the hub's
// log is shown.
func Start(t testing.TB, cfg Config) *Hub {
	t.Helper()
	h, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the hub's log:\n%s", h.Log())
		}
	})
	return h
}

// Open runs a hub until Close, for tests that share one.
func Open(ctx context.Context, cfg Config) (_ *Hub, err error) {
	h := &Hub{cfg: cfg, log: new(logBook), registries: map[string]*running{}}
	if err := h.cfg.fill(); err != nil {
		return nil, err
	}
	h.nation = h.remember()
	h.ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	h.tasks, h.ctx = errgroup.WithContext(h.ctx)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start test hub: %w", err), h.Close())
		}
	}()
	if err := h.prepare(ctx); err != nil {
		return nil, err
	}
	if err := h.StartBus(); err != nil {
		return nil, err
	}
	if err := h.openGateway(); err != nil {
		return nil, err
	}
	for _, r := range h.cfg.Registries {
		if err := h.connect(r); err != nil {
			return nil, err
		}
	}
	return h, h.await(ctx)
}

func (c *Config) fill() error {
	if c.Population == 0 {
		c.Population = 500
	}
	if c.Population < 0 || c.Population > 2000 {
		return fmt.Errorf("start test hub: population %d; choose 1 to 2000", c.Population)
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Ledger.Refusals == 0 {
		c.Ledger.Refusals = math.MaxInt
	}
	if c.Ledger.SegmentSize == 0 {
		c.Ledger.SegmentSize = 1 << 20
	}
	for i := range c.Registries {
		if err := c.Registries[i].fill(); err != nil {
			return fmt.Errorf("start test hub: %w", err)
		}
	}
	return nil
}

// prepare makes the hub's directory.
func (h *Hub) prepare(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "hubtest")
	if err != nil {
		return err
	}
	h.Dir = parts.Dir(dir)
	if h.creds, err = parts.Prepare(ctx, h.Dir); err != nil {
		return err
	}
	h.Authority = h.creds.Authority.As(state.Actor{ID: parts.GatewayID}, h.told)
	for _, r := range h.cfg.Registries {
		if err := r.issue(h); err != nil {
			return err
		}
	}
	if h.cfg.Files == nil {
		return nil
	}
	if err := layOver(dir, h.cfg.Files); err != nil {
		return err
	}
	return h.publishOwn(ctx, h.cfg.Files)
}

// told has a change of the authority's in force before the authority returns.
func (h *Hub) told(made state.Made) {
	if h.gateway != nil {
		_ = h.gateway.Changed(h.ctx, made) // of a hub that stops; otherwise it is in force a second later
	}
}

func (h *Hub) openGateway() error {
	toBus, err := h.creds.Gateway()
	if err != nil {
		return err
	}
	h.gateway, err = parts.OpenGateway(h.ctx, parts.GatewayConfig{
		Dir: h.Dir, GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Bus: h.reach(toBus), State: h.creds.State, Log: h.slog(),
		Tracer: h.cfg.Tracer, Ledger: h.cfg.Ledger,
	})
	if err != nil {
		return err
	}
	h.tasks.Go(func() error { return h.gateway.Run(h.ctx) })
	return nil
}

// reach makes a part's connection go to the bus of this moment.
func (h *Hub) reach(cfg bus.ConnectConfig) bus.ConnectConfig {
	cfg.InProcess = &h.bus
	return cfg
}

func (h *Hub) slog() *slog.Logger {
	return slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Close stops everything and removes the hub's directory. It fails if a part did not stop cleanly.
func (h *Hub) Close() error {
	h.stop()
	err := h.tasks.Wait()
	for _, r := range h.registries {
		r.stop() // all at once: each takes a moment to leave
	}
	for name := range h.registries {
		err = errors.Join(err, h.StopRegistry(name))
	}
	h.StopBus()
	if h.creds != nil {
		h.creds.Close()
	}
	return errors.Join(err, os.RemoveAll(string(h.Dir)))
}
