package main

import (
	"context"
	"crypto/rand"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/notary"
	"github.com/lienthong/lienthong/proto/journal"
)

// followed is a journal as the notary reads it.
type followed struct{ *journal.Journal }

func (f followed) Digests(ctx context.Context, from, to uint64) iter.Seq2[[32]byte, error] {
	return func(yield func([32]byte, error) bool) {
		for e, err := range f.Reader().Scan(ctx, from, to) {
			if !yield(e.Digest, err) {
				return
			}
		}
	}
}

// someRecords makes a ledger of n records of 400 bytes, with its log.
func someRecords(t testing.TB, n int) ledger.Path {
	t.Helper()
	path := ledger.Path(t.TempDir())
	j, _, err := journal.Open(journal.Config{Dir: path.Journal()})
	require.NoError(t, err)
	payload := make([]byte, 400)
	_, _ = rand.Read(payload)
	appenders := new(errgroup.Group)
	for range 256 {
		appenders.Go(func() error {
			for range n / 256 {
				if _, err := j.Append(payload); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, appenders.Wait())
	log, err := notary.Open(t.Context(), notary.Config{
		Dir: path.Log(), Origin: "lienthong/G06/gateway", KeyFile: path.LogKey(), PublicFile: path.LogPub(), Source: followed{j}, Interval: time.Millisecond,
	})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	stop() // Run publishes what is durable before it returns
	for log.Published() < j.Durable() {
		require.NoError(t, log.Run(ctx))
	}
	require.NoError(t, log.Close())
	require.NoError(t, j.Close())
	return path
}

func BenchmarkCheck(b *testing.B) {
	const n = 200 << 10
	k := checking{top: &cli{Log: "error"}, path: someRecords(b, n)}
	for b.Loop() {
		found, err := k.run(b.Context())
		require.NoError(b, err)
		require.True(b, found.OK, "%+v", found)
		require.Equal(b, uint64(n), found.Leaves)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
