// Command hub is the hub that the fault runs break: what `lienthong up` runs, wired by the same parts, but with a
// ledger whose segments are small, so that they fill within a run. It is built with the tag `faults`.
//
// What does not belong here: faults (proto/fault) and judgement (faults).
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/ledger"
)

func main() {
	dir := flag.String("dir", "", "the hub's directory")
	people := flag.Int("population", 500, "living people of the nation, when it is made")
	segment := flag.Int64("segment", 1<<20, "bytes of a segment of the ledger")
	patience := flag.Duration("patience", 2*time.Second, "until an append that is not durable fails")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, parts.Dir(*dir), *people, ledger.Config{SegmentSize: *segment, Patience: *patience, Version: "faults"}); err != nil {
		fmt.Fprintln(os.Stderr, "hub:", err)
		os.Exit(1)
	}
}

// run runs the hub until ctx ends. It writes DIR/ready.json when everything answers.
func run(ctx context.Context, dir parts.Dir, people int, kept ledger.Config) error {
	nation, err := dir.ChooseNation(people, nil)
	if err != nil {
		return err
	}
	const anyPort = "127.0.0.1:0"
	return parts.Up(ctx, parts.UpConfig{
		Dir: dir, Nation: nation, GRPC: anyPort, HTTP: anyPort, NATS: parts.EmbeddedNATS, BusPort: anyPort,
		Command: "lienthong", Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Ledger: kept,
	})
}
