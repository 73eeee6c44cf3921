package ledger

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/ledgertest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func TestEachFieldOfTheFilterIsAskedAlone(t *testing.T) {
	var alone []string
	for _, s := range all() {
		if s.kind == lookupFilter {
			alone = append(alone, s.name)
		}
	}
	fields := (&hubv1.Filter{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		require.Contains(t, alone, string(fields.Get(i).Name()))
	}
}

func TestEachFieldIsAskedWithinATime(t *testing.T) {
	within := map[string]int{}
	for _, s := range all() {
		if s.kind == lookupWithin {
			require.False(t, s.query.From.IsZero() || s.query.To.IsZero(), s.name)
			within[s.name]++
		}
	}
	for _, f := range fields {
		require.Equal(t, 4*len(example().alone(f)), within["time + "+f.name], "each value of %s in each span", f.name)
	}
}

func TestSearchesUseTheFilterTheyAreNamedFor(t *testing.T) {
	for _, s := range all() {
		q := s.query
		q.From, q.To = time.Time{}, time.Time{}
		if s.name != "from" && s.name != "to" && s.name != "from + to" {
			require.NotEqual(t, index.Query{}, q, s.name)
		} else {
			require.Equal(t, index.Query{}, q, s.name)
		}
	}
}

func TestCommonRareAndAbsentValuesAreLookedFor(t *testing.T) {
	c := example()
	common := map[string]bool{}
	for _, s := range c.alone(fieldNamed("purpose")) {
		common[s.query.Purpose] = s.hits
	}
	count := c.tallies["purpose"]
	values := count.byCount()
	require.Equal(t, map[string]bool{values[0]: true, values[len(values)/2]: true, values[len(values)-1]: true, "XX-XX": false}, common)
	require.Greater(t, count[values[0]], count[values[len(values)-1]])
	for _, f := range fields {
		require.NotContains(t, c.tallies[f.name], f.absent)
	}
}

func TestPairsHaveValuesThatNoRecordHasTogether(t *testing.T) {
	c := example()
	a, b := fieldNamed("consumer"), fieldNamed("method")
	x, y, ok := c.strangers(a, b, c.met(a, b))
	require.True(t, ok, "no consumer asks for everything")
	for _, record := range c.sample {
		require.False(t, slices.Contains(a.values(record), x) && slices.Contains(b.values(record), y))
	}
	require.True(t, slices.ContainsFunc(c.pair(a, b), func(s search) bool { return !s.hits && s.query.Consumer == x && s.query.Method == y }))
}

func TestPickedValuesAreTheSameEachTime(t *testing.T) {
	count := tally{"a": 1, "b": 5, "c": 1, "d": 3}
	require.Equal(t, []string{"b", "a", "c"}, count.pick())
	require.Equal(t, []string{"x"}, tally{"x": 2}.pick())
	require.Empty(t, tally{}.pick())
}

func TestPositionsLieInTheLedger(t *testing.T) {
	drawn := positions(10, 1000)
	require.Equal(t, drawn, positions(10, 1000))
	require.Less(t, slices.Max(drawn), uint64(10))
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(drawn))), 10)
}

// example chooses from a small ledger. Nobody changes it.
var example = sync.OnceValue(func() *chooser {
	var sample []*hubv1.LedgerRecord
	for raw := range ledgertest.Records(seed, 2000) {
		record := new(hubv1.LedgerRecord)
		if err := proto.Unmarshal(raw, record); err != nil {
			panic(err)
		}
		sample = append(sample, record)
	}
	return newChooser(sample, sample[0].GetTime().AsTime(), sample[len(sample)-1].GetTime().AsTime())
})

// all is what the example asks.
var all = sync.OnceValue(func() []search { return example().searches() })
