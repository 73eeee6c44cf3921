package book_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// BenchmarkReadTenThousand is what a gateway spends on 10,000 agreements: when it starts, and after each change of one.
func BenchmarkReadTenThousand(b *testing.B) {
	w := newWorld(b)
	docs := make([]*hubv1.Agreement, 10_000)
	for i := range docs {
		docs[i] = document(fmt.Sprint("a-", i), func(d *hubv1.Agreement) { d.Consumer.Agency = fmt.Sprintf("H%02d", i%100) })
	}
	_, err := w.do(operator, func(ctx context.Context, tx *state.Tx, _ book.Who) error {
		return book.Seed(ctx, tx, docs)
	})
	require.NoError(b, err)
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			w.read(w.reader())
		}
	})
	b.Run("one changed", func(b *testing.B) {
		r := w.reader()
		w.read(r)
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			w.must("a-7", []string{"suspend", "resume"}[i%2])
			b.StartTimer()
			w.read(r)
		}
	})
}

// BenchmarkProposeTenThousand is the largest proposal that there can be; others wait for it to be written.
func BenchmarkProposeTenThousand(b *testing.B) {
	w := newWorld(b)
	n := 0
	for b.Loop() {
		n++
		docs := make([]*hubv1.Agreement, 10_000)
		for i := range docs {
			docs[i] = document(fmt.Sprintf("a-%d-%d", n, i), func(d *hubv1.Agreement) { d.Consumer.Agency = fmt.Sprintf("H%02d", i%100) })
		}
		_, err := w.propose(operator, false, docs...)
		require.NoError(b, err)
	}
}
