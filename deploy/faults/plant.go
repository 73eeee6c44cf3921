package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// defect is a bug that is planted, and the run that must find it.
type defect struct {
	name string
	run  func(*world, context.Context) (*result, error)
	must []kind // of findings; any of them will do
}

var defects = []defect{
	{"skip-sync", func(w *world, ctx context.Context) (*result, error) { return w.powerCut(ctx, 10, "skip-sync") },
		[]kind{unrecorded, notStarted, damaged}},
	{"answer-before-append", func(w *world, ctx context.Context) (*result, error) {
		return w.crash(ctx, 2, "answer-before-append")
	}, []kind{unrecorded}},
	{"answer-before-append", func(w *world, ctx context.Context) (*result, error) {
		return w.devices(ctx, 1, 2*time.Second, "answer-before-append")
	}, []kind{leaked, unrecorded}},
	{"no-chain-check", (*world).tamperPlanted, []kind{undetected, misplaced}},
}

// plant plants each defect and has it found: a run that cannot fail shows nothing.
func (w *world) plant(ctx context.Context, _ int) (*result, error) {
	r := &result{Run: "plant"}
	for i, d := range defects {
		red, err := d.run(w, ctx)
		if err != nil {
			return r, fmt.Errorf("%s: %w", d.name, err)
		}
		r.Rounds++
		r.Answers++
		if !red.has(d.must...) {
			r.add(green, i, "%s was planted, and %s found nothing of it in %d rounds", d.name, red.Run, red.Rounds)
			continue
		}
		r.Records++
		fmt.Fprintf(w.out, "faults: %s turns %s red, as it must: %s\n", d.name, red.Run, red.Findings[0].What)
	}
	return r, nil
}

// plantedEdits are enough for some forged records to be among them, whatever the seed.
const plantedEdits = "150"

// tamperPlanted runs this program once more, because the check that is made worse is made here.
func (w *world) tamperPlanted(ctx context.Context) (*result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "--hub", w.hub, "--seed", strconv.FormatUint(w.seed, 10), "--rounds", plantedEdits, "--json", "tamper")
	cmd.Env = append(os.Environ(), "LIENTHONG_PLANT=no-chain-check", "TMPDIR="+w.dir)
	cmd.Stderr = w.out
	out, err := cmd.Output()
	var results []*result
	if jerr := json.Unmarshal(out, &results); jerr != nil || len(results) != 1 {
		return nil, fmt.Errorf("tamper with a planted defect did not run: %w: %s", err, out)
	}
	return results[0], nil
}
