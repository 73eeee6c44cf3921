package journal

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// written is a closed journal of several segments, the last of them not sealed.
func written(t testing.TB, opens, records int) Config {
	t.Helper()
	cfg := small(t)
	cfg.Disk, cfg.SegmentSize, cfg.tiny = lazyDisk{osDisk{}}, 128<<10, true
	for range opens {
		j, _, err := Open(cfg)
		require.NoError(t, err)
		fill(t, j, records, 5)
		require.NoError(t, j.Close())
	}
	return cfg
}

func segments(t testing.TB, dir string) []string {
	t.Helper()
	paths, err := list([]string{dir})
	require.NoError(t, err)
	return paths
}

func checked(t testing.TB, cfg Config, dirs ...string) *Report {
	t.Helper()
	rep, err := Check(t.Context(), append([]string{cfg.Dir}, dirs...), CheckOptions{Head: cfg.Head}, nil)
	require.NoError(t, err)
	return rep
}

// edit changes bytes of a file and returns a function that puts them back.
func edit(t testing.TB, path string, change func(b []byte) []byte) (undo func()) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, change(slices.Clone(b)), 0o600))
	return func() { require.NoError(t, os.WriteFile(path, b, 0o600)) }
}

// flip changes one byte in place and returns a function that changes it back.
func flip(t testing.TB, path string, off int64, x byte) (undo func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	b := make([]byte, 1)
	_, err = f.ReadAt(b, off)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{b[0] ^ x}, off)
	require.NoError(t, err)
	return func() {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		_, err = f.WriteAt(b, off)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
}

// structures returns where each part begins, a part being what has a checksum of its own: the
// place at which a fault within it is reported.
func structures(t testing.TB, path string) (starts []int64, size int64) {
	t.Helper()
	v, err := inspect(path)
	require.NoError(t, err)
	if v.t == nil {
		require.NoError(t, v.scan(v.h.size, true))
	}
	src, err := openSource(path, false)
	require.NoError(t, err)
	defer src.Close()
	_, end, _, _ := v.ends()
	starts = []int64{0, headerSize}
	w := newWalk(src, path, v.h, end, scanChunk)
	for {
		e, err := w.next()
		if err != nil {
			break
		}
		starts = append(starts, w.begin, w.off-recordHeader-int64(len(e.Payload)), w.off)
	}
	starts = append(starts, end)
	if v.t != nil {
		starts = append(starts, v.size-trailerSize)
	}
	return starts, v.size
}

func TestEachOfAThousandEditsIsFoundAtItsPlace(t *testing.T) {
	cfg := written(t, 3, 100)
	require.Empty(t, checked(t, cfg).Faults)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, path := range segments(t, cfg.Dir) {
		starts, size := structures(t, path)
		for range 334 {
			off := rng.Int64N(size)
			if rng.IntN(3) > 0 { // most bytes of a segment that is not sealed are blank
				off = rng.Int64N(min(size, starts[len(starts)-1]+512))
			}
			x := byte(1) << rng.IntN(8)
			if rng.IntN(2) == 0 {
				x = byte(1 + rng.IntN(255))
			}
			undo := flip(t, path, off, x)
			rep := checked(t, cfg)
			require.Len(t, rep.Faults, 1, "%s at %d ^ %#x", path, off, x)
			d := rep.Faults[0]
			require.Equal(t, path, d.File)
			i, exact := slices.BinarySearch(starts, off)
			if !exact {
				i--
			}
			require.True(t, d.Offset == off || d.Offset == starts[i] || d.Offset > starts[i] && d.Offset <= off,
				"edited %s at %d, in what begins at %d, reported %v", path, off, starts[i], d)
			undo()
		}
	}
	require.Empty(t, checked(t, cfg).Faults)
}

func TestWhatWasTakenOutOrExchangedIsRefusedAndPlaced(t *testing.T) {
	cfg := written(t, 4, 300)
	paths := segments(t, cfg.Dir)
	require.Len(t, paths, 4)
	for name, c := range map[string]struct {
		change func(t *testing.T) func()
		file   string
	}{
		"first segment deleted":  {func(t *testing.T) func() { return away(t, paths[0]) }, paths[1]},
		"middle segment deleted": {func(t *testing.T) func() { return away(t, paths[1]) }, paths[2]},
		"last segment deleted":   {func(t *testing.T) func() { return away(t, paths[3]) }, paths[2]},
		"two segments swapped":   {func(t *testing.T) func() { return swap(t, paths[1], paths[2]) }, paths[1]},
		"two records swapped":    {func(t *testing.T) func() { return swapRecords(t, paths[1]) }, paths[1]},
		"two batches swapped":    {func(t *testing.T) func() { return swapBatches(t, paths[3]) }, paths[3]},
		"sealed segment cut": {func(t *testing.T) func() {
			return edit(t, paths[1], func(b []byte) []byte { return b[:len(b)-200] })
		}, paths[1]},
		"open segment cut": {func(t *testing.T) func() {
			return edit(t, paths[3], func(b []byte) []byte { return b[:len(b)/2] })
		}, paths[3]},
		"batch header blanked": {func(t *testing.T) func() { return blankBatch(t, paths[3], batchHeader) }, paths[3]},
		"batch blanked":        {func(t *testing.T) func() { return blankBatch(t, paths[3], 0) }, paths[3]},
		"header gone": {func(t *testing.T) func() {
			return edit(t, paths[2], func(b []byte) []byte { return append(make([]byte, headerSize), b[headerSize:]...) })
		}, paths[2]},
	} {
		t.Run(name, func(t *testing.T) {
			undo := c.change(t)
			rep := checked(t, cfg)
			require.True(t, slices.ContainsFunc(rep.Faults, func(d *Damage) bool { return d.File == c.file }), "%v", rep.Faults)
			if name == "two records swapped" {
				require.Contains(t, rep.Faults[0].What, "checksum of the record", "the record itself is named")
			} else { // Open trusts the trailer of a sealed segment
				_, _, err := Open(cfg)
				require.ErrorIs(t, err, ErrDamaged)
				require.ErrorContains(t, err, c.file)
			}
			undo()
			require.Empty(t, checked(t, cfg).Faults)
		})
	}
}

// TestARecordRewrittenWithRightChecksumsBreaksTheChain is what checksums alone would not notice.
func TestARecordRewrittenWithRightChecksumsBreaksTheChain(t *testing.T) {
	cfg := written(t, 1, 40)
	path := segments(t, cfg.Dir)[0]
	undo := edit(t, path, func(b []byte) []byte {
		r := b[headerSize+batchHeader:]
		n := int(binary.BigEndian.Uint32(r))
		salt := Salt(r[8:recordHeader])
		r[recordHeader] ^= 1
		binary.BigEndian.PutUint32(r[4:], recordSum(checksum(0, r[recordHeader:recordHeader+n]), &salt, uint32(n), 0))
		return b
	})
	rep, err := Check(t.Context(), []string{cfg.Dir}, CheckOptions{}, nil)
	require.NoError(t, err)
	require.Len(t, rep.Faults, 1)
	require.Contains(t, rep.Faults[0].What, "chain")
	_, _, err = Open(cfg)
	require.ErrorIs(t, err, ErrDamaged)
	undo()
}

func away(t *testing.T, path string) func() {
	require.NoError(t, os.Rename(path, path+".away"))
	return func() { require.NoError(t, os.Rename(path+".away", path)) }
}

func swap(t *testing.T, a, b string) func() {
	temp := filepath.Join(t.TempDir(), "temp")
	require.NoError(t, os.Rename(a, temp))
	require.NoError(t, os.Rename(b, a))
	require.NoError(t, os.Rename(temp, b))
	return func() {
		require.NoError(t, os.Rename(b, temp))
		require.NoError(t, os.Rename(a, b))
		require.NoError(t, os.Rename(temp, a))
	}
}

// swapRecords exchanges the first two records of a batch that has two of one length, checksums and all.
func swapRecords(t *testing.T, path string) func() {
	return edit(t, path, func(b []byte) []byte {
		v, err := inspect(path)
		require.NoError(t, err)
		src, err := openSource(path, false)
		require.NoError(t, err)
		defer src.Close()
		w := newWalk(src, path, v.h, v.t.end, scanChunk)
		var before Entry
		for {
			e, err := w.next()
			require.NoError(t, err)
			n := recordHeader + int64(len(e.Payload))
			if len(e.Payload) == len(before.Payload) && w.left+1 < w.batch.count {
				first := slices.Clone(b[w.off-2*n : w.off-n])
				copy(b[w.off-2*n:], b[w.off-n:w.off])
				copy(b[w.off-n:], first)
				return b
			}
			before.Payload = slices.Clone(e.Payload)
		}
	})
}

// blankBatch makes the second batch zeros, or so many bytes of it.
func blankBatch(t *testing.T, path string, n int) func() {
	return edit(t, path, func(b []byte) []byte {
		v, err := inspect(path)
		require.NoError(t, err)
		first, ok := getBatchHead(b[headerSize:], v.h.seed())
		require.True(t, ok)
		off := headerSize + int(first.length)
		second, ok := getBatchHead(b[off:], v.h.seed())
		require.True(t, ok)
		if n == 0 {
			n = int(second.length)
		}
		copy(b[off:], make([]byte, n))
		return b
	})
}

// swapBatches exchanges two batches of one length.
func swapBatches(t *testing.T, path string) func() {
	return edit(t, path, func(b []byte) []byte {
		v, err := inspect(path)
		require.NoError(t, err)
		seen := map[uint32]int{}
		for off := headerSize; ; {
			h, ok := getBatchHead(b[off:], v.h.seed())
			require.True(t, ok, "no two batches of one length")
			if other, twice := seen[h.length]; twice {
				first := slices.Clone(b[other : other+int(h.length)])
				copy(b[other:], b[off:off+int(h.length)])
				copy(b[off:], first)
				return b
			}
			seen[h.length] = off
			off += int(h.length)
		}
	})
}
