package ledger_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/gateway/ledger"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// BenchmarkAppend is the whole of what an exchange waits for, from 64 sides at a time.
func BenchmarkAppend(b *testing.B) {
	dir := b.TempDir()
	l, err := ledger.Open(b.Context(), ledger.Config{
		Dir: filepath.Join(dir, "ledger"), Head: filepath.Join(dir, "head"), Origin: "G06/gateway", Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(b, err)
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	b.Cleanup(func() { stop(); require.NoError(b, <-done); require.NoError(b, l.Close()) })
	request, answer := make([]byte, 100), make([]byte, 400)
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			e := evidence(func(x *hubv1.Exchange) { x.Id = append([]byte(nil), x.Id...) })
			e.Request, e.Answer = request, answer
			if _, err := l.Append(context.Background(), e); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkEvidence is what BenchmarkAppend spends on making its records.
func BenchmarkEvidence(b *testing.B) {
	b.ReportAllocs()
	var e exchange.Evidence
	for b.Loop() {
		e = evidence()
	}
	require.NotEqual(b, uuid.Nil, uuid.UUID(e.Record.GetExchange().GetId()))
}
