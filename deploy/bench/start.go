package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
)

const (
	startLimit = 2 * time.Minute // for the slowest start
	idleTime   = 3 * time.Second // without a call, before memory is read
	million    = 1_000_000
)

// starts measures from exec to the first answered query, with a fresh directory and again. It leaves the directory
// filled and nothing running.
func (b *bench) starts(ctx context.Context, dir string) error {
	if b.opt.Million && !b.opt.SkipStarts {
		if err := b.measureStart(ctx, filepath.Join(b.dir, "million"), "first start", million); err != nil {
			return err
		}
		if err := os.RemoveAll(filepath.Join(b.dir, "million")); err != nil {
			return err
		}
	}
	if err := b.measureStart(ctx, dir, "first start", b.opt.Population); err != nil || b.opt.SkipStarts {
		return err
	}
	return b.measureStart(ctx, dir, "second start", b.opt.Population)
}

// measureStart starts the hub, asks the query it prints, looks at its memory and stops it.
func (b *bench) measureStart(ctx context.Context, dir, what string, people int) error {
	say("%s with %d people", what, people)
	hub, ready, err := b.startHub(ctx, dir, people)
	if err != nil {
		return err
	}
	defer hub.stop()
	out, err := exec.CommandContext(ctx, ready.FirstQuery[0], ready.FirstQuery[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("the first query was not answered: %w\n%s", err, out)
	}
	took := time.Since(hub.began)
	say("%s with %d people: first query answered after %v", what, people, took.Round(time.Millisecond))
	if b.opt.SkipStarts {
		return nil
	}
	b.report.Starts = append(b.report.Starts, startTime{what, people, took.Seconds()})
	select {
	case <-time.After(idleTime):
	case <-ctx.Done():
		return ctx.Err()
	}
	b.report.Memory = append(b.report.Memory, memory{idleMemory(what, people), hub.usage().residentMB()})
	return nil
}

// startHub runs `lienthong up` and waits until it says that it is ready. Stop it.
func (b *bench) startHub(ctx context.Context, dir string, people int) (*process, *parts.Ready, error) {
	hub, err := startProcess("hub", filepath.Join(b.dir, "hub.log"), filepath.Join(b.tools, "lienthong"), "up", "--dir", dir,
		"--population", strconv.Itoa(people), "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--bus", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	var ready parts.Ready
	err = hub.until(ctx, startLimit, func() bool {
		raw, err := os.ReadFile(parts.Dir(dir).ReadyFile())
		return err == nil && json.Unmarshal(raw, &ready) == nil && ready.PID == hub.cmd.Process.Pid
	})
	if err != nil {
		hub.stop()
		return nil, nil, err
	}
	return hub, &ready, nil
}
