package e2e_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/deploy/parts"
)

// anyPorts makes up take free ports.
var anyPorts = []string{"--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--bus", "127.0.0.1:0"}

// hub is a running `lienthong up`.
type hub struct {
	*process
	dir   string
	ready parts.Ready
}

// sandbox is one hub for all tests that do not stop it. Tests that write use people of their own.
var sandbox shared

type shared struct {
	once sync.Once
	hub  *hub
	err  error
}

// people is how many live in the nations of these tests.
const people = "2000"

// get starts the hub for the first test that needs it.
func (s *shared) get(t *testing.T) *hub {
	t.Helper()
	s.once.Do(func() {
		var dir string
		if dir, s.err = os.MkdirTemp("", "lienthong-sandbox-"); s.err != nil {
			return
		}
		s.hub = &hub{dir: dir}
		if s.hub.process, s.err = begin(upArgs(dir)...); s.err == nil {
			s.err = s.hub.await()
		}
	})
	require.NoError(t, s.err)
	return s.hub
}

func (s *shared) stop() {
	if s.hub == nil {
		return
	}
	if s.hub.process != nil {
		s.hub.kill()
	}
	_ = os.RemoveAll(s.hub.dir)
}

func upArgs(dir string, more ...string) []string {
	return append(append([]string{"up", "--dir", dir, "--population", people}, anyPorts...), more...)
}

// up starts a hub in a directory and waits until it is ready.
func up(t *testing.T, dir string, more ...string) *hub {
	t.Helper()
	h := &hub{dir: dir, process: start(t, upArgs(dir, more...)...)}
	require.NoError(t, h.await())
	return h
}

// await waits for this process's ready.json.
func (h *hub) await() error {
	for deadline := time.Now().Add(patience); ; <-time.After(5 * time.Millisecond) {
		data, err := os.ReadFile(filepath.Join(h.dir, "ready.json"))
		if err == nil {
			err = json.Unmarshal(data, &h.ready)
		}
		if err == nil && h.ready.PID == h.cmd.Process.Pid {
			return nil
		}
		if !h.running() || time.Now().After(deadline) {
			return errors.New("up did not become ready: " + h.err.String())
		}
	}
}

// stop tells the hub to stop and expects it to do so properly.
func (h *hub) stop(t *testing.T, s syscall.Signal) {
	t.Helper()
	h.signal(s)
	require.Zero(t, h.code(t), h.err.String())
}

// run runs a client command against the hub.
func (h *hub) run(t *testing.T, args ...string) result {
	t.Helper()
	return lienthong(t, append(args, "--dir", h.dir)...)
}

// answer is a query's answer.
type answer struct {
	Answer   map[string]any `json:"answer"`
	Exchange string         `json:"exchange"`
	Withheld []string       `json:"withheld"`
}

// code is the answer's result code.
func (a answer) code() any { return at[any](a.Answer, "result", "code") }

// at reads a value below keys and list positions.
func at[T any](v any, path ...any) T {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return *new(T)
			}
			v = l[s]
		}
	}
	found, _ := v.(T)
	return found
}

// query asks as a system for a purpose, and expects an answer.
func (h *hub) query(t *testing.T, as, purpose, method string, fields ...string) answer {
	t.Helper()
	args := append([]string{"query", "registry." + method}, fields...)
	r := h.run(t, append(args, "--as", as, "--purpose", purpose, "--case", "E2E-0001", "--officer", "can.bo", "--json")...)
	require.Zero(t, r.code, "%s: %s", method, r.err)
	return decode[answer](t, r.out)
}

// person is somebody of the nation.
type person struct {
	PersonalID string `json:"personal_id"`
	OldID      string `json:"old_id"`
	FullName   string `json:"full_name"`
	BirthDate  string `json:"birth_date"`
	Province   string `json:"province"`
	Note       string `json:"note"`
}

// fields are a person's number, name and birth date, below a field of the request if one is given ("mother.").
func (p person) fields(below string) []string {
	return []string{below + "personal_id=" + p.PersonalID, below + "full_name=" + p.FullName, below + "birth_date=" + p.BirthDate}
}

// sample finds people of a kind.
func (h *hub) sample(t *testing.T, kind string, count string) []person {
	t.Helper()
	r := h.run(t, "nation", "sample", kind, "-n", count, "--json")
	require.Zero(t, r.code, r.err)
	found := decode[[]person](t, r.out)
	require.NotEmpty(t, found, kind)
	return found
}
