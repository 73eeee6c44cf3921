package meter

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever comes over the bus is read as calls that can have been made, and written back as it came, or refused.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{wordVersion})
	f.Add(encode([]call{{key{1}, 1 << 60, 3, 1<<40 + 3600_000}, {key{2}, 1<<60 + 1, 1, 1 << 40}}))
	f.Fuzz(func(t *testing.T, word []byte) {
		calls, err := decode(word)
		if err != nil {
			return
		}
		require.Equal(t, word, encode(calls))
		for _, c := range calls {
			require.True(t, c.sound())
			var w window
			w.add(c)
			require.Len(t, w.stamps, 1)
		}
	})
}
