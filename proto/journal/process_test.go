package journal_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/proto/journal"
)

// childDir tells the test binary to be another process that keeps a journal there.
const childDir = "JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// child appends until its standard input ends, printing each number once it is durable.
func child(dir string) {
	j, _, err := journal.Open(journal.Config{Dir: dir, SegmentSize: journal.MinSegmentSize})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0) // without Close: as if killed
	}()
	for i := 0; ; i++ {
		seq, err := j.Append(fmt.Appendf(nil, "%d %s", i, strings.Repeat("child ", i%4000)))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(seq)
	}
}

// start runs a child and returns its output, line by line, and what ends it.
func start(t *testing.T, dir string) (lines *bufio.Scanner, end func() error) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ended := false
	end = func() error {
		if ended {
			return nil
		}
		ended = true
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		return cmd.Wait()
	}
	t.Cleanup(func() { _ = end() })
	return bufio.NewScanner(out), end
}

func TestAnotherProcessReadsBesideAndCannotOpen(t *testing.T) {
	cfg := onDisk(t, nil)
	cfg.Head = ""
	lines, end := start(t, cfg.Dir)
	require.True(t, lines.Scan())

	_, _, err := journal.Open(cfg)
	require.ErrorIs(t, err, journal.ErrLocked)

	r, err := journal.OpenReader(cfg.Dir)
	require.NoError(t, err)
	next := uint64(0)
	for rounds := 0; next < 500 || rounds < 20; rounds++ {
		require.True(t, lines.Scan())
		for e, err := range r.Scan(t.Context(), next, 1<<63) {
			require.NoError(t, err)
			require.Equal(t, next, e.Seq)
			require.True(t, strings.HasPrefix(string(e.Payload), fmt.Sprint(e.Seq, " ")))
			next++
		}
		if rounds%10 == 0 {
			rep, err := journal.Check(t.Context(), []string{cfg.Dir}, journal.CheckOptions{}, nil)
			require.NoError(t, err)
			require.Empty(t, rep.Faults)
		}
		if rounds == 10 {
			_, err := journal.Archive(t.Context(), cfg.Dir, cfg.Dir+".archive", journal.Limit{}, "a test")
			require.NoError(t, err)
			r, err = journal.OpenReader(cfg.Dir, cfg.Dir+".archive")
			require.NoError(t, err)
		}
	}
	require.NoError(t, end())

	intactAfter(t, cfg, next)
}

// intactAfter opens the journal that a process left and finds at least so many entries.
func intactAfter(t *testing.T, cfg journal.Config, next uint64) (got uint64) {
	t.Helper()
	j, rec, err := journal.Open(cfg)
	require.NoError(t, err)
	require.GreaterOrEqual(t, rec.Next, next)
	require.NoError(t, j.Close())
	return rec.Next
}

func TestWhatAnEndedProcessPrintedIsThere(t *testing.T) {
	cfg := onDisk(t, nil)
	cfg.Head = ""
	next := uint64(0)
	for range 3 {
		lines, end := start(t, cfg.Dir)
		for range 200 {
			require.True(t, lines.Scan())
			require.Equal(t, fmt.Sprint(next), lines.Text())
			next++
		}
		require.NoError(t, end())
		next = intactAfter(t, cfg, next)
	}
}
