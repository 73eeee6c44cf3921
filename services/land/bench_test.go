package land

import (
	"testing"

	"github.com/stretchr/testify/require"

	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	"github.com/lienthong/lienthong/services/nation"
)

func BenchmarkGetParcel(b *testing.B) {
	r, n := book(b, Rest), people(b)
	var asks []*landv1.GetParcelRequest
	for i := range n.Parcels {
		if p := &n.Parcels[i]; Rest.serves(p.Place.ProvinceCode()) && !p.Missing {
			asks = append(asks, question(p))
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := r.GetParcel(b.Context(), asks[i%len(asks)]); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkListHoldings(b *testing.B) {
	r, n := book(b, Rest), people(b)
	var asks []*landv1.ListHoldingsRequest
	for i := range n.Owners {
		o := &n.Owners[i]
		if place := n.Residence(o.Person); o.Number != 0 && Rest.serves(place.ProvinceCode()) {
			asks = append(asks, &landv1.ListHoldingsRequest{ProvinceCode: place.ProvinceCode(), PersonalId: o.Number.String(),
				FullName: o.Name.String()})
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := r.ListHoldings(b.Context(), asks[i%len(asks)]); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkFill(b *testing.B) {
	n, err := nation.Generate(b.Context(), nation.Config{Population: 100_000, Seed: 1, Errors: nation.DefaultErrors()})
	require.NoError(b, err)
	for b.Loop() {
		for _, j := range Jurisdictions() {
			r, err := Open(b.Context(), b.TempDir()+"/land.db", j)
			require.NoError(b, err)
			require.NoError(b, r.Fill(b.Context(), n))
			require.NoError(b, r.Close())
		}
	}
}
