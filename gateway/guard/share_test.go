package guard

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWhatGatewaysTellEachOtherComesAsItWas(t *testing.T) {
	name := rapid.StringN(0, 60, longestName)
	rapid.Check(t, func(t *rapid.T) {
		var want []entry
		var list []byte
		for range rapid.IntRange(0, 10).Draw(t, "entries") {
			e := entry{who{name.Draw(t, "agency"), name.Draw(t, "purpose"), name.Draw(t, "officer")},
				rapid.Uint64Range(0, mostCounted).Draw(t, "matched"), rapid.Uint64Range(0, mostCounted).Draw(t, "missed")}
			want, list = append(want, e), e.append(list)
		}
		got, err := parseBatch(list)
		require.NoError(t, err)
		require.Equal(t, want, got)
		if len(list) > 0 {
			_, err = parseBatch(list[:len(list)-1])
			require.ErrorIs(t, err, errBatch)
		}
	})
}

func TestAListThatIsTooMuchIsRefused(t *testing.T) {
	for _, e := range []entry{
		{who: who{strings.Repeat("x", longestName+1), "p", "o"}},
		{who: who{"a", "p", "o"}, missed: mostCounted + 1},
	} {
		_, err := parseBatch(e.append(nil))
		require.ErrorIs(t, err, errBatch)
	}
}

func FuzzParseBatch(f *testing.F) {
	f.Add(entry{who{"H27", "CT-TT", "an.nv"}, 3, 1}.append(nil))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, list []byte) {
		entries, err := parseBatch(list)
		if err != nil {
			require.Nil(t, entries)
			return
		}
		var again []byte
		for _, e := range entries {
			again = e.append(again)
		}
		require.LessOrEqual(t, len(again), len(list))
		once, err := parseBatch(again)
		require.NoError(t, err)
		require.Equal(t, entries, once)
	})
}
