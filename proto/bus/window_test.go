package bus

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// model is a window that forgets nothing.
type model struct {
	seen map[uint64]bool
	high uint64
}

func (m *model) first(n uint64) bool {
	if n == 0 || m.seen[n] || m.high > n && m.high-n >= reach {
		return false
	}
	m.seen[n] = true
	m.high = max(m.high, n)
	return true
}

func TestAWindowDoesWhatOneWithoutLimitsDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, m := new(window), &model{seen: map[uint64]bool{}}
		step := rapid.OneOf(
			rapid.Uint64Range(0, 130),
			rapid.Uint64Range(reach-130, windowSize+130),
			rapid.Just[uint64](2*windowSize),
		)
		for range rapid.IntRange(1, 200).Draw(t, "frames") {
			var n uint64
			switch by := step.Draw(t, "by"); {
			case rapid.Bool().Draw(t, "ahead"):
				n = m.high + by
			case by <= m.high:
				n = m.high - by
			}
			require.Equal(t, m.first(n), w.first(n), "counter %d after %d", n, m.high)
		}
	})
}

func TestAWindowHoldsAtItsEdges(t *testing.T) {
	const far = math.MaxUint64
	for _, c := range []struct {
		name  string
		after []uint64
		n     uint64
		want  bool
	}{
		{"nothing is numbered 0", nil, 0, false},
		{"0 late", []uint64{5}, 0, false},
		{"the first", nil, 1, true},
		{"the first again", []uint64{1}, 1, false},
		{"the first, late", []uint64{reach}, 1, true},
		{"the first, too late", []uint64{reach + 1}, 1, false},
		{"the last within reach", []uint64{windowSize * 3}, windowSize*3 - reach + 1, true},
		{"the first out of reach", []uint64{windowSize * 3}, windowSize*3 - reach, false},
		{"where an old one stood in the ring", []uint64{70, windowSize + 70}, windowSize + 69, true},
		{"one round later", []uint64{70}, 70 + windowSize, true},
		{"many rounds later", []uint64{70}, 70 + 1000*windowSize, true},
		{"the last number there is", []uint64{1}, far, true},
		{"the last number again", []uint64{far}, far, false},
		{"wrapped around", []uint64{far}, 1, false},
		{"wrapped around to 0", []uint64{far}, 0, false},
		{"just before the last", []uint64{far}, far - reach + 1, true},
		{"too long before the last", []uint64{far}, far - reach, false},
	} {
		w := new(window)
		for _, n := range c.after {
			require.True(t, w.first(n), c.name)
		}
		require.Equal(t, c.want, w.first(c.n), c.name)
	}
}

func TestOfManyWhoBringOneCounterOneIsFirst(t *testing.T) {
	const counters = 2000
	w := new(window)
	var firsts atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := uint64(1); n <= counters; n++ {
				if w.first(n) {
					firsts.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, counters, firsts.Load())
}
