package guard

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// tiny are limits that random calls reach.
var tiny = rules{window: 10, misses: 4, percent: 30, total: 12, officers: 3, mostOfficers: 4, mostSubjects: 8}

// told is one call to a pair.
type told struct {
	second          int64
	officer         string
	matched, missed uint64
}

// within sums what was told of an officer, or of all, within the window; reset says since when.
func within(all []told, officer string, now int64) (matched, missed uint64) {
	for _, c := range all {
		if c.second > now-tiny.window && (officer == "all" || c.officer == officer) {
			matched, missed = matched+c.matched, missed+c.missed
		}
	}
	return matched, missed
}

func over(matched, missed, limit uint64) bool {
	return missed > limit && float64(missed) > 0.3*float64(matched+missed)
}

// TestAPairTripsExactlyAtItsLimits compares a pair with a list of all calls, from which everything is counted anew.
func TestAPairTripsExactlyAtItsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r := newPair(), tiny
		r.mostOfficers = 100
		var all []told
		tripped := map[string]int64{}
		second := int64(1_000)
		forget := func(officer string) {
			kept := all[:0:0]
			for _, c := range all {
				if c.officer != officer {
					kept = append(kept, c)
				}
			}
			all = kept
		}
		for range rapid.IntRange(1, 80).Draw(t, "calls") {
			second += rapid.SampledFrom([]int64{0, 0, 0, 1, 2, 11}).Draw(t, "later")
			c := told{second, rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", ""}).Draw(t, "officer"),
				rapid.Uint64Range(0, 6).Draw(t, "matched"), rapid.Uint64Range(0, 4).Draw(t, "missed")}
			all = append(all, c)
			var want []Why
			if m, x := within(all, c.officer, second); c.missed > 0 && over(m, x, r.misses) {
				if c.officer == "" {
					want = append(want, Unnamed)
				} else {
					want = append(want, Guessing)
					forget(c.officer)
					tripped[c.officer] = second
					maps.DeleteFunc(tripped, func(_ string, at int64) bool { return at <= second-r.window })
					if len(tripped) >= r.officers {
						want = append(want, Officers)
					}
				}
			}
			if m, x := within(all, "all", second); c.missed > 0 && over(m, x, r.total) && (len(want) == 0 || want[len(want)-1] == Guessing) {
				want = append(want, Total)
			}
			var got []Why
			for _, trip := range p.add(&r, c.second, c.officer, c.matched, c.missed).trips {
				got = append(got, trip.why)
			}
			require.Equal(t, want, got)
			if len(want) > 0 && want[len(want)-1] != Guessing {
				all, tripped = nil, map[string]int64{}
			}
			checkSums(t, p)
		}
	})
}

// checkSums makes sure that the total is the sum of the officers, bucket by bucket.
func checkSums(t require.TestingT, p *pair) {
	sum := new(window)
	for _, w := range p.officers {
		w := &window{append([]bucket(nil), w.buckets...), w.matched, w.missed}
		w.expire(p.now - tiny.window)
		sum.merge(w)
	}
	require.Equal(t, [2]uint64{sum.matched, sum.missed}, [2]uint64{p.total.matched, p.total.missed})
	byBucket := func(w *window) map[int64]bucket {
		m := map[int64]bucket{}
		for _, b := range w.buckets {
			if b.matched+b.missed > 0 {
				m[b.second] = b
			}
		}
		return m
	}
	require.Equal(t, byBucket(sum), byBucket(&p.total))
}

func TestAnyOrderOfCallsReleasesAndSweepsKeepsTheSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, second := newPair(), int64(1_000)
		officer := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "", others})
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			second += rapid.Int64Range(-2, 4).Draw(t, "later")
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				p.release(&tiny, officer.Draw(t, "officer"))
			case 1:
				p.noteTrip(&tiny, officer.Draw(t, "officer"), second)
			case 2:
				p.to(&tiny, second)
				p.sweep(&tiny)
			default:
				p.add(&tiny, second, officer.Draw(t, "officer"), rapid.Uint64Range(0, 3).Draw(t, "matched"), rapid.Uint64Range(0, 1).Draw(t, "missed"))
			}
			checkSums(t, p)
			require.LessOrEqual(t, len(p.officers), tiny.mostOfficers+2, "and those who name none, and the others")
		}
	})
}

func TestWhoMissesIsCountedByNameEvenInACrowd(t *testing.T) {
	p := newPair()
	for _, officer := range []string{"a", "b", "c", "d", "e"} {
		p.add(&tiny, 1, officer, 1, 0)
	}
	require.Contains(t, p.officers, others)
	done := p.add(&tiny, 1, "snoop", 0, 5)
	require.Equal(t, []trip{{"snoop", Guessing, 0, 5}}, done.trips)
	require.EqualValues(t, 5, p.total.matched)
	require.Zero(t, p.total.missed)
	checkSums(t, p)
}

func TestTheSamePersonCountsAsFoundOnceInAWindow(t *testing.T) {
	p := newPair()
	require.EqualValues(t, 2, p.fresh(&tiny, 100, []uint64{1, 2, 2, 1}))
	require.EqualValues(t, 1, p.fresh(&tiny, 109, []uint64{1, 3}))
	require.EqualValues(t, 1, p.fresh(&tiny, 110, []uint64{1, 3}), "the first is past its window")
	require.EqualValues(t, 2, p.fresh(&tiny, 121, []uint64{1, 3}))
	for h := range uint64(100) {
		p.fresh(&tiny, 122, []uint64{h + 10})
	}
	require.LessOrEqual(t, len(p.seen), tiny.mostSubjects)
}
