package index_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/index"
)

// BenchmarkIndex is the cost of a record, from the journal's bytes to the synced block. The journal here costs 60 ns.
func BenchmarkIndex(b *testing.B) {
	j := plausible(1, b.N, 0)
	path := filepath.Join(b.TempDir(), "index.db")
	x := open(b, index.Config{Path: path, Source: j})
	b.ResetTimer()
	require.NoError(b, x.CatchUp(b.Context(), nil))
	b.StopTimer()
	require.NoError(b, x.Close())
	info, err := os.Stat(path)
	require.NoError(b, err)
	b.ReportMetric(float64(info.Size())/float64(b.N/(1<<16)<<16), "B/record")
}
