// Command bench measures, on one machine and in one run, what a call costs that reaches the population registry
// directly, through nginx, through HAProxy, and through the hub with all its work on: once with its ledger on disk, and
// once with it in memory, and once more so with 10,000 agreements over 400 services. It also measures how fast the hub starts and how much memory it takes. With --ledger it
// measures the ledger by itself instead.
//
// What does not belong here: benchmarks of a package, which live beside its code, and anything that the product
// itself needs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Bounds on a run, whatever hangs.
const (
	wholeRun    = 20 * time.Minute
	wholeLedger = 6 * time.Hour // 200 million records
)

// options is the command line.
type options struct {
	Population int           `help:"Living people of the nation." default:"100000"`
	Callers    []int         `help:"How many callers ask at a time; the goals are judged at 64." default:"64,1,256"`
	Rounds     int           `help:"How often each path is measured; the median counts." default:"3"`
	Time       time.Duration `help:"Length of one measurement at 64 callers; at other numbers half of it." default:"5s"`
	Million    bool          `help:"Also measure the first start with 1,000,000 people."`
	SkipStarts bool          `help:"Do not measure starts and memory."`
	Only       []string      `help:"Measure these paths only: direct, nginx, haproxy, hub, hub-memory, hub-many." placeholder:"PATH"`
	Memory     string        `help:"Directory in memory (tmpfs) where hub-memory and hub-many have their ledgers." default:"/dev/shm" type:"path"`
	Pause      bool          `help:"Start the servers, say where they are, and wait for Ctrl-C: to look at them under your own load."`
	Keep       bool          `help:"Keep the directory with data, settings and logs. What is in memory is removed all the same."`
	Tools      string        `help:"Directory of lienthong and ghz." default:"bin" type:"existingdir"`
	Work       string        `help:"Directory below which the run makes its own." default:"run" type:"path"`
	Out        string        `help:"Where the figures are written (default: bench.json in the directory that --work names, with --ledger bench-ledger.json)." type:"path"`

	Revoke      bool `help:"Measure how long a suspended agreement and a revoked certificate are still served, at two gateways under load."`
	Revocations int  `help:"With --revoke: how often each is done." default:"100"`

	Ledger  bool `help:"Measure the ledger by itself instead: journal, transparency log, index, proofs and searches, on a ledger that is made for it."`
	Records int  `help:"With --ledger: records of that ledger, about 1.2 KB of disk each." default:"10000000"`
}

// Validate is called by kong.
func (o *options) Validate() error {
	if o.Rounds < 1 || o.Rounds > 20 {
		return fmt.Errorf("--rounds is %d; choose 1 to 20", o.Rounds)
	}
	if o.Time < 200*time.Millisecond || o.Time > time.Minute {
		return fmt.Errorf("--time is %v; choose 200ms to 1m", o.Time)
	}
	for _, n := range o.Callers {
		if n < 1 || n > 1024 {
			return fmt.Errorf("--callers has %d; choose 1 to 1024", n)
		}
	}
	if o.Records < 10_000 || o.Records > 200_000_000 {
		return fmt.Errorf("--records is %d; choose 10000 to 200000000", o.Records)
	}
	if o.Revocations < 10 || o.Revocations > 1000 {
		return fmt.Errorf("--revocations is %d; choose 10 to 1000", o.Revocations)
	}
	if o.Population < 1000 || o.Population > 1_000_000 {
		return fmt.Errorf("--population is %d; choose 1000 to 1000000", o.Population)
	}
	return nil
}

// wants reports whether a path shall be measured.
func (o *options) wants(path string) bool {
	for _, name := range o.Only {
		if name == path {
			return true
		}
	}
	return len(o.Only) == 0
}

// length is how long a measurement at so many callers takes.
func (o *options) length(callers int) time.Duration {
	if callers == judgedCallers {
		return o.Time
	}
	return o.Time / 2
}

// out is where the figures are written; name is the file's, if none was named.
func (o *options) out(name string) string {
	if o.Out != "" {
		return o.Out
	}
	return filepath.Join(o.Work, name)
}

func main() {
	var opt options
	kong.Parse(&opt, kong.Name("scripts/bench"), kong.Description(
		"Compares the hub with direct gRPC, nginx and HAProxy in front of the same registry, and with hubs whose ledgers lie in memory, one with 10,000 agreements: calls/s, latency, CPU. "+
			"With --ledger it measures the ledger by itself. "+
			"Runs beside a hub that is up: own directory, free ports on loopback. A goal that is not met does not fail the run; a call that fails does."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	measure, limit := run, wholeRun
	if opt.Ledger {
		measure, limit = runLedger, wholeLedger
	}
	if opt.Revoke {
		measure = runRevoke
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := measure(ctx, &opt); err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			err = errors.New("stopped")
		}
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// say prints a line of progress.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
