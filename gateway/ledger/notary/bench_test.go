package notary_test

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/notary"
)

// BenchmarkLeaf adds 10,000 leaves at a time and publishes each time, as a busy hub's ledger does each second.
func BenchmarkLeaf(b *testing.B) {
	const batch = 10_000
	j := newJournal(5_000_000)
	all := j.digests
	j.digests = all[:0]
	cfg := config(b.TempDir(), j)
	n, stop := keep(b, cfg)
	before := cpu(b)
	leaves := 0
	for b.Loop() {
		j.show(all[:leaves+batch])
		published(b, n, j)
		leaves += batch
	}
	used := cpu(b) - before
	stop()
	b.ReportMetric(float64(leaves)/b.Elapsed().Seconds(), "leaves/s")
	b.ReportMetric(used*1e6/float64(leaves), "cpu-µs/leaf")
	apparent, onDisk := size(b, cfg.Dir)
	b.ReportMetric(float64(apparent)/float64(leaves), "B/leaf")
	b.ReportMetric(float64(onDisk)/float64(leaves), "disk-B/leaf")
}

func cpu(b *testing.B) float64 {
	var r syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

func size(b *testing.B, dir string) (apparent, onDisk int64) {
	require.NoError(b, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		apparent += info.Size()
		onDisk += info.Sys().(*syscall.Stat_t).Blocks * 512
		return nil
	}))
	return apparent, onDisk
}

func BenchmarkProve(b *testing.B) {
	j := newJournal(1_000_000)
	cfg := config(b.TempDir(), j)
	filled(b, cfg)
	n, _ := keep(b, cfg)
	i := uint64(0)
	for b.Loop() {
		i = (i + 7919) % 1_000_000
		_, err := n.Prove(b.Context(), i)
		require.NoError(b, err)
	}
}

// BenchmarkCheck checks a log of a million leaves, from a warm cache.
func BenchmarkCheck(b *testing.B) {
	const leaves = 1_000_000
	j := newJournal(leaves)
	cfg := config(b.TempDir(), j)
	filled(b, cfg)
	for b.Loop() {
		require.True(b, check(b, cfg, j, nil).OK())
	}
	b.ReportMetric(leaves*float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
}

// BenchmarkOpen opens a log of a million leaves.
func BenchmarkOpen(b *testing.B) {
	j := newJournal(1_000_000)
	cfg := config(b.TempDir(), j)
	filled(b, cfg)
	for b.Loop() {
		n, err := notary.Open(b.Context(), cfg)
		require.NoError(b, err)
		require.NoError(b, n.Close())
	}
}
