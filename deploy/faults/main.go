// Command faults breaks hubs in many ways and looks whether the ledger keeps its promises: power cuts, crashes at each
// step of an exchange, edits of its files, disks that are full, read-only, broken or hang. Defects that are planted show
// that each run can fail.
//
//	faults --hub bin/faults/hub [--rounds N] [--seed N] [--json] [powercut|crash|tamper|device|fsck|plant …]
//
// What does not belong here: claims about single packages; those are their tests.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are the flags.
type options struct {
	hub    string
	fsck   string
	rounds int
	seed   uint64
	json   bool
	runs   []string
}

func parse(args []string, errs io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("faults", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&o.hub, "hub", "bin/faults/hub", "the hub, built with -tags faults from deploy/faults/hub")
	f.StringVar(&o.fsck, "fsck", "bin/fsck", "Tessera's command; see: scripts/tools fsck")
	f.IntVar(&o.rounds, "rounds", 0, "rounds of each run (crash: of each point; tamper: edits; default: what each needs)")
	f.Uint64Var(&o.seed, "seed", 0, "repeats a run's choices (default: a new one, which is printed)")
	f.BoolVar(&o.json, "json", false, "print the results in JSON")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000_000) + 1
	}
	if o.runs = f.Args(); len(o.runs) == 0 {
		o.runs = allRuns
	}
	for _, name := range o.runs {
		if _, ok := runs[name]; !ok {
			return nil, fmt.Errorf("no run is called %q; there are %v", name, allRuns)
		}
	}
	return o, nil
}

// run does what the arguments say and returns the exit code: 0 nothing was found, 1 something was, 2 it could not run.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	o, err := parse(args, errs)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(errs, "faults:", err)
		}
		return 2
	}
	fmt.Fprintf(errs, "faults: --seed %d\n", o.seed)
	w, err := newWorld(binaries{o.hub, o.fsck}, o.seed, errs)
	if err != nil {
		fmt.Fprintln(errs, "faults:", err)
		return 2
	}
	results, err := w.all(ctx, o)
	err = errors.Join(err, w.close())
	show(out, results, o.json)
	if err != nil {
		fmt.Fprintln(errs, "faults:", err)
		return 2
	}
	for _, r := range results {
		if len(r.Findings) > 0 {
			return 1
		}
	}
	return 0
}

// runs are the runs by name, with what they do in how many rounds.
var runs = map[string]struct {
	rounds int
	do     func(*world, context.Context, int) (*result, error)
}{
	"powercut": {20, func(w *world, ctx context.Context, n int) (*result, error) { return w.powerCut(ctx, n) }},
	"crash":    {10, func(w *world, ctx context.Context, n int) (*result, error) { return w.crash(ctx, n) }},
	"tamper":   {1000, (*world).tamper},
	"device":   {1, func(w *world, ctx context.Context, n int) (*result, error) { return w.devices(ctx, n, 30*time.Second) }},
	"fsck":     {12, (*world).independent},
	"plant":    {len(defects), (*world).plant},
}

var allRuns = []string{"powercut", "crash", "tamper", "device", "fsck", "plant"}

// all makes the runs, one after another.
func (w *world) all(ctx context.Context, o *options) (results []*result, err error) {
	if err := w.prepare(ctx); err != nil {
		return nil, err
	}
	for _, name := range o.runs {
		r := runs[name]
		rounds := r.rounds
		if o.rounds > 0 {
			rounds = o.rounds
		}
		fmt.Fprintf(w.out, "faults: %s, %d rounds\n", name, rounds)
		result, err := r.do(w, ctx, rounds)
		if result != nil {
			results = append(results, result)
		}
		if err != nil {
			return results, fmt.Errorf("%s: %w", name, err)
		}
	}
	return results, nil
}

// show prints the table, and what was found.
func show(out io.Writer, results []*result, asJSON bool) {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		_ = enc.Encode(results)
		return
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RUN\tROUNDS\tANSWERS SEEN\tRECORDS FOUND\tFINDINGS")
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\n", r.Run, r.Rounds, r.Answers, r.Records, len(r.Findings))
	}
	_ = t.Flush()
	for _, r := range results {
		for _, what := range slices.Sorted(maps.Keys(r.Counts)) {
			fmt.Fprintf(out, "%s: %d %s\n", r.Run, r.Counts[what], what)
		}
		for _, f := range r.Findings {
			fmt.Fprintf(out, "%s, round %d: %s: %s\n", r.Run, f.Round, f.Kind, f.What)
		}
	}
}
