package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// crashed is a journal that ended after the write of its last batch. The batch stands at off in the newest segment.
type crashed struct {
	cfg   Config
	path  string
	off   int64
	batch []byte
	count uint32
	kept  uint64 // entries before that batch
	file  []byte // the newest segment as it was before it
	head  []byte
}

func crash(t testing.TB, records int, payloads ...[]byte) *crashed {
	t.Helper()
	c := &crashed{cfg: small(t), count: uint32(len(payloads))}
	c.cfg.Disk, c.cfg.SegmentSize, c.cfg.tiny = lazyDisk{osDisk{}}, 16<<10, true
	j, _, err := Open(c.cfg)
	require.NoError(t, err)
	fill(t, j, records, 1)
	require.NoError(t, j.Close())
	paths := segments(t, c.cfg.Dir)
	c.path = paths[len(paths)-1]
	v, err := inspect(c.path)
	require.NoError(t, err)
	require.NoError(t, v.scan(v.h.size, true))
	var prev Digest
	c.kept, c.off, _, prev = v.ends()
	b := &batch{}
	b.begin(c.kept, prev)
	for i, p := range payloads {
		r := stored{form: uint32(len(p)), sum: checksum(0, p), payload: p, salt: Salt{byte(i + 1), 3: 7, 9: 9, 15: 1}}
		if blank(p) {
			r.form |= masked
			r.payload, err = mask(nil, p, &r.salt)
			require.NoError(t, err)
		}
		b.add(&r, c.kept+uint64(i), prev)
		prev = Sum(r.salt, c.kept+uint64(i), prev, p)
	}
	c.batch = bytes.Clone(b.finish(v.h.seed(), 1<<45))
	c.file, err = os.ReadFile(c.path)
	require.NoError(t, err)
	c.head, err = os.ReadFile(c.cfg.Head)
	require.NoError(t, err)
	return c
}

// leave lets the disk hold this in place of the last batch, and nothing of what an Open before did.
func (c *crashed) leave(t require.TestingT, batch []byte) {
	paths, err := filepath.Glob(filepath.Join(c.cfg.Dir, "*"))
	require.NoError(t, err)
	for _, p := range paths {
		require.NoError(t, os.Remove(p))
	}
	b := bytes.Clone(c.file)
	copy(b[c.off:], batch)
	require.NoError(t, os.WriteFile(c.path, b, 0o600))
	require.NoError(t, os.WriteFile(c.cfg.Head, c.head, 0o600))
}

// payloads have long runs of zeros and of 0xFF, which must not be taken for what was never written or for filler.
func payloads() [][]byte {
	return [][]byte{make([]byte, 130), bytes.Repeat([]byte{0xFF}, 40), append(make([]byte, 15), 1), {0}}
}

func TestABatchTornAtAnyByteIsCutWholeOrKeptWhole(t *testing.T) {
	c := crash(t, 10, payloads()...)
	for n := range len(c.batch) + 1 {
		c.leave(t, c.batch[:n])
		j, rec, err := Open(c.cfg)
		require.NoError(t, err, "torn behind byte %d of %d", n, len(c.batch))
		switch {
		case n == 0:
			require.Nil(t, rec.Cut)
			require.Equal(t, c.kept, rec.Next)
		case rec.Cut != nil:
			require.Equal(t, Cut{c.path, c.off, int64(len(bytes.TrimRight(c.batch[:n], "\x00"))), c.kept, rec.Cut.Records}, *rec.Cut)
			require.Equal(t, c.kept+rec.Void, rec.Next)
			require.Less(t, n, len(c.batch)-guard, "all records were there")
		default:
			require.GreaterOrEqual(t, n, len(c.batch)-guard-line)
			require.Equal(t, c.kept+uint64(c.count), rec.Next)
		}
		require.NoError(t, j.Close())
		require.Empty(t, checked(t, c.cfg).Faults)
	}
}

func TestABatchOfWhichAnyLinesAreMissingIsCut(t *testing.T) {
	c := crash(t, 3, payloads()...)
	full := len(c.batch) - guard - line // what is behind may only be filler
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(c.batch)
		lost := rapid.SliceOfNDistinct(rapid.IntRange(0, full/line-1), 1, full/line, rapid.ID).Draw(t, "lines")
		for _, l := range lost {
			copy(b[l*line:], make([]byte, line))
		}
		c.leave(t, b)
		j, rec, err := Open(c.cfg)
		require.NoError(t, err)
		defer j.Close()
		require.Equal(t, c.kept+rec.Void, rec.Next)
		if len(lost) < full/line {
			require.NotNil(t, rec.Cut)
		}
		require.Contains(t, []uint64{0, uint64(c.count)}, rec.Void)
	})
}

func TestADamagedLastBatchIsNoTornOne(t *testing.T) {
	c := crash(t, 3, payloads()...)
	for off := range c.batch {
		b := bytes.Clone(c.batch)
		b[off] ^= byte(1 << (off % 8))
		c.leave(t, b)
		_, _, err := Open(c.cfg)
		var d *Damage
		require.ErrorAs(t, err, &d, "byte %d of %d", off, len(b))
		require.Equal(t, c.path, d.File)
		require.GreaterOrEqual(t, d.Offset, c.off)
		require.LessOrEqual(t, d.Offset, c.off+int64(off))
	}
}

func TestACompleteLastBatchIsKeptAndWrittenOnceMore(t *testing.T) {
	c := crash(t, 3, payloads()...)
	c.leave(t, c.batch)
	j, rec := open(t, c.cfg)
	require.Nil(t, rec.Cut)
	require.Equal(t, c.kept+uint64(c.count), rec.Next)
	for i, p := range payloads() {
		e, err := j.Reader().Get(t.Context(), c.kept+uint64(i))
		require.NoError(t, err)
		require.Equal(t, p, e.Payload)
	}
}

func TestNumbersOfACutBatchBecomeVoid(t *testing.T) {
	c := crash(t, 3, payloads()...)
	c.leave(t, c.batch[:len(c.batch)/2])
	j, rec := open(t, c.cfg)
	require.EqualValues(t, c.count, rec.Void)
	seq, err := j.Append([]byte("next"))
	require.NoError(t, err)
	require.Equal(t, c.kept+uint64(c.count), seq)
	e, err := j.Reader().Get(t.Context(), c.kept+2)
	require.NoError(t, err)
	require.True(t, e.Void)
	require.Len(t, read(t, j.Reader()), 4)
	require.NoError(t, j.Close())
	rep := checked(t, c.cfg)
	require.Empty(t, rep.Faults)
	require.EqualValues(t, c.count, rep.Voids)
	open(t, c.cfg)
}

func TestACrashWhileItRecoversChangesNothing(t *testing.T) {
	c := crash(t, 3, payloads()...)
	c.leave(t, c.batch[:len(c.batch)/2])
	torn, err := os.ReadFile(c.path)
	require.NoError(t, err)
	j, _, err := Open(c.cfg)
	require.NoError(t, err)
	require.NoError(t, j.Close())
	// Its successor is durable, but the torn segment was not yet sealed; or its footer was half written.
	sealed, err := os.ReadFile(c.path)
	require.NoError(t, err)
	for n := len(sealed) - trailerSize; n <= len(sealed); n += 16 {
		copy(torn[c.off:], sealed[c.off:n])
		require.NoError(t, os.WriteFile(c.path, torn, 0o600))
		require.Empty(t, checked(t, c.cfg).Faults)
		j, rec, err := Open(c.cfg)
		require.NoError(t, err)
		require.Equal(t, []string{c.path}, rec.Sealed)
		require.NoError(t, j.Close())
	}
}

func TestAnEmptyJournalCanBeOpenedAgainAndAgain(t *testing.T) {
	cfg := small(t)
	for range 3 {
		j, rec, err := Open(cfg)
		require.NoError(t, err)
		require.Zero(t, rec.Next)
		require.NoError(t, j.Close())
	}
	require.Len(t, segments(t, cfg.Dir), 1)
	require.Empty(t, checked(t, cfg).Faults)
}

func TestAnOlderCopyIsRefusedWithBothFigures(t *testing.T) {
	cfg := small(t)
	j, _, err := Open(cfg)
	require.NoError(t, err)
	fill(t, j, 10, 1)
	require.NoError(t, j.Close())
	old := t.TempDir()
	require.NoError(t, os.CopyFS(old+"/journal", os.DirFS(cfg.Dir)))
	j, _, err = Open(cfg)
	require.NoError(t, err)
	fill(t, j, 10, 1)
	require.NoError(t, j.Close())

	cfg.Dir = old + "/journal"
	_, _, err = Open(cfg)
	require.ErrorIs(t, err, ErrRolledBack)
	require.ErrorContains(t, err, " 10 entries")
	require.ErrorContains(t, err, "seen 20")
	require.NotEmpty(t, checked(t, cfg).Faults)
}

func TestAnotherHistoryIsRefused(t *testing.T) {
	a, b := written(t, 1, 10), written(t, 1, 10)
	a.Head = b.Head
	_, _, err := Open(a)
	require.ErrorIs(t, err, ErrRolledBack)
	rep := checked(t, a)
	require.Len(t, rep.Faults, 1)
	require.EqualValues(t, 9, rep.Faults[0].Seq)
}

func TestAMissingOrDamagedHeadIsAcceptedOnlyWhenAsked(t *testing.T) {
	cfg := written(t, 1, 10)
	undo := flip(t, cfg.Head, 40, 1)
	_, _, err := Open(cfg)
	require.ErrorIs(t, err, ErrHead)
	require.ErrorContains(t, err, "damaged")
	undo()
	require.NoError(t, os.Remove(cfg.Head))
	_, _, err = Open(cfg)
	require.ErrorIs(t, err, ErrHead)
	require.ErrorContains(t, err, "AcceptMissingHead")
	cfg.AcceptMissingHead = true
	j, rec := open(t, cfg)
	require.EqualValues(t, 10, rec.Next)
	require.FileExists(t, cfg.Head)
	require.NoError(t, j.Close())
}
