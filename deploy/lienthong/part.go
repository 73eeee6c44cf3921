package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/watch"
)

// gatewayCommand runs a gateway alone.
type gatewayCommand struct {
	Name string  `help:"Which gateway this is, when several run: each has its own identity G06/NAME and its own ledger (default: ${default})." default:"gateway" placeholder:"NAME"`
	GRPC address `name:"grpc" help:"Address of the gRPC face; port 0 takes a free one (default: ${default})." default:"127.0.0.1:7443" placeholder:"ADDR"`
	HTTP address `name:"http" help:"Address of /metrics, /healthz and /readyz; port 0 takes a free one (default: ${default})." default:"127.0.0.1:8080" placeholder:"ADDR"`
	NATS natsURL `name:"nats" help:"URL of a NATS server that runs with DIR/nats/nats.conf (default: ${default})." default:"nats://127.0.0.1:4222" placeholder:"URL"`

	keeping
}

// Run runs until the process is told to stop.
func (c *gatewayCommand) Run(ctx context.Context, top *cli) error {
	log := top.logger()
	kept, err := c.keeping.config()
	if err != nil {
		return err
	}
	traces, err := watch.OpenTraces(ctx, "lienthong-gateway")
	if err != nil {
		return err
	}
	defer closeTraces(traces, log)
	creds, err := parts.Prepare(ctx, top.dir())
	if err != nil {
		return err
	}
	defer creds.Close()
	id, err := creds.EnsureGateway(c.Name)
	if err != nil {
		return usage("--name: %w", err)
	}
	toBus, err := creds.Gateway()
	if err != nil {
		return err
	}
	toBus.URL = string(c.NATS)
	gateway, err := parts.OpenGateway(context.WithoutCancel(ctx), parts.GatewayConfig{
		Dir: top.dir(), ID: id, GRPC: string(c.GRPC), HTTP: string(c.HTTP), Bus: toBus, State: creds.State, Log: log, Tracer: traces.Tracer(), Ledger: kept, Renewals: creds.Authority,
	})
	if err != nil {
		return err
	}
	sayStopping(ctx, log)
	log.Info("reaching for the bus; retried for ever", "url", toBus.URL)
	r := running{Part: "gateway", GRPC: gateway.GRPC(), HTTP: gateway.HTTP(), NATS: string(c.NATS)}
	if err := r.say(top); err != nil {
		log.Error("address not told", "error", err)
	}
	return unlessStopped(ctx, gateway.Run(ctx))
}

// registryCommand runs one registry alone.
type registryCommand struct {
	Name       string  `arg:"" help:"population, civilstatus, insurance, land-42, land-08 or land-vn."`
	NATS       natsURL `name:"nats" help:"URL of a NATS server that runs with DIR/nats/nats.conf (default: nats://127.0.0.1:4222)." placeholder:"URL" xor:"how"`
	Listen     address `help:"Serve as an ordinary gRPC server at this address instead, to systems of the registry's own agency only." placeholder:"ADDR" xor:"how"`
	Population int     `help:"Living people of the nation, when it is made (default: what DIR has, or 100000)." placeholder:"N"`
	Seed       *int64  `help:"Seed of the nation (default: what DIR has, or 1)." placeholder:"N"`
}

// Run runs until the process is told to stop.
func (c *registryCommand) Run(ctx context.Context, top *cli) error {
	log := top.logger()
	if c.NATS == "" {
		c.NATS = "nats://127.0.0.1:4222"
	}
	which, err := parts.FindRegistry(c.Name)
	if err != nil {
		return usage("%w", err)
	}
	nation, err := top.dir().ChooseNation(c.Population, c.Seed)
	if err != nil {
		return usage("%w", err)
	}
	traces, err := watch.OpenTraces(ctx, "lienthong-"+which.Name)
	if err != nil {
		return err
	}
	defer closeTraces(traces, log)
	creds, err := parts.Prepare(ctx, top.dir())
	if err != nil {
		return err
	}
	defer creds.Close()
	sayStopping(ctx, log)
	registry, err := which.OpenFilled(ctx, top.dir(), nation, log)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	defer func() {
		if err := registry.Close(); err != nil {
			log.Error("registry not closed", "error", err)
		}
	}()
	members, err := creds.WatchMembers(ctx, log)
	if err != nil {
		return err
	}
	defer members.Close()
	if c.Listen != "" {
		return unlessStopped(ctx, registry.Listen(ctx, string(c.Listen), members.Directory, log, func(address string) {
			c.say(top, log, running{Part: which.Name, GRPC: address, For: which.ID.Agency})
		}))
	}
	toBus, err := creds.Registry(which)
	if err != nil {
		return err
	}
	toBus.URL = string(c.NATS)
	log.Info("reaching for the bus; retried for ever", "url", toBus.URL)
	return unlessStopped(ctx, registry.Connect(ctx, parts.ConnectConfig{
		Bus: toBus, Log: log, Tracer: traces.Tracer(), Renewals: creds.Authority, Members: members.Directory,
		Ready: func() { c.say(top, log, running{Part: which.Name, NATS: string(c.NATS)}) },
	}))
}

func (c *registryCommand) say(top *cli, log *slog.Logger, r running) {
	if err := r.say(top); err != nil {
		log.Error("address not told", "error", err)
	}
}

// running is what a part says of itself when it runs.
type running struct {
	Part string `json:"part"`           // "gateway" or the registry's name
	GRPC string `json:"grpc,omitempty"` // where it is asked directly
	For  string `json:"for,omitempty"`  // the agency whose systems alone may ask there
	HTTP string `json:"http,omitempty"` // health and metrics
	NATS string `json:"nats,omitempty"` // the bus that it is on
}

// say prints one line, or JSON.
func (r running) say(top *cli) error {
	if top.JSON {
		return printJSON(r)
	}
	line := r.Part + ":"
	for _, word := range []struct{ name, value string }{
		{" gRPC", r.GRPC}, {" for systems of", r.For}, {" HTTP", r.HTTP}, {" bus", r.NATS},
	} {
		if word.value != "" {
			line += word.name + " " + word.value
		}
	}
	_, err := fmt.Fprintln(stdout, line)
	return err
}

// closeTraces sends the spans that are left, for a moment.
func closeTraces(traces *watch.Traces, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := traces.Close(ctx); err != nil {
		log.Warn("spans lost", "error", err)
	}
}
