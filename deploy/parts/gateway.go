package parts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/exchange"
	grpcface "github.com/lienthong/lienthong/gateway/face/grpc"
	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/policy"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/gateway/watch"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/peer"
)

// stopGrace is how long a stopping gateway finishes the calls it has.
const stopGrace = 10 * time.Second

// GatewayConfig says how a gateway is run.
type GatewayConfig struct {
	Dir    Dir
	ID     peer.ID           // which gateway; default GatewayID
	GRPC   string            // address of the gRPC face; port 0 takes a free one
	HTTP   string            // address of health and metrics; port 0 takes a free one
	Bus    bus.ConnectConfig // how to reach the bus, credentials included
	State  *state.DB         // members, catalog, agreements; whoever opened it closes it
	Log    *slog.Logger
	Tracer trace.Tracer // nil: no spans

	Ledger   ledger.Config        // how the ledger is kept; what is empty is filled from Dir
	Renewals *authority.Authority // renews certificates that are due; nil: another part of this process does
}

// Gateway is a running gateway.
type Gateway struct {
	cfg      GatewayConfig
	identity *peer.Identity
	rules    *rules
	courier  *courier.Courier
	metrics  *watch.Metrics
	face     *grpcface.Server
	grpc     net.Listener
	http     net.Listener
	ledger   *ledger.Ledger
}

// OpenGateway makes a gateway ready to Run: policy read, listeners open, bus dialled.
func OpenGateway(ctx context.Context, cfg GatewayConfig) (_ *Gateway, err error) {
	if cfg.ID == (peer.ID{}) {
		cfg.ID = GatewayID
	}
	g := &Gateway{cfg: cfg}
	defer func() {
		if err != nil {
			g.close()
			err = fmt.Errorf("open gateway: %w", err)
		}
	}()
	if g.identity, err = cfg.Dir.LoadIdentity(cfg.ID); err != nil {
		return nil, err
	}
	g.metrics = watch.NewMetrics()
	if err = g.openLedger(ctx); err != nil {
		return nil, err
	}
	g.rules, err = openRules(ctx, rulesConfig{ID: cfg.ID, DB: cfg.State, Bus: cfg.Bus, Log: cfg.Log, Alarm: g.alarm, Ledger: g.ledger})
	if err != nil {
		return nil, err
	}
	cfg.Bus.Name = cfg.ID.String()
	g.courier, err = courier.Open(courier.Config{
		Bus: cfg.Bus, GetCertificate: reloading(cfg.Dir, cfg.ID), Roots: g.identity.Roots, Accept: member.AcceptAs(g.Members, member.Provider), Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	if g.grpc, err = net.Listen("tcp", cfg.GRPC); err != nil {
		return nil, fmt.Errorf("gRPC address %s cannot be used; choose another one with --grpc, port 0 for any: %w", cfg.GRPC, err)
	}
	if g.http, err = net.Listen("tcp", cfg.HTTP); err != nil {
		return nil, fmt.Errorf("HTTP address %s cannot be used; choose another one with --http, port 0 for any: %w", cfg.HTTP, err)
	}
	g.gauges()
	return g, g.wire()
}

// wire puts the hub between the face and the courier.
func (g *Gateway) wire() error {
	reading, err := g.ledgerService()
	if err != nil {
		return err
	}
	hub := exchange.New(exchange.Config{
		Origin:   g.ledger.Origin(),
		Policy:   g.rules.policy.Current,
		Guard:    g.rules.guard,
		Meter:    g.rules.meter,
		Carrier:  g.courier,
		Recorder: g.ledger,
		Observe:  func(e *exchange.Ended) { g.metrics.Exchange(e.Record, e.Took) },
		Tracer:   g.cfg.Tracer,
		Log:      g.cfg.Log,
	})
	g.face = grpcface.NewServer(grpcface.Config{
		Hub:     hub,
		Catalog: func() *catalog.Catalog { return g.rules.policy.Load().Catalog },
		Members: g.Members,
		Credentials: member.Credentials(peer.Config{
			GetCertificate: reloading(g.cfg.Dir, g.cfg.ID),
			Roots:          g.identity.Roots,
			Given:          member.Given(g.Members),
			Accept:         member.Accept(g.Members),
			OnReject:       g.rejected,
		}),
		Services: append(g.ruling(hub), reading),
	})
	return nil
}

// Members are those of this moment: nobody, if nobody knows whether what was read last still holds.
func (g *Gateway) Members() *member.Directory {
	p, err := g.rules.policy.Current(time.Now())
	if err != nil {
		return member.Stale()
	}
	return p.Members
}

// Policy is what decides at this moment.
func (g *Gateway) Policy() *policy.Policy { return g.rules.policy.Load() }

// Changed makes a change of the state known: when it returns, the change decides here, the other gateways were told, and
// it is in a ledger.
func (g *Gateway) Changed(ctx context.Context, made state.Made) error {
	return g.rules.changed(ctx, made)
}

// rejected says that a connection was refused for its certificate, and counts it.
func (g *Gateway) rejected(r peer.Rejection) {
	g.metrics.Rejected(string(r.Reason))
	g.ledger.CountRejected(string(r.Reason))
	g.cfg.Log.Warn("connection refused", "reason", string(r.Reason), "remote", r.Remote.String(),
		"serial", r.Serial, "claims", r.ID.String(), "error", r.Err)
}

// gauges shows what is read at the moment somebody looks.
func (g *Gateway) gauges() {
	g.metrics.Gauge("lienthong_bus_connected", "1 while the bus is there.", func() float64 {
		if g.courier.Connected() {
			return 1
		}
		return 0
	})
	ledgerGauges(g.metrics, g.ledger)
	g.metrics.Gauge("lienthong_registries_offline", "Services with a jurisdiction in which nobody answers.", func() float64 {
		return float64(len(g.offline()))
	})
}

// offline lists the services, with their jurisdictions, that nobody answers for.
func (g *Gateway) offline() []string {
	var names []string
	for _, s := range g.rules.policy.Load().Catalog.Services() {
		for _, jurisdiction := range slices.Sorted(maps.Keys(s.Providers)) {
			if g.courier.Online(s.Name, jurisdiction, s.Providers[jurisdiction]) == 0 {
				names = append(names, s.Name+" in "+jurisdiction)
			}
		}
	}
	return names
}

// Reasons says why the gateway cannot do all its work now; nothing when it can.
func (g *Gateway) Reasons() []string {
	var reasons []string
	if !g.courier.Connected() {
		reasons = append(reasons, "the bus is not connected")
	}
	if err := g.rules.policy.Err(); err != nil {
		reasons = append(reasons, "the policy as it was last read is in force, for seconds: "+err.Error())
	}
	reasons = append(reasons, g.ledgerReasons()...)
	for _, name := range g.offline() {
		reasons = append(reasons, "nobody answers for "+name)
	}
	return reasons
}

// GRPC is the address of the gRPC face.
func (g *Gateway) GRPC() string { return g.grpc.Addr().String() }

// HTTP is the address of health and metrics.
func (g *Gateway) HTTP() string { return g.http.Addr().String() }

// Run answers until ctx ends, then finishes the calls it has.
func (g *Gateway) Run(ctx context.Context) error {
	defer g.close()
	stopLedger := g.runLedger(ctx)
	mux := http.NewServeMux()
	g.ledgerRoutes(mux)
	watch.Routes(mux, watch.Health{Reasons: g.Reasons}, g.metrics)
	pages := watch.NewServer(mux)
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return g.courier.Run(ctx) })
	tasks.Go(func() error { return keepRenewed(ctx, g.cfg.Renewals, renewEvery, g.cfg.Log) })
	tasks.Go(func() error { return g.rules.run(ctx) })
	tasks.Go(func() error { return g.face.Serve(g.grpc) })
	tasks.Go(func() error {
		if err := pages.Serve(g.http); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	tasks.Go(func() error {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		g.face.Stop(grace)
		return pages.Shutdown(grace)
	})
	g.face.SetServing(true)
	if err := errors.Join(tasks.Wait(), stopLedger()); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}

// close gives back what OpenGateway took.
func (g *Gateway) close() {
	if g.courier != nil {
		g.courier.Close()
	}
	for _, l := range []net.Listener{g.grpc, g.http} {
		if l != nil {
			_ = l.Close() // closed already where it was served
		}
	}
	if g.rules != nil {
		g.rules.close() // what changed is recorded before the ledger is closed
	}
	g.closeLedger()
}
