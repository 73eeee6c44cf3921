package backup

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/tessera/api/layout"
	"pgregory.net/rapid"
)

// A segment is read twice, page by page, while records are added.
func TestACopyOfAGrowingSegmentIsOneOfItsStates(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		const size, page = 4096, 64
		final := bytes.Repeat([]byte{0xEE}, rapid.IntRange(0, size).Draw(r, "records"))
		at := func(n int) []byte { // how the segment was when n bytes of records were written
			b := make([]byte, size)
			copy(b, final[:n])
			return b
		}
		var moments []int // how much was written when each page was read, first and second time
		written := 0
		for i := range 2 * size / page { // now the reader is ahead, now the writer
			written = max(written, i*page+rapid.IntRange(-3*page, 3*page).Draw(r, "ahead"))
			moments = append(moments, min(written, len(final)))
		}
		read := func(moments []int) []byte {
			var b []byte
			for i, n := range moments {
				b = append(b, at(n)[i*page:(i+1)*page]...)
			}
			return b
		}
		first, second := read(moments[:size/page]), read(moments[size/page:])
		same, err := blankFromDifference(first, bytes.NewReader(second))
		require.NoError(r, err)
		require.True(r, same)
		n := bytes.IndexByte(append(bytes.Clone(first), 0), 0)
		require.Equal(r, at(n), first[:size], "no hole")
		require.GreaterOrEqual(r, n, moments[0]/line*line, "nothing that was there at the beginning is missing")
	})
}

func TestASegmentThatWasSealedMeanwhileIsReadAgain(t *testing.T) {
	for _, now := range []string{"abc", "abcde"} {
		same, err := blankFromDifference([]byte("abcd"), bytes.NewReader([]byte(now)))
		require.NoError(t, err)
		require.False(t, same, now)
	}
}

// Every tile that layout names for a tree is copied, and none besides.
func TestPiecesOfATreeAreThoseOfItsLayout(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.Uint64Range(0, 70_000).Draw(r, "size")
		var got []string
		for p := range pieces(0, n) {
			got = append(got, p.name)
		}
		var want []string
		for info := range layout.Range(0, n, n) {
			want = append(want, layout.EntriesPath(info.Index, info.Partial))
		}
		for level, width := uint64(0), n; width > 0; level, width = level+1, width/256 {
			for i := uint64(0); i*256 < width; i++ {
				want = append(want, layout.TilePath(level, i, layout.PartialTileSize(level, i, n)))
			}
		}
		require.ElementsMatch(r, want, got)

		after := rapid.Uint64Range(0, n).Draw(r, "after")
		both := map[string]bool{}
		for p := range pieces(0, after) {
			both[p.name] = true
		}
		for p := range pieces(after, n) {
			both[p.name] = true
		}
		for _, name := range got {
			require.True(r, both[name], name)
		}
	})
}

func TestACheckpointThatIsNoneIsSaid(t *testing.T) {
	for _, text := range []string{"", "origin\n", "origin\n12", "origin\n-1\nroot\n", "origin\n0x1\nroot\n"} {
		_, err := checkpointSize([]byte(text))
		require.Error(t, err, text)
	}
	n, err := checkpointSize([]byte("origin\n12\nroot\n"))
	require.NoError(t, err)
	require.Equal(t, uint64(12), n)
}

func TestLinksThatLeadInACircleEnd(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/ca.pem", nil, 0o600))
	require.NoError(t, os.Symlink(dir, dir+"/again"))
	_, err := Write(t.Context(), new(bytes.Buffer), Config{Dir: dir})
	require.ErrorContains(t, err, "too deep")
}
