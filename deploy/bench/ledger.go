package main

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/lienthong/lienthong/deploy/bench/figures"
	"github.com/lienthong/lienthong/deploy/bench/ledger"
)

// collectPercent is the collector's pace of the hub; see deploy/lienthong.
const collectPercent = 400

// runLedger measures the ledger by itself and prints what it found.
func runLedger(ctx context.Context, opt *options) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
	if load := figures.LoadAverage(); load > 1 {
		say("this machine is busy (load %.1f): the figures will be worse than it can do", load)
	}
	report, err := ledger.Run(ctx, ledger.Config{Work: opt.Work, Records: opt.Records, Time: opt.Time, Keep: opt.Keep, Say: say})
	if err != nil {
		return err
	}
	report.Print(os.Stdout)
	out := opt.out("bench-ledger.json")
	if err := figures.Write(out, report); err != nil {
		return err
	}
	say("figures written to %s", out)
	return nil
}
