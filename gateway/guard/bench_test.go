package guard_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func TestCheckMakesNoGarbage(t *testing.T) {
	w := newWorld(t)
	for _, officer := range []string{"an.nv", ""} {
		require.Zero(t, testing.AllocsPerRun(100, func() { _ = w.Check("H27", "CT-TT", officer) }))
	}
	w.miss(w.Guard, "H27", "CT-TT", "an.nv", 21)
	for _, officer := range []string{"an.nv", "binh.tt", ""} {
		require.Zero(t, testing.AllocsPerRun(100, func() { _ = w.Check("H27", "CT-TT", officer) }))
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, stops := range []int{0, 1000} {
		b.Run(fmt.Sprint(stops, " stops"), func(b *testing.B) {
			w := newWorld(b)
			for i := range stops {
				w.miss(w.Guard, fmt.Sprint("H", i), "CT-TT", "an.nv", 21)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_ = w.Check("H27", "CT-TT", "binh.tt")
				}
			})
		})
	}
}

func BenchmarkCount(b *testing.B) {
	people := make([]*hubv1.DataSubject, 100_000)
	for i := range people {
		people[i] = person(int64(i))
	}
	for _, c := range []struct {
		name             string
		agencies, number int // number of people in a question
		decoys           bool
	}{{"many agencies", 64, 1, false}, {"one agency", 1, 1, false}, {"one agency, a decoy", 1, 1, true}, {"lists of 1,000", 64, 1000, false}} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b)
			if c.decoys {
				w.addDecoys(person(1e11))
				w.step(w.Guard)
			}
			agencies := make([]string, c.agencies)
			for i := range agencies {
				agencies[i] = fmt.Sprint("H", i)
			}
			var sides atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := int(sides.Add(1)) * 7919; pb.Next(); i++ {
					at := i * c.number % (len(people) - c.number)
					missed := uint32(0)
					if i%33 == 0 {
						missed = 1
					}
					w.Count(agencies[i%c.agencies], "CT-TT", "an.nv", uint32(c.number)-missed, missed, people[at:at+c.number])
				}
			})
		})
	}
}
