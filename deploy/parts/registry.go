package parts

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/peer"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/civilstatus"
	"github.com/lienthong/lienthong/services/connector"
	"github.com/lienthong/lienthong/services/insurance"
	"github.com/lienthong/lienthong/services/land"
	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/population"
)

// GatewayID is the sandbox's gateway. NDXP belongs to the Ministry of Science and Technology (G06) since 2025.
var GatewayID = peer.ID{Agency: "G06", System: "gateway"}

// Registry is a registry that this binary can run.
type Registry struct {
	Name         string  // "population", "land-42"
	Service      string  // full name of its service
	Jurisdiction string  // "vn" or a province code
	ID           peer.ID // who provides it
	open         func(ctx context.Context, path string) (database, error)
}

// database is what each registry's package gives: its rules over its own database.
type database interface {
	Register(grpc.ServiceRegistrar)
	Filled(context.Context) (bool, error)
	Fill(context.Context, *nation.Nation) error
	Close() error
}

// opener turns a registry's Open into one that gives a database.
func opener[R database](open func(context.Context, string) (R, error)) func(context.Context, string) (database, error) {
	return func(ctx context.Context, path string) (database, error) {
		r, err := open(ctx, path)
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}

func landIn(jurisdiction land.Jurisdiction) func(context.Context, string) (database, error) {
	return opener(func(ctx context.Context, path string) (*land.Registry, error) {
		return land.Open(ctx, path, jurisdiction)
	})
}

// Registries lists the sandbox's registries, the most asked first.
func Registries() []Registry {
	return []Registry{
		{"population", populationv1.PopulationService_ServiceDesc.ServiceName, connector.Country, peer.ID{Agency: "G01", System: "registry-population"}, opener(population.Open)},
		{"civilstatus", civilstatusv1.CivilStatusService_ServiceDesc.ServiceName, connector.Country, peer.ID{Agency: "G15", System: "registry-civilstatus"}, opener(civilstatus.Open)},
		{"insurance", insurancev1.InsuranceService_ServiceDesc.ServiceName, connector.Country, peer.ID{Agency: "G24", System: "registry-insurance"}, opener(insurance.Open)},
		{"land-42", landv1.LandService_ServiceDesc.ServiceName, "42", peer.ID{Agency: "H27", System: "registry-land"}, landIn("42")},
		{"land-08", landv1.LandService_ServiceDesc.ServiceName, "08", peer.ID{Agency: "H60", System: "registry-land"}, landIn("08")},
		{"land-vn", landv1.LandService_ServiceDesc.ServiceName, connector.Country, peer.ID{Agency: "G13", System: "registry-land"}, landIn("vn")},
	}
}

// FindRegistry finds a registry by its name.
func FindRegistry(name string) (Registry, error) {
	all := Registries()
	i := slices.IndexFunc(all, func(r Registry) bool { return r.Name == name })
	if i < 0 {
		return Registry{}, fmt.Errorf("no registry %q; there are population, civilstatus, insurance, land-42, land-08 and land-vn", name)
	}
	return all[i], nil
}

// Open opens the registry's database in the directory. Until it has been filled, or found to be, no other process
// opens it: copies of a registry that start together fill it once.
func (r Registry) Open(ctx context.Context, dir Dir) (*OpenRegistry, error) {
	return r.openAfter(ctx, dir, func() {})
}

// openAfter is Open that calls waiting if another process fills the database.
func (r Registry) openAfter(ctx context.Context, dir Dir, waiting func()) (*OpenRegistry, error) {
	if err := os.MkdirAll(dir.Registries(), 0o700); err != nil {
		return nil, fmt.Errorf("open registry %s: %w", r.Name, err)
	}
	unlock, err := dir.await(ctx, filepath.Join("registries", r.Name+".lock"), waiting)
	if err != nil {
		return nil, fmt.Errorf("open registry %s: %w", r.Name, err)
	}
	db, err := r.open(ctx, filepath.Join(dir.Registries(), r.Name+".db"))
	if err != nil {
		unlock()
		return nil, fmt.Errorf("open registry %s: %w", r.Name, err)
	}
	return &OpenRegistry{Registry: r, dir: dir, database: db, unlock: sync.OnceFunc(unlock)}, nil
}

// OpenRegistry is a registry with its database. Close it when done.
type OpenRegistry struct {
	Registry
	database
	dir    Dir
	unlock func() // lets other processes open the database; once is enough
}

// Close closes the database.
func (r *OpenRegistry) Close() error {
	defer r.unlock()
	return r.database.Close()
}

// ConnectConfig says how a registry joins the bus.
type ConnectConfig struct {
	Bus    bus.ConnectConfig
	Log    *slog.Logger
	Tracer trace.Tracer
	Ready  func() // called once it can be asked; may be nil

	Members  func() *member.Directory // of this moment: only active gateways are answered
	Renewals *authority.Authority     // renews certificates that are due; nil: another part of this process does
}

// Connect puts the registry on the bus and answers until ctx ends.
func (r *OpenRegistry) Connect(ctx context.Context, cfg ConnectConfig) error {
	return r.Serve(ctx, r.dir, cfg, r.Register)
}

// Serve puts what register registers on the bus in the registry's place, and answers until ctx ends.
func (r Registry) Serve(ctx context.Context, dir Dir, cfg ConnectConfig, register func(grpc.ServiceRegistrar)) error {
	identity, err := dir.LoadIdentity(r.ID)
	if err != nil {
		return err
	}
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return keepRenewed(ctx, cfg.Renewals, renewEvery, cfg.Log) })
	tasks.Go(func() error {
		return connector.Run(ctx, connector.Config{
			Name:           r.Name,
			Jurisdiction:   r.Jurisdiction,
			Bus:            cfg.Bus,
			GetCertificate: reloading(dir, r.ID),
			Roots:          identity.Roots,
			Accept:         member.AcceptAs(cfg.Members, member.Gateway),
			Log:            cfg.Log,
			Tracer:         cfg.Tracer,
			Ready:          cfg.Ready,
		}, register)
	})
	if err := tasks.Wait(); err != nil {
		return fmt.Errorf("registry %s: %w", r.Name, err)
	}
	return nil
}
