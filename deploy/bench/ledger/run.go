// Package ledger measures the ledger by itself: the journal alone, and then all its parts on a ledger that is made for
// it, of the records of a plausible hub: append, transparency log, index, check, proofs, searches, size and start.
//
// What does not belong here: what the ledger costs an exchange (deploy/bench), and whether it is right (the tests).
package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/lienthong/lienthong/deploy/bench/figures"
	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/ledgertest"
	"github.com/lienthong/lienthong/proto/journal"
)

// Config says what to measure.
type Config struct {
	Work    string        // directory on the disk to be measured, below which a run makes its own and removes it
	Records int           // of the ledger that is made
	Time    time.Duration // of each measurement of the journal alone
	Keep    bool          // leaves the directory

	Say func(format string, args ...any) // takes lines of progress
}

// seed makes the same ledger, and the same questions, in each run.
const seed = 1

// effort is how much is asked, and in which portions things are written. Tests take less.
type effort struct {
	proofs  int
	sample  int   // records that are looked at for values to search for
	repeats int   // of each search
	people  int   // of each kind whose lists are asked for
	segment int64 // bytes of a journal's segment
}

var full = effort{proofs: 1000, sample: 5000, repeats: 3, people: 30, segment: journal.DefaultSegmentSize}

// bench is one run.
type bench struct {
	cfg    Config
	effort effort
	dir    string // all that the run writes
	log    *slog.Logger
	report *Report
}

// Run measures everything. The report is judged.
func Run(ctx context.Context, cfg Config) (*Report, error) { return run(ctx, cfg, full) }

func run(ctx context.Context, cfg Config, effort effort) (*Report, error) {
	if err := os.MkdirAll(cfg.Work, 0o700); err != nil {
		return nil, err
	}
	if err := checkSpace(cfg.Work, cfg.Records); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(cfg.Work, "bench-ledger-")
	if err != nil {
		return nil, err
	}
	if cfg.Keep {
		cfg.Say("the ledger stays in %s", dir)
	} else {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	b := &bench{cfg: cfg, effort: effort, dir: dir, report: &Report{
		Machine: figures.Describe(), Date: time.Now().UTC().Truncate(time.Second), Records: cfg.Records,
	}}
	b.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if err := b.measure(ctx); err != nil {
		return nil, err
	}
	b.report.PeakMB = peakMB()
	b.report.judge()
	return b.report, nil
}

// measure takes the steps in their order: each works on what the one before left.
func (b *bench) measure(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		b.journalAlone, b.make, b.fill, b.notarise, b.index, b.check, b.measureDisk, b.opens, b.ask,
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// path is where the ledger lies.
func (b *bench) path() ledger.Path { return ledger.Path(filepath.Join(b.dir, "ledger")) }

// head is where the journal's head is kept.
func (b *bench) head() string { return filepath.Join(b.dir, "ledger.head") }

func (b *bench) open(ctx context.Context) (*ledger.Ledger, error) {
	return ledger.Open(ctx, ledger.Config{
		Dir: string(b.path()), Head: b.head(), Origin: ledgertest.Origin, Version: "bench", SegmentSize: b.effort.segment, Log: b.log,
	})
}

// make makes an empty ledger with its keys.
func (b *bench) make(ctx context.Context) error {
	l, err := b.open(ctx)
	if err != nil {
		return err
	}
	return stop(ctx, l)
}

// progress says now and then how far a step is. It is for one goroutine.
func (b *bench) progress(what string) func(done, total uint64) {
	began := time.Now()
	last := began
	return func(done, total uint64) {
		if now := time.Now(); now.Sub(last) >= 5*time.Second && total > 0 {
			last = now
			b.cfg.Say("%s: %.0f %% of %d, %.0f a second", what, 100*float64(done)/float64(total), total, float64(done)/now.Sub(began).Seconds())
		}
	}
}

// took keeps what a step did and says so.
func (b *bench) took(s Stage) {
	b.report.Stages = append(b.report.Stages, s)
	b.cfg.Say("%s: %.0f records/s", s.Name, s.PerSecond)
}

// wrong adds what was being done to an error.
func wrong(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
