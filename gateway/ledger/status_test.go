package ledger

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpaceThatWasPreparedIsNotUsed(t *testing.T) {
	for _, size := range []int{0, 1, 64, window - 1, window, window + 1, 5*window + 64} {
		dir := t.TempDir()
		require.Zero(t, usedBy(dir))
		put := func(name string, data []byte) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
		}
		put("00000000000000000000.seg", make([]byte, 100)) // sealed: as long as it is
		put("00000000000000000007.seg", append(bytes.Repeat([]byte{1}, size), make([]byte, 9*window+5)...))
		put("blank-1", make([]byte, window))
		require.EqualValues(t, 100+size, usedBy(dir))
	}
}
