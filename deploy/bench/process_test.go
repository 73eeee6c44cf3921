package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStatIsReadWhateverTheProcessIsCalled(t *testing.T) {
	const stat = `4711 (a) b (c) S 1 4242 4711 0 -1 4194560 100 0 0 0 150 50 7 7 20 0 1 0 9 1000 3 18446744073709551615`
	group, u, err := parseStat([]byte(stat))
	require.NoError(t, err)
	require.Equal(t, 4242, group)
	require.Equal(t, 2*time.Second, u.cpu, "150 + 50 ticks of 10 ms, children not counted")
	require.Equal(t, int64(3*os.Getpagesize()), u.resident)
}

func TestOtherTextIsNoStat(t *testing.T) {
	for _, text := range []string{"", ")", "1 (x) S 1", "1 (x) S 1 g 1 0 -1 0 0 0 0 0 u s 0 0 0 0 0 0 0 0 r"} {
		_, _, err := parseStat([]byte(text))
		require.Error(t, err, text)
	}
}

func TestUsageCountsTheChildrenOfAServer(t *testing.T) {
	p := startShell(t, `while :; do :; done & wait`)
	require.NoError(t, p.until(t.Context(), 20*time.Second, func() bool { return p.usage().cpu > 50*time.Millisecond }))
	require.Positive(t, p.usage().resident)
}

func TestStopEndsTheWholeGroup(t *testing.T) {
	p := startShell(t, `(trap "" TERM; echo child; exec sleep 1000) & wait`)
	require.NoError(t, p.until(t.Context(), 20*time.Second, func() bool { return strings.Contains(p.lastWords(), "child") }))
	p.stop()
	require.Eventually(t, func() bool { return syscall.Kill(-p.cmd.Process.Pid, 0) == syscall.ESRCH }, 20*time.Second, time.Millisecond)
}

func TestServerThatEndsIsNotWaitedFor(t *testing.T) {
	p := startShell(t, `echo the port is taken; exit 1`)
	err := p.until(context.Background(), time.Minute, func() bool { return false })
	require.ErrorContains(t, err, "the port is taken")
}

// startShell runs a script as a server until the test ends.
func startShell(t *testing.T, script string) *process {
	p, err := startProcess("shell", filepath.Join(t.TempDir(), "log"), "bash", "-c", script)
	require.NoError(t, err)
	t.Cleanup(p.stop)
	return p
}
