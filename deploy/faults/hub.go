package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
)

const (
	startLimit = 30 * time.Second // for a hub to be ready, recovery included
	stopLimit  = 20 * time.Second // for a hub that was told to stop
)

// hub is a running hub: a process group of its own.
type hub struct {
	dir   parts.Dir
	ready *parts.Ready
	cmd   *exec.Cmd
	said  log
	ended chan struct{}
}

// log keeps the beginning and the end of what a process says.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// maxLog is what a hub may say, in bytes. It is there to keep a hub that complains for ever from filling the memory.
const maxLog = 4 << 20

// Write takes what the process says.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() < maxLog {
		l.text.Write(p)
	}
	return len(p), nil
}

// lastWords is the end of it.
func (l *log) lastWords() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(l.text.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// how says how a hub is started.
type how struct {
	dir      parts.Dir
	patience time.Duration // until an append that is not durable fails; 0: the default
	faults   []string      // of proto/fault: "point:n:kill"
	plants   []string      // defects that are in
}

// startHub starts a hub and waits until it is ready. Whoever calls it ends it.
func (w *world) startHub(ctx context.Context, h how) (*hub, error) {
	p, err := w.beginHub(h)
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// beginHub starts a hub and does not wait.
func (w *world) beginHub(h how) (*hub, error) {
	args := []string{"-dir", string(h.dir)}
	if h.patience > 0 {
		args = append(args, "-patience", h.patience.String())
	}
	p := &hub{dir: h.dir, cmd: exec.Command(w.hub, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "LIENTHONG_FAULT="+strings.Join(h.faults, ","), "LIENTHONG_PLANT="+strings.Join(h.plants, ","))
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.cmd.WaitDelay = time.Second
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	_ = os.Remove(h.dir.ReadyFile()) // of a hub that was killed
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start hub: %w", err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is asked for later
	}()
	return p, nil
}

// errNotReady: the hub did not become ready by itself.
var errNotReady = errors.New("the hub did not become ready")

// await waits until everything answers.
func (h *hub) await(ctx context.Context) error {
	late := time.After(startLimit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-h.ended:
			return fmt.Errorf("%w, it ended (%v):\n%s", errNotReady, h.cmd.ProcessState, h.said.lastWords())
		case <-late:
			return fmt.Errorf("%w in %v:\n%s", errNotReady, startLimit, h.said.lastWords())
		case <-ctx.Done():
			return ctx.Err() // the run was told to stop: that says nothing of the hub
		}
		ready, err := h.dir.ReadReady()
		if err == nil && ready.PID == h.cmd.Process.Pid {
			h.ready = ready
			return nil
		}
	}
}

// kill ends the hub at once.
func (h *hub) kill() {
	h.signal(syscall.SIGKILL)
	<-h.ended
}

// stop tells the hub to stop and waits until it has.
func (h *hub) stop() error {
	h.signal(syscall.SIGTERM)
	select {
	case <-h.ended:
	case <-time.After(stopLimit):
		h.kill()
		return fmt.Errorf("the hub did not stop within %v:\n%s", stopLimit, h.said.lastWords())
	}
	if !h.cmd.ProcessState.Success() {
		return fmt.Errorf("the hub stopped with %v:\n%s", h.cmd.ProcessState, h.said.lastWords())
	}
	return nil
}

// signal sends a signal to the process group.
func (h *hub) signal(s syscall.Signal) { _ = syscall.Kill(-h.cmd.Process.Pid, s) }

// running reports whether the hub has not ended.
func (h *hub) running() bool {
	select {
	case <-h.ended:
		return false
	default:
		return true
	}
}

// freeze stops the hub where it is and waits until no thread of it runs any more. One that waits for the disk may
// still be served, but does nothing with the answer.
func (h *hub) freeze(ctx context.Context) error {
	h.signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	for {
		still, err := frozen(h.cmd.Process.Pid)
		if err != nil {
			return fmt.Errorf("freeze hub: %w", err)
		}
		if still {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("freeze hub: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}

// frozen reports whether all threads of a process are stopped or wait for a device.
func frozen(pid int) (bool, error) {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(stats) == 0 {
		return false, errors.Join(err, errors.New("it has no threads"))
	}
	for _, stat := range stats {
		data, err := os.ReadFile(stat)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		_, rest, ok := bytes.Cut(data, []byte(") "))
		if !ok || len(rest) == 0 || !strings.ContainsRune("TtDZX", rune(rest[0])) {
			return false, nil
		}
	}
	return true, nil
}
