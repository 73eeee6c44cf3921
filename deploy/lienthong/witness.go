package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/gateway/ledger/witness"
	"github.com/lienthong/lienthong/gateway/watch"
)

// witnessCommand cosigns checkpoints of other owners' ledgers.
type witnessCommand struct {
	Logs   []string `arg:"" name:"log.pub" help:"Public keys of the logs that it cosigns: files, or the keys themselves. A log that changes its key has two for a while."`
	Listen address  `help:"Address at which gateways ask it; port 0 takes a free one (default: ${default})." default:"127.0.0.1:7480" placeholder:"ADDR"`
	Name   string   `help:"Name of its key, such as witness.example/one (default: that of the key in DIR, or witness/ and this machine's name)." placeholder:"NAME"`
}

// Help is shown below the command's usage.
func (witnessCommand) Help() string {
	return `A witness belongs to another owner than the hub, and has a key and a memory of its own, below --dir, which is not a hub's
directory. It cosigns a checkpoint only if it contains all that it cosigned before, so that nobody, not even who has
the log's key, shows two histories.

  lienthong witness log.pub --dir witness --listen 0.0.0.0:7480

It prints its public key: the hub is started with --witness URL=KEY, and proofs are checked with verify --witness KEY.
Put a TLS server before it where the network is not trusted: it keeps no secret that goes over it, but it answers
anybody who reaches it.`
}

// witnessRunning is what a witness says of itself, in JSON.
type witnessRunning struct {
	Part     string `json:"part"`
	URL      string `json:"url"`
	Verifier string `json:"verifier_key"`
}

// witnessGrace is how long a stopping witness finishes what it was asked.
const witnessGrace = 5 * time.Second

// Run runs until the process is told to stop.
func (c *witnessCommand) Run(ctx context.Context, top *cli) (err error) {
	if _, err := os.Stat(top.dir().CA()); err == nil {
		return usage("%s is a hub's directory; a witness keeps its key and memory apart: name another one with --dir", top.Dir)
	}
	cfg := witness.Config{Dir: top.Dir, Name: c.name(top.Dir), Log: top.logger()}
	for _, text := range c.Logs {
		key, err := keyOrFile(text)
		if err != nil {
			return usage("%w", err)
		}
		cfg.Logs = append(cfg.Logs, key)
	}
	w, err := witness.Open(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	listener, err := net.Listen("tcp", string(c.Listen))
	if err != nil {
		return fmt.Errorf("address %s cannot be used; choose another one with --listen, port 0 for any: %w", c.Listen, err)
	}
	server := watch.NewServer(w.Handler())
	if err := c.say(top, witnessRunning{"witness", "http://" + listener.Addr().String() + "/", w.Verifier()}); err != nil {
		top.logger().Error("address not told", "error", err)
	}
	tasks, serving := errgroup.WithContext(ctx)
	tasks.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	tasks.Go(func() error {
		<-serving.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), witnessGrace)
		defer cancel()
		return server.Shutdown(grace)
	})
	return tasks.Wait()
}

// name is the key's: as given, as it was, or after the machine.
func (c *witnessCommand) name(dir string) string {
	if c.Name != "" {
		return c.Name
	}
	if line, err := readLine(filepath.Join(dir, "witness.pub")); err == nil {
		if name, _, ok := strings.Cut(line, "+"); ok {
			return name
		}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unnamed"
	}
	return "witness/" + strings.NewReplacer("+", "-", " ", "-").Replace(host)
}

func (c *witnessCommand) say(top *cli, r witnessRunning) error {
	if top.JSON {
		return printJSON(r)
	}
	_, err := fmt.Fprintf(stdout, "witness: %s\nkey      %s\nstart the hub with: --witness %s=%s\n", r.URL, r.Verifier, r.URL, r.Verifier)
	return err
}

// cosigner reads a witness's public key, or a file with it.
func cosigner(text string) (note.Verifier, error) {
	line, err := keyOrFile(text)
	if err != nil {
		return nil, err
	}
	return cosign.NewVerifierForCosignatureV1(line)
}
