// Command bench measures, on one machine and in one run, what a call costs that reaches the population registry
// directly, through nginx, through HAProxy, and through the hub with all its work on. It also measures how fast the
// hub starts and how much memory it takes.
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
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// wholeRun bounds a run, whatever hangs.
const wholeRun = 20 * time.Minute

// options is the command line.
type options struct {
	Population int           `help:"Living people of the nation." default:"100000"`
	Callers    []int         `help:"How many callers ask at a time; the goals are judged at 64." default:"64,1,256"`
	Rounds     int           `help:"How often each path is measured; the median counts." default:"3"`
	Time       time.Duration `help:"Length of one measurement at 64 callers; at other numbers half of it." default:"5s"`
	Million    bool          `help:"Also measure the first start with 1,000,000 people."`
	SkipStarts bool          `help:"Do not measure starts and memory."`
	Only       []string      `help:"Measure these paths only: direct, nginx, haproxy, hub." placeholder:"PATH"`
	Pause      bool          `help:"Start the servers, say where they are, and wait for Ctrl-C: to look at them under your own load."`
	Keep       bool          `help:"Keep the directory with data, settings and logs."`
	Tools      string        `help:"Directory of lienthong and ghz." default:"bin" type:"existingdir"`
	Work       string        `help:"Directory below which the run makes its own." default:"run" type:"path"`
	Out        string        `help:"Where the figures are written." default:"run/bench.json" type:"path"`
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

func main() {
	var opt options
	kong.Parse(&opt, kong.Name("scripts/bench"), kong.Description(
		"Compares the hub with direct gRPC, nginx and HAProxy in front of the same registry: calls/s, latency, CPU. "+
			"Runs beside a hub that is up: own directory, free ports on loopback. A goal that is not met does not fail the run; a call that fails does."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, wholeRun)
	defer cancel()
	if err := run(ctx, &opt); err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			err = errors.New("stopped")
		}
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// say prints a line of progress.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
