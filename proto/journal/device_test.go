package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/journal"
	"github.com/lienthong/lienthong/proto/journal/journaltest"
)

func onDisk(t testing.TB, d journal.Disk) journal.Config {
	dir := t.TempDir()
	return journal.Config{Dir: filepath.Join(dir, "journal"), Head: filepath.Join(dir, "head"), Disk: d,
		SegmentSize: journal.MinSegmentSize, Patience: 20 * time.Second}
}

func open(t testing.TB, cfg journal.Config) *journal.Journal {
	t.Helper()
	j, _, err := journal.Open(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// until appends until the journal takes a record again, and returns its number.
func until(t testing.TB, j *journal.Journal, payload string) uint64 {
	t.Helper()
	for {
		seq, err := j.Append([]byte(payload))
		if err == nil {
			return seq
		}
		require.ErrorIs(t, err, journal.ErrUnavailable)
	}
}

// intact checks the closed journal and that it can be opened again with so many entries.
func intact(t testing.TB, cfg journal.Config, next uint64) {
	t.Helper()
	rep, err := journal.Check(t.Context(), []string{cfg.Dir}, journal.CheckOptions{Head: cfg.Head}, nil)
	require.NoError(t, err)
	require.Empty(t, rep.Faults)
	require.Equal(t, next, rep.Next)
	j, rec, err := journal.Open(cfg)
	require.NoError(t, err)
	require.Equal(t, next, rec.Next)
	require.NoError(t, j.Close())
}

func TestAFailedSyncMakesItsNumbersVoidAndTheJournalGoesOnByItself(t *testing.T) {
	for name, fail := range map[string]func(*journaltest.Disk, error){
		"sync":        func(d *journaltest.Disk, err error) { d.FailSync(err) },
		"write":       func(d *journaltest.Disk, err error) { d.FailWrite(err, 0) },
		"short write": func(d *journaltest.Disk, err error) { d.FailWrite(err, 100) },
	} {
		t.Run(name, func(t *testing.T) {
			d := &journaltest.Disk{}
			cfg := onDisk(t, d)
			j := open(t, cfg)
			require.EqualValues(t, 0, until(t, j, "first"))
			beside, err := journal.OpenReader(cfg.Dir)
			require.NoError(t, err)
			fail(d, syscall.EIO)
			seq, err := j.Append([]byte("lost"))
			require.ErrorIs(t, err, journal.ErrUnavailable)
			require.ErrorIs(t, err, syscall.EIO)
			require.True(t, journal.Uncertain(err))
			require.EqualValues(t, 1, seq)
			require.ErrorIs(t, j.Err(), syscall.EIO)
			_, err = j.Append([]byte("refused"))
			require.ErrorIs(t, err, journal.ErrUnavailable)
			require.False(t, journal.Uncertain(err))
			require.EqualValues(t, 1, j.Durable())
			beside.Bounds() // may see the batch that is about to become void

			fail(d, nil)
			require.NoError(t, j.Watch(t.Context(), 1))
			require.NoError(t, j.Err())
			require.EqualValues(t, 2, until(t, j, "third"))
			for _, r := range []*journal.Reader{j.Reader(), beside} {
				e, err := r.Get(t.Context(), 1)
				require.NoError(t, err)
				require.True(t, e.Void)
				require.Nil(t, e.Payload)
				_, next := r.Bounds()
				require.EqualValues(t, 3, next)
			}
			require.NoError(t, j.Close())
			intact(t, cfg, 3)
		})
	}
}

func TestACrashBetweenAFailedSyncAndTheNewSegmentLosesNothingAcknowledged(t *testing.T) {
	d := &journaltest.Disk{}
	cfg := onDisk(t, d)
	j := open(t, cfg)
	until(t, j, "first")
	d.FailSync(syscall.EIO)
	seq, err := j.Append([]byte("in doubt"))
	require.True(t, journal.Uncertain(err))
	require.Eventually(t, func() bool { // what a killed process leaves; blank files come and go meanwhile
		require.NoError(t, os.RemoveAll(cfg.Dir+".copy"))
		return os.CopyFS(cfg.Dir+".copy", os.DirFS(cfg.Dir)) == nil
	}, 10*time.Second, time.Millisecond)
	d.FailSync(nil)
	require.NoError(t, j.Close())

	cfg.Dir += ".copy"
	cfg.AcceptMissingHead, cfg.Head = true, cfg.Head+".copy"
	j = open(t, cfg)
	e, err := j.Reader().Get(t.Context(), seq)
	require.NoError(t, err)
	require.Equal(t, "in doubt", string(e.Payload))
	require.EqualValues(t, 2, until(t, j, "third"))
	require.NoError(t, j.Close())
	intact(t, cfg, 3)
}

func TestAFailureWhileASegmentBeginsLeavesNoSecondSuccessor(t *testing.T) {
	d := &journaltest.Disk{}
	cfg := onDisk(t, d)
	j := open(t, cfg)
	until(t, j, "first")
	d.FailSync(syscall.EIO)
	_, err := j.Append([]byte("lost"))
	require.Error(t, err)
	d.FailRename(syscall.ENOSPC)
	d.FailSync(nil)
	require.Eventually(t, func() bool { return errors.Is(j.Err(), syscall.ENOSPC) }, 10*time.Second, time.Millisecond)
	d.FailRename(nil)
	require.EqualValues(t, 2, until(t, j, "third"))
	require.NoError(t, j.Close())
	intact(t, cfg, 3)
}

func TestASegmentWhoseNameMayNotBeDurableGivesWayToTheNextOne(t *testing.T) {
	d := &journaltest.Disk{}
	cfg := onDisk(t, d)
	j := open(t, cfg)
	d.FailSyncDir(syscall.EIO)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	var err error
	for err == nil {
		_, err = j.Append(big)
	}
	require.ErrorIs(t, err, syscall.EIO)
	kept := j.Durable()
	require.FileExists(t, filepath.Join(cfg.Dir, fmt.Sprintf("%020d.seg", kept)), "the one that must go")
	d.FailSyncDir(nil)
	next := until(t, j, "third")
	require.Greater(t, next, kept)
	require.NoError(t, j.Close())
	intact(t, cfg, next+1)
}

func TestAFullDiskRefusesAndGoesOnWhenThereIsSpace(t *testing.T) {
	d := &journaltest.Disk{}
	cfg := onDisk(t, d)
	j := open(t, cfg)
	d.FailCreate(syscall.ENOSPC)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	kept := uint64(0)
	for {
		_, err := j.Append(big)
		if err != nil {
			require.ErrorIs(t, err, journal.ErrUnavailable)
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.False(t, journal.Uncertain(err), "it was not even written")
			break
		}
		kept++
	}
	require.Equal(t, kept, j.Durable())
	d.FailCreate(nil)
	require.NoError(t, j.Watch(t.Context(), kept))
	next := until(t, j, "space again")
	require.Greater(t, next, kept)
	require.NoError(t, j.Close())
	intact(t, cfg, next+1)
}

func TestAHungDeviceFailsWithinPatienceAndGoesOnByItself(t *testing.T) {
	d := &journaltest.Disk{}
	cfg := onDisk(t, d)
	cfg.Patience = 50 * time.Millisecond
	j := open(t, cfg)
	require.Eventually(t, func() bool { _, err := j.Append([]byte("first")); return err == nil }, 10*time.Second, time.Millisecond)
	next := j.Durable()

	release := d.Hang()
	defer release()
	seq, err := j.Append([]byte("late"))
	require.ErrorIs(t, err, journal.ErrUnavailable)
	require.True(t, journal.Uncertain(err))
	require.Equal(t, next, seq)
	_, err = j.Append([]byte("refused"))
	require.ErrorIs(t, err, journal.ErrUnavailable)
	require.False(t, journal.Uncertain(err))
	require.Error(t, j.Err())
	require.Equal(t, next, j.Durable())

	release()
	require.NoError(t, j.Watch(t.Context(), next))
	e, err := j.Reader().Get(t.Context(), next)
	require.NoError(t, err)
	require.Equal(t, "late", string(e.Payload), "it was durable after all")
	until(t, j, "after")
	require.NoError(t, j.Close())
}

func TestAJournalThatHangsCanBeClosed(t *testing.T) {
	d := &journaltest.Disk{}
	cfg := onDisk(t, d)
	cfg.Patience = 50 * time.Millisecond
	j, _, err := journal.Open(cfg)
	require.NoError(t, err)
	release := d.Hang()
	_, err = j.Append([]byte("late"))
	require.Error(t, err)
	require.ErrorContains(t, j.Close(), "does not answer")
	_, _, err = journal.Open(cfg)
	require.ErrorIs(t, err, journal.ErrLocked, "its bytes may still come")
	release()
}

func TestAReadOnlyDirectoryIsRefused(t *testing.T) {
	d := &journaltest.Disk{}
	d.FailCreate(syscall.EROFS)
	_, _, err := journal.Open(onDisk(t, d))
	require.ErrorIs(t, err, syscall.EROFS)
}

func TestTheLargestRecordPassesAndALargerOneIsRefused(t *testing.T) {
	d := &journaltest.Disk{}
	cfg := onDisk(t, d)
	j := open(t, cfg)
	largest := bytes.Repeat([]byte{0}, journal.MaxRecord)
	for i := range uint64(5) {
		seq, err := j.Append(largest)
		require.NoError(t, err)
		require.Equal(t, i, seq)
	}
	for _, p := range [][]byte{nil, append(largest, 1)} {
		_, err := j.Append(p)
		require.ErrorIs(t, err, journal.ErrSize)
		require.NotErrorIs(t, err, journal.ErrUnavailable)
	}
	e, err := j.Reader().Get(t.Context(), 3)
	require.NoError(t, err)
	require.Equal(t, largest, e.Payload)
	require.NoError(t, j.Close())
	intact(t, cfg, 5)
}

func TestTenThousandAppendersShareBatches(t *testing.T) {
	d := &journaltest.Disk{}
	cfg := onDisk(t, d)
	j := open(t, cfg)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[uint64]bool{}
	for range 10_000 {
		wg.Go(func() {
			seq, err := j.Append([]byte(strings.Repeat("x", 400)))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				seen[seq] = true
			}
		})
	}
	wg.Wait()
	require.Len(t, seen, 10_000)
	require.EqualValues(t, 10_000, j.Durable())
	require.Less(t, j.Stats().Batches, uint64(5_000))
	require.NoError(t, j.Close())
	intact(t, cfg, 10_000)
}

func TestTheClockGoingBackDoesNotTakeTheJournalWithIt(t *testing.T) {
	var mu sync.Mutex
	now := time.UnixMilli(2_000_000)
	cfg := onDisk(t, nil)
	cfg.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); now = now.Add(-time.Second); return now }
	var last time.Time
	for round := range 2 {
		j := open(t, cfg)
		for range 3 {
			until(t, j, "x")
		}
		for e, err := range j.Reader().Scan(t.Context(), 0, uint64(3*(round+1))) {
			require.NoError(t, err)
			require.False(t, e.Time.Before(last))
			last = e.Time
		}
		require.EqualValues(t, 1_999_000, last.UnixMilli())
		last = time.Time{}
		require.NoError(t, j.Close())
	}
}

func TestASecondOpenSaysWhoHasTheDirectory(t *testing.T) {
	cfg := onDisk(t, nil)
	j := open(t, cfg)
	_, _, err := journal.Open(cfg)
	require.ErrorIs(t, err, journal.ErrLocked)
	require.ErrorContains(t, err, filepath.Join(cfg.Dir, "lock"))
	until(t, j, "still mine")
}

func TestAnAppendAfterCloseIsRefused(t *testing.T) {
	j := open(t, onDisk(t, nil))
	require.NoError(t, j.Close())
	_, err := j.Append([]byte("late"))
	require.ErrorIs(t, err, journal.ErrClosed)
	require.ErrorIs(t, err, journal.ErrUnavailable)
	require.ErrorIs(t, j.Watch(t.Context(), 0), journal.ErrClosed)
}

func TestAFileThatIsNoSegmentIsRefused(t *testing.T) {
	cfg := onDisk(t, nil)
	j := open(t, cfg)
	until(t, j, "first")
	require.NoError(t, j.Close())
	require.NoError(t, os.WriteFile(filepath.Join(cfg.Dir, "00000000000000000009.seg"), []byte("foreign"), 0o600))
	_, _, err := journal.Open(cfg)
	require.ErrorIs(t, err, journal.ErrDamaged)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.Remove(filepath.Join(cfg.Dir, "00000000000000000009.seg")))
	open(t, cfg)
}

// stuckLog is a log that hangs, as one on the same device does.
type stuckLog struct{ free chan struct{} }

func (stuckLog) Enabled(context.Context, slog.Level) bool { return true }
func (l stuckLog) Handle(context.Context, slog.Record) error {
	<-l.free
	return nil
}
func (l stuckLog) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l stuckLog) WithGroup(string) slog.Handler      { return l }

func TestALogThatHangsWithTheDeviceHoldsNobodyUp(t *testing.T) {
	d := &journaltest.Disk{}
	cfg := onDisk(t, d)
	log := stuckLog{make(chan struct{})}
	cfg.Patience, cfg.Log = 50*time.Millisecond, slog.New(log)
	j := open(t, cfg)
	free := sync.OnceFunc(func() { close(log.free) })
	t.Cleanup(free)
	d.FailSync(errors.New("input/output error"))
	said := make(chan error)
	go func() {
		_, err := j.Append([]byte("a"))
		said <- errors.Join(err, j.Err())
	}()
	select {
	case err := <-said:
		require.ErrorIs(t, err, journal.ErrUnavailable)
	case <-time.After(10 * time.Second):
		t.Fatal("the append waits for the log")
	}
	d.FailSync(nil)
	free()
	until(t, j, "b")
}
