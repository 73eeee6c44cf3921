package ledger

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
)

// tally counts the values that some records have in a field.
type tally map[string]int

// pick chooses values to search for: the most common, the rarest and one between, where there are so many.
func (t tally) pick() []string {
	values := t.byCount()
	switch len(values) {
	case 0, 1, 2:
		return values
	}
	return []string{values[0], values[len(values)/2], values[len(values)-1]}
}

// byCount is all values, the most common first.
func (t tally) byCount() []string {
	return slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		return cmp.Or(cmp.Compare(t[b], t[a]), cmp.Compare(a, b))
	})
}

// positions draws so many positions below n, the same ones each time.
func positions(n uint64, count int) []uint64 {
	random := rand.New(rand.NewPCG(seed, n))
	drawn := make([]uint64, count)
	for i := range drawn {
		drawn[i] = random.Uint64N(n)
	}
	return drawn
}
