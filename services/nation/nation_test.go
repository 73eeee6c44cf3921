package nation_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/services/nation"
)

func TestTheSameConfigGivesTheSameNationOnAnyNumberOfProcessors(t *testing.T) {
	cfg := nation.Config{Population: 5 * 1024, Seed: 42, Errors: nation.DefaultErrors()}
	digest := func(processors int) [32]byte {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		n, err := nation.Generate(context.Background(), cfg)
		require.NoError(t, err)
		return n.Digest()
	}
	want := digest(1)
	for range 3 {
		require.Equal(t, want, digest(4))
	}
	cfg.Seed++
	require.NotEqual(t, want, digest(4))
}

func TestDigestSeesEveryField(t *testing.T) {
	n := create(t, 60, 9, heavy)
	want := n.Digest()
	n.People[3].Phone++
	require.NotEqual(t, want, n.Digest())
	n.People[3].Phone--
	n.Damages[0].Record++
	require.NotEqual(t, want, n.Digest())
	n.Damages[0].Record--
	require.Equal(t, want, n.Digest())
}

func TestEveryNationHasLandWhereTheSandboxShowsIt(t *testing.T) {
	for _, seed := range []int64{0, 1, 2} {
		n := create(t, 60, seed, nation.DefaultErrors())
		living := make(map[uint8]int) // people with land that a registry holds, by province
		missing := 0
		for i := range n.Certificates {
			c := &n.Certificates[i]
			p := &n.Parcels[c.First]
			if p.Missing {
				require.EqualValues(t, 8, p.Place.Province)
				missing++
			} else {
				living[p.Place.Province]++
			}
		}
		require.Positive(t, living[42], "Hà Tĩnh")
		require.Positive(t, living[8], "Tuyên Quang")
		require.Positive(t, missing, "Tuyên Quang without a land database")
	}
}

func TestProgressReachesTheEnd(t *testing.T) {
	last := 0
	_, err := nation.Generate(context.Background(), nation.Config{Population: 3000, Progress: func(done, total int) {
		require.Equal(t, 3000, total)
		require.GreaterOrEqual(t, done, last)
		last = done
	}})
	require.NoError(t, err)
	require.Equal(t, 3000, last)
}

func TestWhatCannotBeMadeIsRefused(t *testing.T) {
	for name, cfg := range map[string]nation.Config{
		"negative population": {Population: -1},
		"too many people":     {Population: 1_000_000_000},
		"day before 2025":     {AsOf: nation.NewDate(2020, 1, 1)},
		"day without a month": {AsOf: nation.NewDate(2026, 0, 0)},
		"no such day":         {AsOf: nation.NewDate(2026, 2, 30)},
		"rate over one":       {Errors: nation.Errors{LandGap: 1.5}},
		"negative rate":       {Errors: nation.Errors{ToneVariant: -0.1}},
	} {
		_, err := nation.Generate(context.Background(), cfg)
		require.Error(t, err, name)
	}
}

func TestCancelledGenerationStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cfg := nation.Config{Population: 500_000, Progress: func(int, int) { cancel() }}
	_, err := nation.Generate(ctx, cfg)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAnotherDayGivesAnotherNation(t *testing.T) {
	for _, day := range []nation.Date{nation.NewDate(2025, 8, 1), nation.NewDate(2028, 2, 29), nation.NewDate(2090, 12, 31)} {
		n, err := nation.Generate(context.Background(), nation.Config{Population: 300, AsOf: day})
		require.NoError(t, err)
		for i := range n.People {
			require.LessOrEqual(t, n.Births[i].Entry.Date, day)
		}
	}
}

func TestPeopleAreOfAllAgesInHouseholdsOfAllSizes(t *testing.T) {
	n := create(t, 2000, 5, nation.Errors{})
	young, old, adults := 0, 0, 0
	for i := range n.People {
		switch age := n.Config.AsOf.Year() - n.People[i].Birth.Year(); {
		case !n.People[i].Living():
		case age < 15:
			young++
		case age < 65:
			adults++
		default:
			old++
		}
	}
	require.InDelta(t, 0.24, float64(young)/2000, 0.05)
	require.InDelta(t, 0.08, float64(old)/2000, 0.035)
	require.Positive(t, adults)
	require.InDelta(t, 3.6, 2000/float64(len(n.Households)), 0.35)
}

func TestTheFirstHouseholdIsAWholeFamilyInHaTinhWithRecordsThatAgree(t *testing.T) {
	for _, seed := range []int64{0, 1, 2} {
		n := create(t, 60, seed, heavy)
		require.Equal(t, "Hà Tĩnh", n.Residence(0).ProvinceName())
		from, to := n.Members(0)
		require.EqualValues(t, 3, to-from)
		for i := from; i < to; i++ {
			require.Empty(t, n.DamagesOf(i))
		}
		child := n.People[to-1]
		require.Equal(t, []int32{0, 1}, []int32{min(child.Father, child.Mother), max(child.Father, child.Mother)})
		sampled, err := n.Sample("child-under-6", 1)
		require.NoError(t, err)
		require.Equal(t, to-1, sampled[0].Index)
	}
}
