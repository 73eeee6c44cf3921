package meter_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/meter"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

const most = 1 << 40 // a quota that is never used up

func TestNothingBoundAllocatesNothing(t *testing.T) {
	g := start(t, fresh(t), meter.Config{})
	u := meter.Use{Now: noon}
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = g.Take(t.Context(), u) }))
}

func TestAQuotaThatIsLeasedAllocatesNothing(t *testing.T) {
	g := start(t, fresh(t), meter.Config{Now: at(noon).now})
	u := limited(agreement.Limits{PerSecond: most, PerDay: most, PerOfficerPerDay: most})
	u.Now = noon
	require.NoError(t, g.Take(t.Context(), u))
	require.Zero(t, testing.AllocsPerRun(1000, func() { _ = g.Take(t.Context(), u) }))
}

func BenchmarkNothingBound(b *testing.B) {
	g := start(b, fresh(b), meter.Config{})
	u := meter.Use{Now: noon}
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		_ = g.Take(ctx, u)
	}
}

func BenchmarkOneQuota(b *testing.B) { benchmarkQuota(b, agreement.Limits{PerDay: most}) }

func BenchmarkAllQuotas(b *testing.B) {
	benchmarkQuota(b, agreement.Limits{PerSecond: most, PerDay: most, PerOfficerPerDay: most})
}

func benchmarkQuota(b *testing.B, l agreement.Limits) {
	g := start(b, fresh(b), meter.Config{Now: at(noon).now})
	u := limited(l)
	u.Now = noon
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if err := g.Take(ctx, u); err != nil {
			b.Fatal(err)
		}
	}
}

// Each call is about another one of 100,000 people.
func BenchmarkFrequency(b *testing.B) {
	g := start(b, fresh(b), meter.Config{Now: at(noon).now})
	u := limited(agreement.Limits{Times: 3, Within: time.Hour})
	people := make([][]*hubv1.DataSubject, 100_000)
	for i := range people {
		people[i] = []*hubv1.DataSubject{{Kind: 1, Value: fmt.Sprintf("%012d", i)}}
	}
	ctx := b.Context()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		u.Subjects = people[i%len(people)]
		u.Now = noon.Add(time.Duration(i/len(people)) * time.Hour)
		if err := g.Take(ctx, u); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
