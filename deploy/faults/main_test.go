package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// The programs under test, built as `make faults` builds them.
var built struct{ dir, hub, faults string }

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "4") // they wait for hubs most of the time
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lienthong-faults-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	built.dir, built.hub, built.faults = dir, filepath.Join(dir, "hub"), filepath.Join(dir, "faults")
	build := exec.Command("go", "build", "-tags", "faults", "-o", dir, "./hub", ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the fault runs: %v\n%s", err, out)
		return 1
	}
	defer func() {
		if first.w != nil {
			_ = first.w.close()
		}
	}()
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// seed is that of all these tests, so that what fails fails again.
const seed = 20261122

// first is the world whose template the others use.
var first struct {
	once sync.Once
	w    *world
	err  error
}

// open makes a world with a template.
func open(t *testing.T) *world {
	t.Helper()
	fsck, err := filepath.Abs("../../bin/fsck")
	require.NoError(t, err)
	programs := binaries{built.hub, fsck}
	first.once.Do(func() {
		if first.w, first.err = newWorld(programs, seed, io.Discard); first.err == nil {
			first.err = first.w.prepare(context.Background())
		}
	})
	require.NoError(t, first.err)
	var said bytes.Buffer
	w, err := newWorld(programs, seed, &said)
	require.NoError(t, err)
	w.template, w.people = first.w.template, first.w.people
	t.Cleanup(func() {
		require.NoError(t, w.close())
		if t.Failed() {
			t.Log(said.String())
		}
	})
	return w
}

// requireKept expects a run without findings, in which there was something to find.
func requireKept(t *testing.T, r *result, err error) {
	t.Helper()
	require.NoError(t, err)
	require.Empty(t, r.Findings)
	require.Positive(t, r.Answers)
	require.Equal(t, r.Answers, r.Records)
}

func TestAPowerCutLosesNoAnswerThatLeft(t *testing.T) {
	t.Parallel()
	r, err := open(t).powerCut(t.Context(), 2)
	requireKept(t, r, err)
}

func TestACrashAtAnyStepLeavesEachExchangeInOneState(t *testing.T) {
	t.Parallel()
	r, err := open(t).crash(t.Context(), 1)
	requireKept(t, r, err)
	require.Equal(t, len(points), r.Rounds)
}

func TestEachEditOfALedgerIsFoundWhereItIs(t *testing.T) {
	t.Parallel()
	r, err := open(t).tamper(t.Context(), 80)
	requireKept(t, r, err)
}

func TestWithoutADeviceNothingLeavesAndWithItAnswersComeAgain(t *testing.T) {
	t.Parallel()
	r, err := open(t).devices(t.Context(), 1, 2*time.Second)
	requireKept(t, r, err)
}

func TestTesserasOwnFsckPassesTheLogAndNoChangedByte(t *testing.T) {
	t.Parallel()
	r, err := open(t).independent(t.Context(), 3)
	requireKept(t, r, err)
}

func TestEachPlantedDefectTurnsItsRunRed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, built.faults, "--hub", built.hub, "--seed", fmt.Sprint(seed), "--json", "plant").CombinedOutput()
	require.NoError(t, err, string(out))
}
