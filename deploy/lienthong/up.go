package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/watch"
)

// upCommand runs everything in one process.
type upCommand struct {
	Population int    `help:"Living people of the nation, when it is made (default: what DIR has, or 100000)."`
	Seed       *int64 `help:"The same seed makes the same nation (default: what DIR has, or 1)."`
	GRPC       string `name:"grpc" help:"Address of the gRPC face; port 0 takes a free one." default:"127.0.0.1:7443" placeholder:"ADDR"`
	HTTP       string `name:"http" help:"Address of /metrics, /healthz and /readyz." default:"127.0.0.1:8080" placeholder:"ADDR"`
	NATS       string `name:"nats" help:"'embedded', or the URL of a NATS server that runs with DIR/nats/nats.conf." default:"embedded" placeholder:"URL"`
	Bus        string `help:"Address at which the embedded NATS server is reached by others, such as the nats command." default:"127.0.0.1:4222" placeholder:"ADDR"`
}

// Validate is called by kong.
func (c *upCommand) Validate() error {
	if c.Population < 0 || c.Population > 20_000_000 {
		return fmt.Errorf("--population is %d; choose 1 to 20000000", c.Population)
	}
	if c.NATS != parts.EmbeddedNATS && !strings.Contains(c.NATS, "://") {
		return fmt.Errorf("--nats is %q; write 'embedded' or a URL like nats://127.0.0.1:4222", c.NATS)
	}
	return nil
}

// Run runs until the process is told to stop.
func (c *upCommand) Run(ctx context.Context, top *cli) error {
	began := time.Now()
	log := top.logger()
	nation, err := top.dir().ChooseNation(c.Population, c.Seed)
	if err != nil {
		return err
	}
	traces, err := watch.OpenTraces(ctx, "lienthong")
	if err != nil {
		return err
	}
	defer closeTraces(traces, log)
	return parts.Up(ctx, parts.UpConfig{
		Dir:     top.dir(),
		Nation:  nation,
		GRPC:    c.GRPC,
		HTTP:    c.HTTP,
		NATS:    c.NATS,
		BusPort: c.Bus,
		Command: os.Args[0],
		Log:     log,
		Tracer:  traces.Tracer(),
		Ready: func(r *parts.Ready, err error) {
			if err == nil {
				c.welcome(top, r, nation.Population, time.Since(began))
			}
		},
	})
}

// welcome says what is ready, where, and what to try first.
func (c *upCommand) welcome(top *cli, r *parts.Ready, people int, took time.Duration) {
	fmt.Printf(`
Lienthong is ready after %v: four registries, %d people.

  gRPC      %s   (mTLS, reflection on)
  health    http://%s/readyz   metrics http://%s/metrics
  bus       %s   (nats micro ls --creds %s)
  identities %s/identities   authority %s

Ask your first question (a person of the synthetic nation, nobody real):

  %s

What else: lienthong services | lienthong nation sample married | lienthong query --help
Stop with Ctrl-C.

`, took.Round(time.Millisecond), people, r.Addresses["grpc"], r.Addresses["http"], r.Addresses["http"],
		r.Addresses["nats"], r.Observer, top.Dir, r.CA, shellJoin(r.FirstQuery))
}

// shellJoin quotes an argv so that a shell takes it apart again.
func shellJoin(argv []string) string {
	quoted := make([]string, len(argv))
	for i, arg := range argv {
		quoted[i] = arg
		if arg == "" || strings.ContainsAny(arg, " \t\n'\"\\$&|;<>()*?[]#~`!{}") {
			quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
