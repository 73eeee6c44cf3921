package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopGrace is how long a server may take to stop.
const stopGrace = 10 * time.Second

// process is a server that this run started, with the children it has: one process group.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string    // path of what it says
	began time.Time // when it was executed
	ended chan struct{}
}

// startProcess executes a server in a process group of its own. What it says goes to a file. Stop it.
func startProcess(name, log string, argv ...string) (*process, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer func() { _ = file.Close() }()
	p := &process{name: name, log: log, ended: make(chan struct{})}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = file, file
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// until calls ready every few milliseconds until it is true. It fails if the server ends or the time is over.
func (p *process) until(ctx context.Context, limit time.Duration, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	patience := time.NewTicker(10 * time.Second)
	defer patience.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-patience.C:
			say("waiting for %s since %v", p.name, time.Since(p.began).Round(time.Second))
		case <-p.ended:
			return fmt.Errorf("%s ended by itself:\n%s", p.name, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w\n%s", p.name, ctx.Err(), p.lastWords())
		}
	}
	return nil
}

// lastWords is the end of what the server said.
func (p *process) lastWords() string {
	said, _ := os.ReadFile(p.log)
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// stop ends the server and waits for it.
func (p *process) stop() {
	group := -p.cmd.Process.Pid
	_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopGrace):
		say("%s does not stop; killing it", p.name)
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // what is left of the group, if anything
	<-p.ended
}

// usage is what processes have used.
type usage struct {
	cpu      time.Duration // user and system, since they started
	resident int64         // bytes
}

func (u usage) residentMB() float64 { return float64(u.resident) / 1e6 }

// clockTick is the unit of CPU time in /proc: USER_HZ is 100 on every Linux that Go runs on.
const clockTick = time.Second / 100

// usage adds up the processes of the server's group.
func (p *process) usage() usage {
	var sum usage
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		raw, err := os.ReadFile(name)
		if err != nil {
			continue // ended meanwhile
		}
		group, u, err := parseStat(raw)
		if err == nil && group == p.cmd.Process.Pid {
			sum.cpu += u.cpu
			sum.resident += u.resident
		}
	}
	return sum
}

// parseStat reads a /proc/PID/stat: the process group, and what the process used; see proc(5).
func parseStat(raw []byte) (group int, u usage, err error) {
	end := bytes.LastIndexByte(raw, ')') // the name before may hold anything
	fields := strings.Fields(string(raw[end+1:]))
	if end < 0 || len(fields) < 22 {
		return 0, usage{}, fmt.Errorf("not a stat of a process: %d fields", len(fields))
	}
	var numbers [4]int64
	for i, field := range [4]int{2, 11, 12, 21} { // pgrp, utime, stime, rss
		if numbers[i], err = strconv.ParseInt(fields[field], 10, 64); err != nil {
			return 0, usage{}, fmt.Errorf("stat of a process: %w", err)
		}
	}
	u.cpu = time.Duration(numbers[1]+numbers[2]) * clockTick
	u.resident = numbers[3] * int64(os.Getpagesize())
	return int(numbers[0]), u, nil
}
