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

// measureStart starts the hub, asks about somebody until that is answered, waits until everything answers, looks at
// its memory and stops it.
func (b *bench) measureStart(ctx context.Context, dir, what string, people int) error {
	say("%s with %d people", what, people)
	address, err := freeAddress()
	if err != nil {
		return err
	}
	hub, err := startProcess("hub", filepath.Join(b.dir, "hub.log"), filepath.Join(b.tools, "lienthong"), "up", "--dir", dir,
		"--population", strconv.Itoa(people), "--grpc", address, "--http", "127.0.0.1:0", "--bus", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer hub.stop()
	s := startTime{Name: what, People: people}
	if err := hub.until(ctx, startLimit, func() bool { return b.firstAnswer(ctx, dir, address) }); err != nil {
		return fmt.Errorf("the first query was not answered: %w", err)
	}
	s.Seconds = time.Since(hub.began).Seconds()
	say("%s with %d people: first query answered after %.2f s", what, people, s.Seconds)
	if err := hub.until(ctx, startLimit, func() bool { return isReady(dir, hub) }); err != nil {
		return err
	}
	s.ReadySeconds = time.Since(hub.began).Seconds()
	if b.opt.SkipStarts {
		return nil
	}
	b.report.Starts = append(b.report.Starts, s)
	select {
	case <-time.After(idleTime):
	case <-ctx.Done():
		return ctx.Err()
	}
	b.report.Memory = append(b.report.Memory, memory{idleMemory(what, people), hub.usage().residentMB()})
	return nil
}

// firstAnswer asks about the first person of the nation, once the hub has chosen one, and reports whether the hub
// answered.
func (b *bench) firstAnswer(ctx context.Context, dir, address string) bool {
	var nation struct {
		FirstPerson string `json:"first_person"`
	}
	raw, err := os.ReadFile(parts.Dir(dir).NationFile())
	if err != nil || json.Unmarshal(raw, &nation) != nil || nation.FirstPerson == "" {
		return false
	}
	return exec.CommandContext(ctx, filepath.Join(b.tools, "lienthong"), "query", method, "personal_id="+nation.FirstPerson,
		"--dir", dir, "--addr", address, "--as", "H27/one-stop", "--purpose", words.Purpose, "--case", words.Case).Run() == nil
}

// isReady reports whether the hub has said that everything answers.
func isReady(dir string, hub *process) bool {
	var ready parts.Ready
	raw, err := os.ReadFile(parts.Dir(dir).ReadyFile())
	return err == nil && json.Unmarshal(raw, &ready) == nil && ready.PID == hub.cmd.Process.Pid
}

// startHub runs `lienthong up` in a directory that is filled, and waits until it says that it is ready. Stop it.
func (b *bench) startHub(ctx context.Context, name, dir string, flags ...string) (*process, *parts.Ready, error) {
	argv := append([]string{filepath.Join(b.tools, "lienthong"), "up", "--dir", dir, "--population", strconv.Itoa(b.opt.Population),
		"--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--bus", "127.0.0.1:0"}, flags...)
	hub, err := startProcess(name, filepath.Join(b.dir, name+".log"), argv...)
	if err != nil {
		return nil, nil, err
	}
	if err := hub.until(ctx, startLimit, func() bool { return isReady(dir, hub) }); err != nil {
		hub.stop()
		return nil, nil, err
	}
	ready, err := parts.Dir(dir).ReadReady()
	if err != nil {
		hub.stop()
		return nil, nil, err
	}
	return hub, ready, nil
}
