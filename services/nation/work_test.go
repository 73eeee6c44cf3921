package nation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCheckDigitOfEnterpriseCodes(t *testing.T) {
	for nine, want := range map[int]int{10004751: 6, 10023348: 8, 300000001: 2, 300012345: 5, 500054321: 3} {
		got, ok := checkDigit(nine)
		require.True(t, ok)
		require.Equal(t, want, got, nine)
	}
	_, ok := checkDigit(300000002)
	require.False(t, ok)
}

func TestEmployersHaveUniqueCodes(t *testing.T) {
	r := newRNG(1, 1)
	employers, _ := newEmployers(1_000_000, &r)
	seen := make(map[TaxCode]bool)
	for i := range employers {
		e := &employers[i]
		require.False(t, seen[e.Tax])
		seen[e.Tax] = true
		require.Len(t, e.Tax.String(), 10)
		require.NotEmpty(t, e.Name())
	}
}

func TestDaysAreCalendarDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := day(rapid.IntRange(0, 80_000).Draw(t, "day"))
		want := time.Date(1900, 1, 1+int(d), 0, 0, 0, 0, time.UTC)
		require.Equal(t, DateOf(want), d.date())
		require.Equal(t, d, dayOf(d.date()))
		require.Equal(t, want, d.date().Time())
		require.Equal(t, want.Format(time.DateOnly), d.date().String())
		year := d.addYears(1).date()
		require.Equal(t, d.date().Year()+1, year.Year())
		require.Equal(t, d.date().Month(), year.Month())
	})
}

func TestScatterIsAPermutation(t *testing.T) {
	seen := make([]bool, 1_000_000)
	for i := range uint32(len(seen)) {
		s := scatter(99, i)
		if seen[s] {
			require.Fail(t, "given out twice", "%d", s)
		}
		seen[s] = true
	}
}

func TestDatesKeepTheirPrecision(t *testing.T) {
	for d, want := range map[Date]string{0: "", NewDate(1950, 0, 0): "1950", NewDate(1950, 3, 0): "1950-03", NewDate(1950, 3, 9): "1950-03-09"} {
		require.Equal(t, want, d.String())
	}
	require.Equal(t, "042", pad(42, 3))
	require.Empty(t, Moment(0).String())
	b := builder{rng: newRNG(0, 0)}
	for range 100 {
		at := b.officeHour(dayOf(20261101)).Time().In(time.FixedZone("ICT", 7*3600))
		require.Equal(t, NewDate(2026, 11, 1), DateOf(at))
		require.True(t, at.Hour() >= 8 && at.Hour() < 17)
	}
}
