package guard

import "slices"

// bucket is what was counted in one second.
type bucket struct {
	second          int64
	matched, missed uint64
}

// window is what was counted in the last seconds: one bucket for each second in which something was, the oldest first.
// The zero window is empty. A window's time never goes back: its owner sees to that.
type window struct {
	buckets         []bucket
	matched, missed uint64 // sums
}

// expire drops what was counted at a second or before.
func (w *window) expire(second int64) {
	old := 0
	for old < len(w.buckets) && w.buckets[old].second <= second {
		w.matched -= w.buckets[old].matched
		w.missed -= w.buckets[old].missed
		old++
	}
	if old > 0 {
		w.buckets = slices.Delete(w.buckets, 0, old)
	}
}

// add counts in a second, which is the newest or later.
func (w *window) add(second int64, matched, missed uint64) {
	w.matched += matched
	w.missed += missed
	if last := len(w.buckets) - 1; last >= 0 && w.buckets[last].second >= second {
		w.buckets[last].matched += matched
		w.buckets[last].missed += missed
		return
	}
	w.buckets = append(w.buckets, bucket{second, matched, missed})
}

// merge adds what another window counted.
func (w *window) merge(other *window) {
	for _, b := range other.buckets {
		i, found := w.find(b.second)
		if !found {
			w.buckets = slices.Insert(w.buckets, i, bucket{second: b.second})
		}
		w.buckets[i].matched += b.matched
		w.buckets[i].missed += b.missed
	}
	w.matched += other.matched
	w.missed += other.missed
}

// subtract takes away what another window counted, which is part of this one.
func (w *window) subtract(other *window) {
	for _, b := range other.buckets {
		if i, found := w.find(b.second); found {
			w.buckets[i].matched -= b.matched
			w.buckets[i].missed -= b.missed
			w.matched -= b.matched
			w.missed -= b.missed
		}
	}
}

func (w *window) find(second int64) (int, bool) {
	return slices.BinarySearchFunc(w.buckets, second, func(b bucket, s int64) int { return int(b.second - s) })
}

// over reports whether more than limit were missed, and more than percent of all.
func (w *window) over(limit, percent uint64) bool {
	return w.missed > limit && w.missed*100 > (w.matched+w.missed)*percent
}
