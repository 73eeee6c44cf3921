package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// BenchmarkSearch is a first page of 50 of 20,000 exchanges, over TLS, with its record in memory.
func BenchmarkSearch(b *testing.B) {
	w := newWorld(b)
	for i := range 20_000 {
		consumer := []string{"H27/one-stop", "G24/claims", "H27.07/clinic"}[i%3]
		_, err := w.journal.append(exchange(consumer, "G01", "An"))
		require.NoError(b, err)
	}
	w.indexed()
	for _, name := range []string{"G06/operator", "H27/one-stop", "H27/both"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				got, err := w.as(name).Search(b.Context(), &hubv1.SearchRequest{})
				require.NoError(b, err)
				require.Len(b, got.GetEntries(), 50)
			}
		})
	}
}
