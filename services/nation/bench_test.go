package nation_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/services/nation"
)

func BenchmarkGenerate(b *testing.B) {
	for _, population := range []int{2_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(population), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := nation.Generate(context.Background(), nation.Config{Population: population, Errors: nation.DefaultErrors()})
				require.NoError(b, err)
			}
		})
	}
}
