package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	patience = 30 * time.Second // for what a process does by itself, on a busy machine
	stopping = 15 * time.Second // for a process that was told to stop
)

// output is what a process has written so far.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// process is a running part.
type process struct {
	cmd      *exec.Cmd
	out, err output
	ended    chan struct{}
}

// begin starts the binary. Whoever calls it ends the process.
func begin(args ...string) (*process, error) {
	p := &process{cmd: exec.Command(bin, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the exit code tells
	}()
	return p, nil
}

// start starts the binary, and kills it when the test ends.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p, err := begin(args...)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), p.out.String(), p.err.String())
		}
	})
	return p
}

// signal sends a signal to the process.
func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// kill ends the process at once.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// code waits for the end of a process that was told to stop, and returns its exit code.
func (p *process) code(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(stopping):
		require.FailNow(t, "the process did not end", p.err.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

// running reports whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// says waits until the process has written text to stderr.
func (p *process) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, func() bool {
		require.True(t, p.running() || strings.Contains(p.err.String(), text), "ended before it said %q: %s", text, p.err.String())
		return strings.Contains(p.err.String(), text)
	}, "%q was not said", text)
}

// eventually waits until a condition holds. It is looked at often: some tests act at that moment.
func eventually(t *testing.T, holds func() bool, message string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); {
		require.False(t, time.Now().After(deadline), append([]any{message}, args...)...)
		<-time.After(2 * time.Millisecond)
	}
}

// result is what a command that ended has said.
type result struct {
	code     int
	out, err string
}

// command runs a program to its end.
func command(t *testing.T, stdin string, argv ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out, err bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &err
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	cmd.Dir = t.TempDir()
	_ = cmd.Run() // the exit code tells
	require.NoError(t, ctx.Err(), "%v did not end", argv)
	require.NotNil(t, cmd.ProcessState, "%v did not start", argv)
	return result{cmd.ProcessState.ExitCode(), out.String(), err.String()}
}

// lienthong runs the binary to its end.
func lienthong(t *testing.T, args ...string) result {
	t.Helper()
	return command(t, "", append([]string{bin}, args...)...)
}

// tool is a program that scripts/tools installs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(tools, name)
	_, err := os.Stat(path)
	require.NoError(t, err, "%s is missing; install it with: make tools", path)
	return path
}

// decode reads JSON.
func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}
