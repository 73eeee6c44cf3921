package insurance

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/store"
)

func BenchmarkCheckCoverage(b *testing.B) {
	const people = 100_000
	r := open(b, file(b), today)
	require.NoError(b, r.db.Fill(b.Context(), store.Table{Name: "insured", Columns: columns, Rows: manyInsured(people)}))
	b.ResetTimer()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n = (n + 7919) % people {
			resp, err := r.CheckCoverage(context.Background(), &insurancev1.CheckCoverageRequest{
				PersonalId: fmt.Sprintf("042187%06d", n), FullName: "NGUYỄN THỊ HÒA", BirthDate: "1987-04-21", FacilityCode: "42010",
			})
			if err != nil || resp.GetCode() != "000" {
				b.Error(resp.GetCode(), err)
				return
			}
		}
	})
}

func manyInsured(n int) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		var row []any
		for s := range n {
			i := but(func(i *insured) { i.number, i.personalID = fmt.Sprintf("42%08d", s), fmt.Sprintf("042187%06d", s) })
			if row = i.appendValues(row[:0]); !yield(row) {
				return
			}
		}
	}
}
