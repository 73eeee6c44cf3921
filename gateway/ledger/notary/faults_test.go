package notary_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/notary"
)

// blocked puts a directory where a file must be, or a file where a directory must be: whoever runs the test, nothing
// can be written there. It is undone by the function it returns.
func blocked(t *testing.T, path string) (free func()) {
	t.Helper()
	away := filepath.Join(t.TempDir(), "away")
	info, err := os.Stat(path)
	if err == nil {
		require.NoError(t, os.Rename(path, away))
	}
	if err == nil && info.IsDir() {
		require.NoError(t, os.WriteFile(path, nil, 0o600))
	} else {
		require.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o700))
	}
	return func() {
		require.NoError(t, os.RemoveAll(path))
		if err == nil {
			require.NoError(t, os.Rename(away, path))
		}
	}
}

func TestALogThatCannotBeWrittenSaysSoAndGoesOnWhenItCan(t *testing.T) {
	for _, name := range []string{
		"tile", "tile/0", "tile/entries/001.p", ".state/treeState", ".state/treeState.lock", "checkpoint", "../head",
	} {
		t.Run(name, func(t *testing.T) {
			j := newJournal(300)
			cfg := config(t.TempDir(), j)
			n, stop := keep(t, cfg)
			published(t, n, j)
			free := blocked(t, filepath.Join(cfg.Dir, name))
			j.append(100)
			require.Eventually(t, func() bool { return n.Err() != nil }, wait, tick)
			require.EqualValues(t, 300, n.Published())
			require.EqualValues(t, 100, n.Lag())
			free()
			published(t, n, j)
			require.Eventually(t, func() bool { return n.Err() == nil }, wait, tick)
			stop()
			require.True(t, check(t, cfg, j, nil).OK())
		})
	}
}

func TestAJournalThatCannotBeReadForAWhileIsReadLater(t *testing.T) {
	j := newJournal(10)
	n, _ := keep(t, config(t.TempDir(), j))
	published(t, n, j)
	j.fail(errors.New("input/output error"))
	j.append(10)
	require.Eventually(t, func() bool { return n.Err() != nil }, wait, tick)
	j.fail(nil)
	published(t, n, j)
}

func TestATreeThatSomethingElseSetBackIsNotPublished(t *testing.T) {
	j := newJournal(300)
	cfg := config(t.TempDir(), j)
	n, _ := keep(t, cfg)
	published(t, n, j)
	state := filepath.Join(cfg.Dir, ".state", "treeState")
	old, err := os.ReadFile(state)
	require.NoError(t, err)
	j.append(300)
	published(t, n, j)
	newest, err := os.ReadFile(state)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(state, old, 0o600)) // an old copy, under a running notary
	j.append(1)
	require.Eventually(t, func() bool { return n.Err() != nil }, wait, tick)
	require.EqualValues(t, 600, n.Published())
	require.NoError(t, os.WriteFile(state, newest, 0o600))
	published(t, n, j)
}

func TestLeavesThatWereWrittenByABatchThatSeemedToFailAreTaken(t *testing.T) {
	j := newJournal(300)
	cfg := config(t.TempDir(), j)
	n, _ := keep(t, cfg)
	published(t, n, j)
	other := copied(t, cfg)
	ahead := newJournal(900) // of the same records
	other.Source = ahead
	filled(t, other)
	require.NoError(t, os.RemoveAll(filepath.Join(cfg.Dir, "tile")))
	require.NoError(t, os.CopyFS(filepath.Join(cfg.Dir, "tile"), os.DirFS(filepath.Join(other.Dir, "tile"))))
	state, err := os.ReadFile(filepath.Join(other.Dir, ".state", "treeState"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(cfg.Dir, ".state", "treeState"), state, 0o600))
	j.append(700)
	published(t, n, j)
	require.True(t, check(t, cfg, j, nil).OK())
}

func TestLeavesOfAnotherHistoryAreNotTaken(t *testing.T) {
	j := newJournal(300)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	other := copied(t, cfg)
	ahead := newJournal(5_000) // more than Open would look at, and the one that differs comes early
	ahead.rewrite(400)
	other.Source = ahead
	filled(t, other)

	n, err := notary.Open(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close()) }()
	require.NoError(t, os.RemoveAll(filepath.Join(cfg.Dir, "tile")))
	require.NoError(t, os.CopyFS(filepath.Join(cfg.Dir, "tile"), os.DirFS(filepath.Join(other.Dir, "tile"))))
	state, err := os.ReadFile(filepath.Join(other.Dir, ".state", "treeState"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(cfg.Dir, ".state", "treeState"), state, 0o600))
	j.append(5_000)
	ctx, cancel := contextFor(t)
	cancel() // Run adds what there is, once, and ends
	require.ErrorIs(t, n.Run(ctx), notary.ErrDisagrees)
	require.EqualValues(t, 300, n.Published())
}

// spoiled is a journal under which a file of the log changes when a record is read.
type spoiled struct {
	*journal
	at    uint64
	spoil func()
}

func (s *spoiled) Digests(ctx context.Context, from, to uint64) iter.Seq2[[32]byte, error] {
	if from == s.at {
		s.spoil()
	}
	return s.journal.Digests(ctx, from, to)
}

func TestATileThatIsDamagedBeforeItsLeavesArePublishedIsNeverSigned(t *testing.T) {
	j := newJournal(300)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	j.append(300)
	cfg.Batch, cfg.Interval = 100, time.Minute // all batches before one checkpoint
	cfg.Source = &spoiled{journal: j, at: 400, spoil: sync.OnceFunc(func() {
		flip(t, filepath.Join(cfg.Dir, "tile/0/001.p/144"), 32*(350-256), 1) // Tessera builds the next batch upon it
	})}
	n, err := notary.Open(t.Context(), cfg)
	require.NoError(t, err)
	ctx, cancel := contextFor(t)
	cancel()
	require.Error(t, n.Run(ctx))
	require.EqualValues(t, 300, n.Published())
	require.NoError(t, n.Close())
	require.ErrorIs(t, refused(t, cfg), notary.ErrDisagrees)
}

func TestALogThatIsCutOffAtAnyMomentGoesOn(t *testing.T) {
	j := newJournal(1)
	cfg := config(t.TempDir(), j)
	n, stop := keep(t, cfg)
	published(t, n, j) // the state is written before the first tile; the copy is not of one moment
	for range 15 {
		j.append(1 + rand.IntN(600))
		dir := t.TempDir()
		cut(t, filepath.Dir(cfg.Dir), dir)
		mine := config(dir, j)
		require.NoError(t, os.WriteFile(filepath.Join(mine.Dir, "tile", "0", "000123"), nil, 0o600), "a file of a crash")
		require.NoError(t, os.Chmod(mine.KeyFile, 0o600))
		filled(t, mine)
		require.Empty(t, check(t, mine, j, nil).Faults)
		require.NoFileExists(t, filepath.Join(mine.Dir, "tile", "0", "000123"))
	}
	stop()
}

// cut copies a log that is in use, as a crash would leave it: what is written last, the state and the checkpoint, is
// copied first. The tiles are copied twice: a partial one that went meanwhile has a full one in its place, which the
// first list of them may not have had yet.
func cut(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(to, "log", "tile", "0"), 0o700))
	for _, name := range []string{"log.key", "log.pub", "head", "log/.state", "log/checkpoint", "log/tile", "log/tile"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(from, name), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // renamed or removed meanwhile
			}
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			require.NoError(t, err)
			copied := filepath.Join(to, strings.TrimPrefix(path, from))
			require.NoError(t, os.MkdirAll(filepath.Dir(copied), 0o700))
			return os.WriteFile(copied, data, 0o600)
		}))
	}
}
