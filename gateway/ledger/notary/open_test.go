package notary_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/notary"
)

// refused opens a log that must not open.
func refused(t *testing.T, cfg notary.Config) error {
	t.Helper()
	n, err := notary.Open(t.Context(), cfg)
	if err == nil {
		require.NoError(t, n.Close())
	}
	require.Error(t, err)
	return err
}

func TestAJournalShorterThanItsLogIsRefused(t *testing.T) {
	j := newJournal(300)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	j.digests = j.digests[:299]
	require.ErrorIs(t, refused(t, cfg), notary.ErrShortJournal)
}

func TestAJournalThatSaysSomethingElseIsRefused(t *testing.T) {
	j := newJournal(2000)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	j.rewrite(1500)
	require.ErrorIs(t, refused(t, cfg), notary.ErrDisagrees)
}

func TestALogOlderThanItsHeadIsBuiltUpToItAgain(t *testing.T) {
	j, dir := newJournal(500), t.TempDir()
	cfg := config(dir, j)
	filled(t, cfg)
	yesterday := filepath.Join(dir, "yesterday")
	require.NoError(t, os.CopyFS(yesterday, os.DirFS(cfg.Dir)))
	j.append(300)
	filled(t, cfg)
	head, err := os.ReadFile(cfg.HeadFile)
	require.NoError(t, err)

	cfg.Dir = yesterday
	n, err := notary.Open(t.Context(), cfg)
	require.NoError(t, err)
	require.Zero(t, n.Published(), "what it has is less than what was published")
	_, err = n.Prove(t.Context(), 0)
	require.ErrorIs(t, err, notary.ErrNotYet)
	require.NoError(t, n.Close())

	n, _ = keep(t, cfg)
	published(t, n, j)
	cp, err := n.Checkpoint(t.Context())
	require.NoError(t, err)
	require.Equal(t, string(head), string(cp), "the same leaves have the same root")
}

func TestALogThatWasMovedAwayIsBuiltAgainFromTheJournal(t *testing.T) {
	j := newJournal(700)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	require.NoError(t, os.RemoveAll(filepath.Join(cfg.Dir, "tile")))
	require.ErrorContains(t, refused(t, cfg), "tile")
	require.NoError(t, os.RemoveAll(filepath.Join(cfg.Dir, ".state")))
	n, _ := keep(t, cfg)
	j.append(1)
	published(t, n, j)
	require.True(t, check(t, cfg, j, nil).OK())
}

func TestAnotherHistoryIsNeverSignedOnceOneWasPublished(t *testing.T) {
	j := newJournal(700)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	require.NoError(t, os.RemoveAll(cfg.Dir)) // only the head is left
	j.rewrite(3)
	j.append(100)
	n, err := notary.Open(t.Context(), cfg)
	require.NoError(t, err)
	ctx, cancel := contextFor(t)
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	require.Eventually(t, func() bool { return n.Err() != nil }, wait, tick)
	require.Zero(t, n.Published())
	cancel()
	require.Error(t, <-done)
	require.NoError(t, n.Close())
}

func TestALongerHistoryThatIsNotTheHeadsGrownIsRefused(t *testing.T) {
	j := newJournal(700)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	for _, more := range []int{0, 100} {
		forged := newJournal(700 + more)
		forged.rewrite(3)
		mine := copied(t, cfg) // with the log's own key
		head := mine.HeadFile
		mine.Source, mine.HeadFile = forged, ""
		require.NoError(t, os.RemoveAll(mine.Dir))
		filled(t, mine)
		mine.HeadFile = head
		var fault *notary.Fault
		require.ErrorAs(t, refused(t, mine), &fault)
		require.Equal(t, head, fault.File)
	}
}

func TestEveryLeafThatWasNotPublishedIsComparedWithTheJournal(t *testing.T) {
	j := newJournal(300)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	other, forged := copied(t, cfg), newJournal(5_000)
	forged.rewrite(400)
	other.Source = forged
	filled(t, other)
	for _, name := range []string{"tile", ".state"} {
		require.NoError(t, os.RemoveAll(filepath.Join(cfg.Dir, name)))
		require.NoError(t, os.CopyFS(filepath.Join(cfg.Dir, name), os.DirFS(filepath.Join(other.Dir, name))))
	}
	j.append(5_000)
	require.ErrorIs(t, refused(t, cfg), notary.ErrDisagrees)
}

func TestAnotherKeyIsRefused(t *testing.T) {
	j := newJournal(3)
	cfg, other := config(t.TempDir(), j), config(t.TempDir(), j)
	filled(t, cfg)
	filled(t, other)
	stolen, err := os.ReadFile(other.KeyFile)
	require.NoError(t, err)

	t.Run("beside the public key", func(t *testing.T) {
		mine := copied(t, cfg)
		require.NoError(t, os.WriteFile(mine.KeyFile, stolen, 0o600))
		require.ErrorIs(t, refused(t, mine), notary.ErrKey)
	})
	t.Run("beside the checkpoint", func(t *testing.T) {
		mine := copied(t, cfg)
		require.NoError(t, os.WriteFile(mine.KeyFile, stolen, 0o600))
		require.NoError(t, os.Remove(mine.PublicFile))
		require.ErrorIs(t, refused(t, mine), notary.ErrKey)
	})
	t.Run("made because the old one is gone", func(t *testing.T) {
		mine := copied(t, cfg)
		require.NoError(t, os.Remove(mine.KeyFile))
		require.ErrorIs(t, refused(t, mine), notary.ErrKey)
	})
	t.Run("of another log", func(t *testing.T) {
		mine := copied(t, cfg)
		mine.Origin = "lienthong/G01/gateway"
		require.ErrorIs(t, refused(t, mine), notary.ErrKey)
	})
	t.Run("that is none", func(t *testing.T) {
		mine := copied(t, cfg)
		require.NoError(t, os.WriteFile(mine.KeyFile, []byte("PRIVATE+KEY"), 0o600))
		require.ErrorIs(t, refused(t, mine), notary.ErrKey)
	})
}

// copied is a copy of a whole log, keys included.
func copied(t *testing.T, cfg notary.Config) notary.Config {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Dir(cfg.Dir))))
	mine := config(dir, cfg.Source.(*journal))
	require.NoError(t, os.Chmod(mine.KeyFile, 0o600))
	return mine
}

func TestDamageWhereOpenLooksIsRefusedWithTheFile(t *testing.T) {
	j := newJournal(700)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	for _, path := range append(files(t, cfg.Dir), cfg.HeadFile) {
		flip(t, path, 30%fileSize(t, path), 4)
		n, err := notary.Open(t.Context(), cfg)
		require.Error(t, err, path)
		require.Nil(t, n)
		flip(t, path, 30%fileSize(t, path), 4)
		var fault *notary.Fault
		require.ErrorAs(t, err, &fault, path)
	}
}

func fileSize(t *testing.T, path string) int {
	info, err := os.Stat(path)
	require.NoError(t, err)
	return int(info.Size())
}

func TestAHalfMadeLogIsFinished(t *testing.T) {
	j := newJournal(3)
	cfg := config(t.TempDir(), j)
	n, err := notary.Open(t.Context(), cfg) // a log with its first checkpoint, and no tree yet
	require.NoError(t, err)
	require.NoError(t, n.Close())
	n, _ = keep(t, cfg)
	published(t, n, j)
}

func TestAnOldStateBesideNewTilesIsBuiltUpAgain(t *testing.T) {
	for _, sizes := range [][2]int{{255, 256}, {100, 700}, {700, 800}, {65_535, 65_537}} {
		j := newJournal(sizes[0])
		cfg := config(t.TempDir(), j)
		filled(t, cfg)
		state := filepath.Join(cfg.Dir, ".state", "treeState")
		old, err := os.ReadFile(state)
		require.NoError(t, err)
		j.append(sizes[1] - sizes[0])
		filled(t, cfg)
		require.NoError(t, os.WriteFile(state, old, 0o600))
		j.append(300)
		filled(t, cfg)
		require.Empty(t, check(t, cfg, j, nil).Faults)
	}
}
