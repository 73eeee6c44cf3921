package index_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newestExchange is one that was about somebody, by somebody with an officer and a case.
func newestExchange(j *fake) *hubv1.Exchange {
	for i := len(j.entries) - 1; i >= 0; i-- {
		if e := j.decoded[i].GetExchange(); len(e.GetSubjectHashes()) > 0 && e.GetAgreement() != "" {
			return e
		}
	}
	panic("no exchange in this journal")
}

// run runs the index until the test ends.
func run(t *testing.T, x *index.Index) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
}

func quick(dir string, j *fake) index.Config {
	cfg := small(dir, j)
	cfg.Rest, cfg.Retry = time.Microsecond, time.Millisecond
	return cfg
}

func TestRunFollowsTheJournal(t *testing.T) {
	j, all := newJournal(), plausible(3, 400, 9)
	x := open(t, quick(t.TempDir(), j))
	run(t, x)
	for _, e := range all.entries {
		j.add(e)
		require.NoError(t, x.Wait(t.Context(), e.Seq)) // that is, until it is found
	}
	require.NoError(t, x.Err())
	requireRight(t, x, j)
}

func TestSearchesGoOnWhileRecordsAreAddedAndBlocksWritten(t *testing.T) {
	j, all := newJournal(), plausible(3, 700, 0)
	x := open(t, quick(t.TempDir(), j))
	run(t, x)
	q := index.Query{Consumer: "H27", Limit: 1000}
	added := make(chan struct{})
	go func() {
		defer close(added)
		for _, e := range all.entries {
			j.add(e)
		}
	}()
	for covered := uint64(0); covered < 700; {
		p, err := x.Search(t.Context(), q)
		require.NoError(t, err)
		require.GreaterOrEqual(t, p.Covered, covered)
		covered = p.Covered
		require.Len(t, p.Hits, len(brute(all, q, covered)))
	}
	<-added
}

func TestWaitEndsWithItsContext(t *testing.T) {
	x := open(t, quick(t.TempDir(), newJournal()))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.ErrorIs(t, x.Wait(ctx, 0), context.Canceled)
}

func TestAFullBlockThatCannotBeWrittenIsSearchedAndWrittenLater(t *testing.T) {
	j := plausible(3, 200, 0)
	cfg := quick(t.TempDir(), j)
	full, failing := errors.New("disk full"), atomic.Bool{}
	failing.Store(true)
	cfg.BeforeSeal = func(uint64) error {
		if failing.Load() {
			return full
		}
		return nil
	}
	x := open(t, cfg)
	require.ErrorIs(t, x.CatchUp(t.Context(), nil), full)
	require.EqualValues(t, 64, x.Indexed())
	requireRight(t, x, j)
	run(t, x)
	require.Eventually(t, func() bool { return errors.Is(x.Err(), full) }, 10*time.Second, time.Millisecond)
	failing.Store(false)
	require.NoError(t, x.Wait(t.Context(), 199))
	require.Eventually(t, func() bool { return x.Err() == nil }, 10*time.Second, time.Millisecond)
	requireRight(t, x, j)
}

func TestAnEndAtAnyMomentLeavesNoHole(t *testing.T) {
	j, dir := plausible(3, 400, 0), t.TempDir()
	for n := range 10 {
		cfg := quick(dir, j.cut(39*n+10))
		ctx, stop := context.WithCancel(t.Context())
		cfg.BeforeSeal = func(uint64) error {
			if n%3 == 0 {
				stop() // the transaction cannot be committed
			}
			return nil
		}
		x := open(t, cfg)
		if err := x.CatchUp(ctx, nil); err != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
		requireRight(t, x, j)
		require.NoError(t, x.Close())
		stop()
	}
	x := open(t, small(dir, j))
	require.NoError(t, x.CatchUp(t.Context(), nil))
	requireRight(t, x, j)
}

func TestNobodyElseReadsTheFiles(t *testing.T) {
	dir := t.TempDir()
	x := open(t, small(dir, plausible(3, 100, 0)))
	require.NoError(t, x.CatchUp(t.Context(), nil))
	require.Greater(t, x.Bytes(), int64(10_000))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 4) // database, its log and the log's index, lock
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, f.Name())
	}
}

func TestOnlyOneOpensAnIndex(t *testing.T) {
	j := plausible(3, 100, 0)
	cfg := small(t.TempDir(), j)
	x := open(t, cfg)
	_, err := index.Open(t.Context(), cfg)
	require.ErrorIs(t, err, index.ErrInUse)
	require.ErrorIs(t, index.Rebuild(t.Context(), cfg, nil), index.ErrInUse)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	requireRight(t, x, j)
	require.NoError(t, x.Close())
	x = open(t, cfg)
	require.EqualValues(t, 64, x.Indexed())
}

func TestRebuildTakesTheOldOnesPlaceWhenItIsWhole(t *testing.T) {
	j, old := plausible(3, 400, 5), plausible(4, 300, 0)
	cfg := small(t.TempDir(), old)
	x := open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	require.NoError(t, x.Close())
	before, err := os.ReadFile(cfg.Path)
	require.NoError(t, err)

	cfg.Source = j
	ctx, stop := context.WithCancel(t.Context())
	cfg.BeforeSeal = func(block uint64) error {
		if block == 2 {
			stop()
		}
		return nil
	}
	require.ErrorIs(t, index.Rebuild(ctx, cfg, nil), context.Canceled)
	after, err := os.ReadFile(cfg.Path)
	require.NoError(t, err)
	require.Equal(t, before, after)

	cfg.BeforeSeal = nil
	var done, total uint64
	require.NoError(t, index.Rebuild(t.Context(), cfg, func(d, n uint64) { done, total = d, n }))
	require.Equal(t, j.Durable(), done)
	require.Equal(t, j.Durable(), total)
	left, err := filepath.Glob(cfg.Path + "*")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{cfg.Path, cfg.Path + ".lock"}, left)
	x = open(t, cfg)
	require.EqualValues(t, 448, x.Indexed())
	require.NoError(t, x.CatchUp(t.Context(), nil))
	requireRight(t, x, j)
}

func TestAJournalThatNoLongerHasItsBeginningIsIndexedFromThere(t *testing.T) {
	j := plausible(3, 400, 0)
	cfg := small(t.TempDir(), j)
	x := open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	j.mu.Lock()
	j.first = 150
	j.mu.Unlock()
	requireFound(t, x, j)
	require.NoError(t, x.Close())
	require.NoError(t, os.Remove(cfg.Path))
	x = open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	require.Equal(t, j.Durable(), x.Indexed())
	requireRight(t, x, j)
}

func TestAFailureThatStaysIsSaidOnce(t *testing.T) {
	var said, tried atomic.Int32
	cfg := quick(t.TempDir(), plausible(3, 400, 9))
	cfg.Log = slog.New(tally{&said})
	cfg.BeforeSeal = func(uint64) error {
		tried.Add(1)
		return errors.New("disk is full")
	}
	run(t, open(t, cfg))
	require.Eventually(t, func() bool { return tried.Load() > 20 }, 10*time.Second, time.Millisecond)
	require.EqualValues(t, 1, said.Load())
}

// tally is a log that counts.
type tally struct{ n *atomic.Int32 }

func (c tally) Enabled(context.Context, slog.Level) bool { return true }
func (c tally) Handle(context.Context, slog.Record) error {
	c.n.Add(1)
	return nil
}
func (c tally) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c tally) WithGroup(string) slog.Handler      { return c }
