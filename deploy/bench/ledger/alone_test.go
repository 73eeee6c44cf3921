package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/journal"
)

func TestWhoHasNoTimeAppendsOnceAllTheSame(t *testing.T) {
	j, _, err := journal.Open(journal.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	times, err := appendFor(t.Context(), j, 3, 0)
	require.NoError(t, err)
	for _, own := range times {
		require.Len(t, own, 1, "what is measured is divided by")
	}
	require.NotZero(t, j.Stats().Batches)
	require.NoError(t, j.Close())
}
