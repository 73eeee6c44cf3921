package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/lienthong/lienthong/deploy/bench/figures"
)

// bench is one run.
type bench struct {
	opt    *options
	tools  string // directory of lienthong and ghz, absolute
	dir    string // all that this run writes, but for the figures
	memory string // for the ledger that lies in memory
	report report

	retaken int // measurements that were taken again
}

// mostRetakes bounds how much longer a run takes on a busy machine.
const mostRetakes = 12

// warmUp is how long most paths are asked before they are measured.
const warmUp = 2 * time.Second

// run measures everything and prints what it found.
func run(ctx context.Context, opt *options) error {
	tools, err := filepath.Abs(opt.Tools)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(opt.Work, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(opt.Work, "bench-")
	if err != nil {
		return err
	}
	b := &bench{opt: opt, tools: tools, dir: dir, report: report{Machine: describeMachine(), Date: time.Now().UTC().Truncate(time.Second)}}
	if opt.Keep {
		say("data, settings and logs stay in %s", dir)
	} else {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	if load := figures.LoadAverage(); load > 1 {
		say("this machine is busy (load %.1f): the figures will be worse than it can do", load)
	}
	if err := b.measure(ctx); err != nil {
		return err
	}
	if opt.Pause {
		return nil
	}
	b.report.judge()
	b.report.print(os.Stdout)
	out := opt.out("bench.json")
	if err := figures.Write(out, &b.report); err != nil {
		return err
	}
	say("figures written to %s", out)
	return nil
}

// measure takes the starts, then the calls.
func (b *bench) measure(ctx context.Context) error {
	if b.opt.wants(inMemory) || b.opt.wants(withMany) {
		memory, err := b.opt.memoryDir()
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(memory) }()
		b.memory = memory
	}
	if err := b.starts(ctx, b.hubDir()); err != nil {
		return err
	}
	people, err := b.samplePeople(ctx, b.hubDir())
	if err != nil {
		return err
	}
	s, err := b.openServers(ctx)
	defer s.close()
	if err != nil {
		return err
	}
	for _, p := range s.paths {
		if err := p.check(ctx, people); err != nil {
			return err
		}
	}
	say("%d people found through each of %s", len(people), s.names())
	if b.opt.Pause {
		s.describe()
		<-ctx.Done()
		return nil
	}
	return b.rounds(ctx, s)
}

// hubDir is the directory that the nation is made in.
func (b *bench) hubDir() string { return filepath.Join(b.dir, "hub") }

// copyNation makes a second directory of the hub, with the same files: not the same databases twice open.
func (b *bench) copyNation(ctx context.Context, name string) (string, error) {
	dir := filepath.Join(b.dir, name)
	if out, err := exec.CommandContext(ctx, "cp", "-a", b.hubDir(), dir).CombinedOutput(); err != nil {
		return "", fmt.Errorf("copy the nation: %w: %s", err, out)
	}
	return dir, nil
}

// rounds measures all paths in turn, again and again: a disturbance of the machine then meets all of them.
func (b *bench) rounds(ctx context.Context, s *servers) error {
	load := &load{ghz: filepath.Join(b.tools, "ghz"), dir: b.dir}
	for _, p := range s.paths {
		say("warming up %s", p.name)
		if _, err := load.run(ctx, p, judgedCallers, p.warm); err != nil {
			return err
		}
	}
	taken := map[rowKey][]row{}
	for round := range b.opt.Rounds {
		for _, callers := range b.opt.Callers {
			for _, p := range s.paths {
				r, err := b.quietly(ctx, load, p, callers)
				if err != nil {
					return err
				}
				say("round %d of %d: %s", round+1, b.opt.Rounds, r)
				key := rowKey{p.name, callers}
				taken[key] = append(taken[key], r)
			}
		}
	}
	for _, callers := range b.opt.Callers {
		for _, p := range s.paths {
			b.report.Rows = append(b.report.Rows, medianRow(taken[rowKey{p.name, callers}]))
		}
	}
	for _, p := range s.paths {
		b.report.Memory = append(b.report.Memory, memory{"loaded: " + p.name, p.usage().residentMB()})
	}
	return nil
}

// quietly takes one measurement, and takes it again if other processes disturbed it, as long as retakes are left.
func (b *bench) quietly(ctx context.Context, load *load, p *path, callers int) (row, error) {
	r, err := b.once(ctx, load, p, callers)
	for err == nil && r.others > disturbed && b.retaken < mostRetakes {
		b.retaken++
		say("again, because others disturbed it: %s", r)
		r, err = b.once(ctx, load, p, callers)
	}
	return r, err
}

// once takes one measurement of one path, while the others idle.
func (b *bench) once(ctx context.Context, load *load, p *path, callers int) (row, error) {
	began, all, before := time.Now(), machineTime(), p.usage()
	got, err := load.run(ctx, p, callers, b.opt.length(callers))
	if err != nil {
		return row{}, err
	}
	if err := p.settle(ctx); err != nil {
		return row{}, err
	}
	spent := p.usage().cpu - before.cpu
	others := machineTime() - all - spent - got.cpu
	perCall := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(got.Count) }
	return row{
		Name: p.name, Callers: callers, CallsPerSecond: got.RPS,
		P50: got.percentile(50), P99: got.percentile(99), CPU: perCall(spent),
		client: perCall(got.cpu),
		others: max(0, others.Seconds()/time.Since(began).Seconds()/float64(b.report.Machine.Cores)),
	}, nil
}
