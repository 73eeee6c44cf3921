package journal

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// archived is a closed journal of five segments, of which three are in an archive.
func archived(t testing.TB) (cfg Config, to string, kept map[uint64]string) {
	t.Helper()
	cfg = written(t, 5, 100)
	to = filepath.Join(t.TempDir(), "archive")
	r, err := OpenReader(cfg.Dir)
	require.NoError(t, err)
	kept = read(t, r)
	m, err := Archive(t.Context(), cfg.Dir, to, Limit{}, "a test")
	require.NoError(t, err)
	require.Equal(t, 3, m.Segments)
	require.EqualValues(t, 300, m.Entries)
	require.Less(t, m.After, m.Before)
	return cfg, to, kept
}

func TestArchivedSegmentsAreReadAsBefore(t *testing.T) {
	cfg, to, kept := archived(t)
	require.Len(t, segments(t, cfg.Dir), 2)
	r, err := OpenReader(cfg.Dir, to)
	require.NoError(t, err)
	require.Equal(t, kept, read(t, r))
	for _, seq := range []uint64{0, 99, 100, 250, 299, 300, 499} {
		e, err := r.Get(t.Context(), seq)
		require.NoError(t, err)
		require.Equal(t, kept[seq], string(e.Payload))
	}
	require.Empty(t, checked(t, cfg, to).Faults)
	require.Empty(t, checked(t, cfg).Faults)

	alone, err := OpenReader(cfg.Dir)
	require.NoError(t, err)
	first, next := alone.Bounds()
	require.EqualValues(t, 300, first)
	require.EqualValues(t, 500, next)
	_, err = alone.Get(t.Context(), 299)
	require.ErrorIs(t, err, ErrGone)
	onlyArchive, err := OpenReader(to)
	require.NoError(t, err)
	require.Len(t, read(t, onlyArchive), 300)

	j, rec := open(t, cfg)
	require.EqualValues(t, 500, rec.Next)
	require.EqualValues(t, 300, rec.First)
	require.Equal(t, kept, read(t, j.ReaderWith(to)))
}

func TestAnArchivedSegmentIsAnOrdinaryZstdFile(t *testing.T) {
	cfg := written(t, 3, 100)
	path := segments(t, cfg.Dir)[0]
	plain, err := os.ReadFile(path)
	require.NoError(t, err)
	to := t.TempDir()
	_, err = Archive(t.Context(), cfg.Dir, to, Limit{}, "a test")
	require.NoError(t, err)
	f, err := os.Open(filepath.Join(to, filepath.Base(path)+".zst"))
	require.NoError(t, err)
	defer f.Close()
	d, err := zstd.NewReader(f)
	require.NoError(t, err)
	defer d.Close()
	var got bytes.Buffer
	_, err = got.ReadFrom(d)
	require.NoError(t, err)
	require.Equal(t, plain, got.Bytes())
}

func TestOnlyWhatIsWithinTheLimitIsArchived(t *testing.T) {
	cfg := written(t, 5, 100)
	to := t.TempDir()
	m, err := Archive(t.Context(), cfg.Dir, to, Limit{Time: time.Now().Add(-time.Hour)}, "a test")
	require.NoError(t, err)
	require.Zero(t, m.Segments)
	m, err = Archive(t.Context(), cfg.Dir, to, Limit{Seq: 250}, "a test")
	require.NoError(t, err)
	require.Equal(t, 2, m.Segments)
	m, err = Archive(t.Context(), cfg.Dir, to, Limit{}, "a test")
	require.NoError(t, err)
	require.Equal(t, 1, m.Segments)
	require.Len(t, segments(t, to), 3)
}

func TestADamagedSegmentIsNotArchived(t *testing.T) {
	cfg := written(t, 3, 100)
	path := segments(t, cfg.Dir)[0]
	flip(t, path, 5000, 4)
	_, err := Archive(t.Context(), cfg.Dir, t.TempDir(), Limit{}, "a test")
	require.ErrorIs(t, err, ErrDamaged)
	require.FileExists(t, path)
}

func TestAReaderFollowsSegmentsIntoTheArchive(t *testing.T) {
	cfg := written(t, 5, 100)
	to := t.TempDir()
	r, err := OpenReader(cfg.Dir, to)
	require.NoError(t, err)
	n := 0
	for e, err := range r.Scan(t.Context(), 0, 500) {
		require.NoError(t, err)
		require.EqualValues(t, n, e.Seq)
		if n++; n == 50 {
			_, err := Archive(t.Context(), cfg.Dir, to, Limit{}, "a test")
			require.NoError(t, err)
		}
	}
	require.Equal(t, 500, n)
}

func TestEditsOfAnArchiveAreFound(t *testing.T) {
	cfg, to, _ := archived(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, path := range segments(t, to) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		for range 40 {
			off := rng.Int64N(info.Size())
			undo := flip(t, path, off, byte(1)<<rng.IntN(8))
			rep := checked(t, cfg, to)
			require.NotEmpty(t, rep.Faults, "%s at %d", path, off)
			require.Equal(t, path, rep.Faults[0].File)
			undo()
		}
	}
	require.Empty(t, checked(t, cfg, to).Faults)
}

func TestAnArchiveThatLostSegmentsIsNotTakenForAWholeOne(t *testing.T) {
	cfg, to, _ := archived(t)
	for _, path := range segments(t, to) {
		undo := away(t, path)
		require.NotEmpty(t, checked(t, cfg, to).Faults, "without %s", path)
		_, err := OpenReader(cfg.Dir, to)
		require.ErrorIs(t, err, ErrDamaged)
		undo()
	}
	_, err := OpenReader(cfg.Dir, t.TempDir())
	require.ErrorIs(t, err, ErrDamaged, "the archive is not there at all")
}

func TestNothingYoungerThanTwoYearsIsRemoved(t *testing.T) {
	cfg, to, kept := archived(t)
	_, err := Remove(t.Context(), to, time.Now().Add(-Keep+time.Hour), "a test")
	require.ErrorIs(t, err, ErrTooYoung)
	m, err := Remove(t.Context(), to, time.Now().Add(-Keep-time.Hour), "a test")
	require.NoError(t, err)
	require.Zero(t, m.Segments)

	later := time.Now().Add(Keep + time.Hour)
	m, err = removeAt(t.Context(), to, time.Now().Add(time.Minute), "Nguyễn Văn A", later)
	require.NoError(t, err)
	require.Equal(t, 2, m.Segments, "the archive's last segment stays")
	require.Empty(t, checked(t, cfg, to).Faults)
	r, err := OpenReader(cfg.Dir, to)
	require.NoError(t, err)
	first, _ := r.Bounds()
	require.EqualValues(t, 200, first)
	for seq := range uint64(200) {
		delete(kept, seq)
	}
	require.Equal(t, kept, read(t, r))
	b, err := os.ReadFile(filepath.Join(to, markerName))
	require.NoError(t, err)
	require.True(t, strings.Contains(string(b), "Nguyễn Văn A"), string(b))

	for off := range b {
		undo := flip(t, filepath.Join(to, markerName), int64(off), 1)
		require.NotEmpty(t, checked(t, cfg, to).Faults)
		undo()
	}
	away(t, segments(t, to)[0])
	require.NotEmpty(t, checked(t, cfg, to).Faults)
}
