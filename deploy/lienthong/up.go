package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/watch"
)

// upCommand runs everything in one process.
type upCommand struct {
	Population int     `help:"Living people of the nation, when it is made (default: what DIR has, or 100000)." placeholder:"N"`
	Seed       *int64  `help:"The same seed makes the same nation (default: what DIR has, or 1)." placeholder:"N"`
	GRPC       address `name:"grpc" help:"Address of the gRPC face; port 0 takes a free one (default: ${default})." default:"127.0.0.1:7443" placeholder:"ADDR"`
	HTTP       address `name:"http" help:"Address of /metrics, /healthz and /readyz; port 0 takes a free one (default: ${default})." default:"127.0.0.1:8080" placeholder:"ADDR"`
	NATS       anyNATS `name:"nats" help:"'embedded', or the URL of a NATS server that runs with DIR/nats/nats.conf (default: ${default})." default:"embedded" placeholder:"URL"`
	Bus        address `help:"Address at which the embedded NATS server is reached by others, such as the nats command; port 0 takes a free one (default: ${default})." default:"127.0.0.1:4222" placeholder:"ADDR"`

	keeping
}

// Validate is called by kong.
func (c *upCommand) Validate() error {
	if c.Population < 0 || c.Population > 20_000_000 {
		return fmt.Errorf("--population is %d; choose 1 to 20000000", c.Population)
	}
	return nil
}

// Run runs until the process is told to stop.
func (c *upCommand) Run(ctx context.Context, top *cli) error {
	began := time.Now()
	log := top.logger()
	nation, err := top.dir().ChooseNation(c.Population, c.Seed)
	if err != nil {
		return usage("%w", err)
	}
	kept, err := c.keeping.config()
	if err != nil {
		return err
	}
	traces, err := watch.OpenTraces(ctx, "lienthong")
	if err != nil {
		return err
	}
	defer closeTraces(traces, log)
	sayStopping(ctx, log)
	if c.NATS != parts.EmbeddedNATS {
		log.Info("reaching for the bus; retried for ever", "url", string(c.NATS))
	}
	err = parts.Up(ctx, parts.UpConfig{
		Dir:     top.dir(),
		Nation:  nation,
		GRPC:    string(c.GRPC),
		HTTP:    string(c.HTTP),
		NATS:    string(c.NATS),
		BusPort: string(c.Bus),
		Ledger:  kept,
		Command: command(),
		Log:     log,
		Tracer:  traces.Tracer(),
		Ready: func(r *parts.Ready, err error) {
			if err == nil && top.JSON {
				err = printJSON(r)
			} else if err == nil {
				c.welcome(top, r, nation.Population, time.Since(began))
			}
			if err != nil {
				log.Error("not ready", "error", err)
			}
		},
	})
	return unlessStopped(ctx, err)
}

// sayStopping tells whoever waits at the terminal that the process was told to stop.
func sayStopping(ctx context.Context, log *slog.Logger) {
	context.AfterFunc(ctx, func() { log.Info("stopping: finishing the calls under way; a second Ctrl-C ends at once") })
}

// welcome says what is ready, where, and what to try first.
func (c *upCommand) welcome(top *cli, r *parts.Ready, people int, took time.Duration) {
	fmt.Fprintf(stdout, `
Lienthong is ready after %v: four registries, %d people.

  gRPC        %s   (mTLS, reflection on)
  health      http://%s/readyz   metrics http://%s/metrics
  bus         %s   (nats -s %s --creds %s micro ls)
  identities  %s/identities   authority %s

Ask your first question (a person of the synthetic nation, nobody real):

  %s

What else: lienthong services | lienthong nation sample married | lienthong query --help
Stop with Ctrl-C.

`, took.Round(time.Millisecond), people, r.Addresses["grpc"], r.Addresses["http"], r.Addresses["http"],
		r.Addresses["nats"], r.Addresses["nats"], top.dir().Observer(), top.Dir, top.dir().CA(), shellJoin(c.shortened(top, r.FirstQuery)))
}

// command is how this program is called from anywhere.
func command() string {
	if !strings.ContainsRune(os.Args[0], filepath.Separator) {
		return os.Args[0] // found by the shell
	}
	path, err := filepath.Abs(os.Args[0])
	if err != nil {
		return os.Args[0]
	}
	return path
}

// shortened is a command line for the directory that the user is in.
func (c *upCommand) shortened(top *cli, argv []string) []string {
	short := slices.Clone(argv)
	short[0] = os.Args[0]
	if i := slices.Index(short, "--dir"); i >= 0 {
		short[i+1] = top.Dir
	}
	return short
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
