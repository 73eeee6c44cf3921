package parts

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/proto/bus"
)

// EmbeddedNATS is the bus address that means: a NATS server inside this process.
const EmbeddedNATS = "embedded"

// UpConfig says how the whole of Lienthong is run in one process.
type UpConfig struct {
	Dir     Dir
	Nation  Nation
	GRPC    string        // address of the gRPC face
	HTTP    string        // address of health and metrics
	NATS    string        // EmbeddedNATS or nats://…
	BusPort string        // address of the embedded NATS server for other processes
	Ledger  ledger.Config // how the ledger is kept; what is empty is filled from Dir
	Command string        // how this command is called, for the first query
	Log     *slog.Logger
	Tracer  trace.Tracer        // nil: no spans
	Ready   func(*Ready, error) // called once, when everything answers; may be nil
}

// Up runs everything until ctx ends: it makes what the directory lacks, starts bus, gateway and registries, fills
// the registries, and says when all of them answer.
func Up(ctx context.Context, cfg UpConfig) error {
	unlock, err := cfg.Dir.lock()
	if err != nil {
		return err
	}
	defer unlock()
	_ = os.Remove(cfg.Dir.ReadyFile())   // of a run that was cut off: nothing is ready yet
	defer os.Remove(cfg.Dir.ReadyFile()) // nothing is any more
	creds, err := Prepare(ctx, cfg.Dir)
	if err != nil {
		return err
	}
	defer creds.Close()
	if err := cfg.Dir.keepNation(ctx, cfg.Nation); err != nil {
		return err
	}
	u := &up{cfg: cfg, creds: creds}
	if cfg.NATS == EmbeddedNATS {
		if u.embedded, err = creds.StartBus(cfg.BusPort); err != nil {
			return err
		}
		defer u.embedded.Close()
	}
	return u.run(ctx)
}

// up is everything in one process.
type up struct {
	cfg        UpConfig
	creds      *Credentials
	embedded   *EmbeddedBus
	gateway    *Gateway
	registries []*OpenRegistry
}

// reach says how a part gets to the bus.
func (u *up) reach(cfg bus.ConnectConfig) bus.ConnectConfig {
	if u.embedded != nil {
		u.embedded.Reach(&cfg)
	} else {
		cfg.URL = u.cfg.NATS
	}
	return cfg
}

// run starts gateway and registries. When it is told to stop, the gateway finishes its calls first, while the
// registries still answer.
func (u *up) run(ctx context.Context) error {
	registries, stopRegistries := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRegistries()
	toBus, err := u.creds.Gateway()
	if err != nil {
		return err
	}
	u.gateway, err = OpenGateway(registries, GatewayConfig{
		Dir: u.cfg.Dir, GRPC: u.cfg.GRPC, HTTP: u.cfg.HTTP, Bus: u.reach(toBus), State: u.creds.State,
		Log: u.cfg.Log, Tracer: u.cfg.Tracer,
		Ledger:   u.cfg.Ledger,
		Renewals: u.creds.Authority, // the registries' too
	})
	if err != nil {
		return err
	}
	tasks, serving := errgroup.WithContext(ctx)
	tasks.Go(func() error {
		defer stopRegistries()
		return u.gateway.Run(serving)
	})
	tasks.Go(func() error { return u.serveRegistries(registries) })
	return tasks.Wait()
}

// serveRegistries opens the databases, fills those that are empty, and connects each as soon as it is filled.
func (u *up) serveRegistries(ctx context.Context) error {
	defer u.closeRegistries()
	for _, r := range Registries() {
		open, err := r.openAfter(ctx, u.cfg.Dir, r.sayWaiting(u.cfg.Log))
		if err != nil {
			return err
		}
		u.registries = append(u.registries, open)
	}
	tasks, ctx := errgroup.WithContext(ctx)
	online := make(chan struct{}, len(u.registries))
	connect := func(r *OpenRegistry) {
		tasks.Go(func() error {
			toBus, err := u.creds.Registry(r.Registry)
			if err != nil {
				return err
			}
			return r.Connect(ctx, ConnectConfig{
				Bus: u.reach(toBus), Log: u.cfg.Log, Tracer: u.cfg.Tracer, Members: u.gateway.Members,
				Ready: func() { online <- struct{}{} },
			})
		})
	}
	tasks.Go(func() error {
		f := &filler{dir: u.cfg.Dir, nation: u.cfg.Nation, log: u.cfg.Log}
		if err := f.fill(ctx, u.registries, connect); ctx.Err() == nil {
			return err
		}
		return nil // told to stop; what is not filled yet is filled by the next start
	})
	tasks.Go(func() error { return u.announce(ctx, online) })
	return tasks.Wait()
}

func (u *up) closeRegistries() {
	for _, r := range u.registries {
		if err := r.Close(); err != nil {
			u.cfg.Log.Error("registry not closed", "registry", r.Name, "error", err)
		}
	}
}

// announce waits until every registry can be asked through the gateway, and says so.
func (u *up) announce(ctx context.Context, online <-chan struct{}) error {
	for range u.registries {
		select {
		case <-online:
		case <-ctx.Done():
			return nil
		}
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for len(u.gateway.Reasons()) > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
	ready, err := u.ready(ctx)
	if err != nil && ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = u.cfg.Dir.WriteReady(ready)
	}
	if u.cfg.Ready != nil {
		u.cfg.Ready(ready, err)
	}
	return err
}

// ready has whole paths: its readers may be anywhere.
func (u *up) ready(ctx context.Context) (*Ready, error) {
	path, err := filepath.Abs(string(u.cfg.Dir))
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", u.cfg.Dir, err)
	}
	dir := Dir(path)
	identities, err := dir.identities()
	if err != nil {
		return nil, fmt.Errorf("list identities: %w", err)
	}
	query, err := u.firstQuery(ctx, dir)
	if err != nil {
		return nil, err
	}
	nats := u.cfg.NATS
	if u.embedded != nil {
		nats = u.embedded.URL()
	}
	return &Ready{
		Addresses:  map[string]string{"grpc": u.gateway.GRPC(), "http": u.gateway.HTTP(), "nats": nats},
		CA:         dir.CA(),
		Identities: identities,
		FirstQuery: query,
		Observer:   dir.Observer(),
		PID:        os.Getpid(),
	}, nil
}

// firstQuery is a command that is answered, about a person of the nation.
func (u *up) firstQuery(ctx context.Context, dir Dir) ([]string, error) {
	person, err := dir.firstPerson(ctx)
	if err != nil {
		return nil, err
	}
	return []string{
		u.cfg.Command, "query", "registry.population.v1.PopulationService/GetResidence", "personal_id=" + person,
		"--as", "H27/one-stop", "--purpose", "CT-TT", "--case", "H27-261122-0001", "--officer", "canbo.motcua", "--dir", string(dir),
	}, nil
}
