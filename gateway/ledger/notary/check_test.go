package notary_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/ledger/notary"
)

func verifier(t testing.TB, cfg notary.Config) note.Verifier {
	t.Helper()
	data, err := os.ReadFile(cfg.PublicFile)
	require.NoError(t, err)
	key, err := note.NewVerifier(strings.TrimSpace(string(data)))
	require.NoError(t, err)
	return key
}

func check(t testing.TB, cfg notary.Config, j *journal, since []byte) *notary.Report {
	t.Helper()
	report, err := notary.Check(t.Context(), notary.CheckConfig{
		Dir: cfg.Dir, Key: verifier(t, cfg), Digests: j.Digests(t.Context(), 0, j.Durable()), Since: since,
	})
	require.NoError(t, err)
	return report
}

func TestAHealthyLogPassesTheCheckAtEverySize(t *testing.T) {
	j := newJournal(0)
	cfg := config(t.TempDir(), j)
	n, _ := keep(t, cfg)
	var since [][]byte
	for _, more := range []int{0, 1, 255, 1, 511, 1000} {
		j.append(more)
		published(t, n, j)
		cp, err := n.Checkpoint(t.Context())
		require.NoError(t, err)
		since = append(since, cp)
		for _, older := range since {
			report := check(t, cfg, j, older)
			require.Empty(t, report.Faults)
			require.Equal(t, j.Durable(), report.Published)
		}
	}
}

func TestAFlippedBitIsFoundWithItsFileAndItsLeaf(t *testing.T) {
	small, large := newJournal(700), newJournal(65_536+700) // large: a full tile of the second level, and three levels
	short, tall := config(t.TempDir(), small), config(t.TempDir(), large)
	filled(t, short)
	filled(t, tall)
	for _, c := range []struct {
		file string
		at   int
		leaf int64
	}{
		{"tile/entries/000", 0, 0},                   // the length of an entry
		{"tile/entries/001", 34*3 + 20, 256 + 3},     // an entry
		{"tile/entries/002.p/188", 34*187 + 33, 699}, // the last one
		{"tile/0/001", 32 * 255, 256 + 255},
		{"tile/0/002.p/188", 0, 2 * 256},
		{"tile/1/000", 32*7 + 1, 7 * 256},
		{"tile/1/001.p/2", 32, 257 * 256},
		{"tile/2/000.p/1", 31, 0},
		{"checkpoint", 0, -1},
		{"checkpoint", 40, -1},
		{"checkpoint", -3, -1},
		{".state/treeState", 9, -1},
		{".state/treeState", -6, -1},
		{".state/version", 0, -1},
	} {
		t.Run(fmt.Sprint(c.file, c.at), func(t *testing.T) {
			j, cfg := small, short
			if strings.HasPrefix(c.file, "tile/1") || strings.HasPrefix(c.file, "tile/2") {
				j, cfg = large, tall
			}
			path := filepath.Join(cfg.Dir, c.file)
			flip(t, path, c.at, 1)
			defer flip(t, path, c.at, 1)
			report := check(t, cfg, j, nil)
			require.NotEmpty(t, report.Faults)
			require.Equal(t, c.file, report.Faults[0].File)
			require.Equal(t, c.leaf, report.Faults[0].Leaf)
		})
	}
	require.True(t, check(t, short, small, nil).OK())
	require.True(t, check(t, tall, large, nil).OK())
}

func flip(t testing.TB, path string, at int, mask byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	if at < 0 {
		at += len(data)
	}
	data[at] ^= mask
	require.NoError(t, os.WriteFile(path, data, 0o644))
}

// files are those that a log is made of; locks are empty.
func files(t testing.TB, dir string) []string {
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".lock") {
			names = append(names, path)
		}
		return err
	}))
	slices.Sort(names)
	return names
}

func TestAnyEditOfAnyFileIsFound(t *testing.T) {
	j := newJournal(700)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	names := files(t, cfg.Dir)
	rapid.Check(t, func(r *rapid.T) {
		path := rapid.SampledFrom(names).Draw(r, "file")
		old, err := os.ReadFile(path)
		require.NoError(r, err)
		edited := edit(r, old)
		if bytes.Equal(old, edited) {
			return
		}
		require.NoError(r, os.WriteFile(path, edited, 0o644))
		defer func() { require.NoError(r, os.WriteFile(path, old, 0o644)) }()
		report := check(t, cfg, j, nil)
		require.NotEmpty(r, report.Faults)
		name, err := filepath.Rel(cfg.Dir, path)
		require.NoError(r, err)
		require.Equal(r, name, report.Faults[0].File)
	})
}

// edit changes, cuts, lengthens or swaps.
func edit(r *rapid.T, data []byte) []byte {
	out := bytes.Clone(data)
	at := rapid.IntRange(0, len(data)-1).Draw(r, "at")
	switch rapid.SampledFrom([]string{"flip", "set", "cut", "grow", "swap"}).Draw(r, "edit") {
	case "flip":
		out[at] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
	case "set":
		out[at] = rapid.Byte().Draw(r, "byte")
	case "cut":
		out = out[:at]
	case "grow":
		out = append(out, rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(r, "more")...)
	case "swap":
		other := rapid.IntRange(0, len(data)-1).Draw(r, "other")
		out[at], out[other] = out[other], out[at]
	}
	return out
}

func TestAMissingFileIsFound(t *testing.T) {
	j := newJournal(700)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	for _, path := range files(t, cfg.Dir) {
		require.NoError(t, os.Rename(path, cfg.KeyFile+".away"))
		report := check(t, cfg, j, nil)
		require.NoError(t, os.Rename(cfg.KeyFile+".away", path))
		name, err := filepath.Rel(cfg.Dir, path)
		require.NoError(t, err)
		require.NotEmpty(t, report.Faults, name)
		require.Equal(t, name, report.Faults[0].File)
	}
}

func TestAChangedJournalIsFoundWithItsRecord(t *testing.T) {
	j := newJournal(700)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	j.rewrite(300)
	report := check(t, cfg, j, nil)
	require.Len(t, report.Faults, 1)
	require.EqualValues(t, 300, report.Faults[0].Leaf)
	require.Contains(t, report.Faults[0].What, "journal was changed")
}

func TestAShortJournalIsFound(t *testing.T) {
	j := newJournal(700)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	j.digests = j.digests[:650]
	report := check(t, cfg, j, nil)
	require.Len(t, report.Faults, 1)
	require.EqualValues(t, 650, report.Faults[0].Leaf)
}

func TestARewrittenLogIsFoundWithAnOlderCheckpoint(t *testing.T) {
	j, dir := newJournal(500), t.TempDir()
	cfg := config(dir, j)
	filled(t, cfg)
	older, err := os.ReadFile(filepath.Join(cfg.Dir, "checkpoint"))
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(cfg.Dir)) // whoever has the key and the disk makes another history
	require.NoError(t, os.RemoveAll(cfg.HeadFile))
	require.NoError(t, os.RemoveAll(cfg.PublicFile))
	j.rewrite(100)
	j.append(100)
	filled(t, cfg)
	require.True(t, check(t, cfg, j, nil).OK())
	report := check(t, cfg, j, older)
	require.Len(t, report.Faults, 1)
	require.Contains(t, report.Faults[0].What, "rewritten")
}

func TestALogThatShrankIsFoundWithAnOlderCheckpoint(t *testing.T) {
	j, dir := newJournal(500), t.TempDir()
	cfg := config(dir, j)
	filled(t, cfg)
	yesterday := filepath.Join(dir, "yesterday")
	require.NoError(t, os.CopyFS(yesterday, os.DirFS(cfg.Dir)))
	j.append(100)
	filled(t, cfg)
	older, err := os.ReadFile(filepath.Join(cfg.Dir, "checkpoint"))
	require.NoError(t, err)
	cfg.Dir = yesterday
	report := check(t, cfg, j, older)
	require.Len(t, report.Faults, 1)
	require.Contains(t, report.Faults[0].What, "shrank")
}

func TestAnOlderPartialBundleIsCheckedToo(t *testing.T) {
	j := newJournal(100)
	cfg := config(t.TempDir(), j)
	filled(t, cfg)
	j.append(50)
	filled(t, cfg)
	for _, name := range []string{"tile/0/000.p/100", "tile/entries/000.p/100"} {
		path := filepath.Join(cfg.Dir, name)
		flip(t, path, fileSize(t, path)/2, 1)
		report := check(t, cfg, j, nil)
		require.Len(t, report.Faults, 1, name)
		require.Equal(t, name, report.Faults[0].File)
		flip(t, path, fileSize(t, path)/2, 1)
	}
}
