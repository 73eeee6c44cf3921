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
	GRPC string `name:"grpc" help:"Address of the gRPC face; port 0 takes a free one." default:"127.0.0.1:7443" placeholder:"ADDR"`
	HTTP string `name:"http" help:"Address of /metrics, /healthz and /readyz." default:"127.0.0.1:8080" placeholder:"ADDR"`
	NATS string `name:"nats" help:"URL of a NATS server that runs with DIR/nats/nats.conf." default:"nats://127.0.0.1:4222" placeholder:"URL"`
}

// Run runs until the process is told to stop.
func (c *gatewayCommand) Run(ctx context.Context, top *cli) error {
	log := top.logger()
	traces, err := watch.OpenTraces(ctx, "lienthong-gateway")
	if err != nil {
		return err
	}
	defer closeTraces(traces, log)
	creds, err := parts.Prepare(ctx, top.dir())
	if err != nil {
		return err
	}
	toBus, err := creds.Gateway()
	if err != nil {
		return err
	}
	toBus.URL = c.NATS
	gateway, err := parts.OpenGateway(context.WithoutCancel(ctx), parts.GatewayConfig{
		Dir: top.dir(), GRPC: c.GRPC, HTTP: c.HTTP, Bus: toBus, Log: log, Tracer: traces.Tracer(), Renewals: creds.Authority,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "gateway: gRPC %s, HTTP %s, bus %s\n", gateway.GRPC(), gateway.HTTP(), c.NATS)
	return gateway.Run(ctx)
}

// registryCommand runs one registry alone.
type registryCommand struct {
	Name       string `arg:"" help:"population, civilstatus, insurance, land-42, land-08 or land-vn."`
	NATS       string `name:"nats" help:"URL of a NATS server that runs with DIR/nats/nats.conf (default: nats://127.0.0.1:4222)." placeholder:"URL" xor:"how"`
	Listen     string `help:"Serve as an ordinary gRPC server at this address instead, to systems of the registry's own agency only." placeholder:"ADDR" xor:"how"`
	Population int    `help:"Living people of the nation, when it is made (default: what DIR has, or 100000)."`
	Seed       *int64 `help:"Seed of the nation (default: what DIR has, or 1)."`
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
	registry, err := which.OpenFilled(ctx, top.dir(), nation, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := registry.Close(); err != nil {
			log.Error("registry not closed", "error", err)
		}
	}()
	if c.Listen != "" {
		return registry.Listen(ctx, c.Listen, log, func(address string) {
			fmt.Fprintf(stdout, "registry %s: gRPC %s, for systems of %s only\n", which.Name, address, which.ID.Agency)
		})
	}
	toBus, err := creds.Registry(which)
	if err != nil {
		return err
	}
	toBus.URL = c.NATS
	return registry.Connect(ctx, parts.ConnectConfig{
		Bus: toBus, Log: log, Tracer: traces.Tracer(), Renewals: creds.Authority,
		Ready: func() { fmt.Fprintf(stdout, "registry %s: on the bus %s\n", which.Name, c.NATS) },
	})
}

// closeTraces sends the spans that are left, for a moment.
func closeTraces(traces *watch.Traces, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := traces.Close(ctx); err != nil {
		log.Warn("spans lost", "error", err)
	}
}
