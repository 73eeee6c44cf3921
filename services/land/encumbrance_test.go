package land

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPriorityFollowsRegistrationAndSkipsWhatWasRemoved(t *testing.T) {
	l := &rests{}
	for _, e := range []restRow{
		{parcel: 1, sheet: 4, plot: 9, kind: mortgage, registered: "2019-01-02T03:04:00Z", removed: "2020-01-01T00:00:00Z"},
		{parcel: 1, sheet: 4, plot: 9, kind: seizure, registered: "2021-01-02T03:04:00Z"},
		{parcel: 1, sheet: 4, plot: 9, kind: mortgage, registered: "2021-01-02T03:05:00Z"},
		{parcel: 2, sheet: 4, plot: 10, kind: restriction, registered: "2018-05-05T05:05:00Z"},
		{parcel: 3, sheet: 4, plot: 11},
	} {
		l.add(&e)
	}
	require.True(t, l.active)
	require.Equal(t, []uint32{0, 2}, []uint32{l.all.Mortgages[0].Priority, l.all.Mortgages[1].Priority})
	require.EqualValues(t, 1, l.all.Seizures[0].Priority)
	require.EqualValues(t, 1, l.all.PlanningRestrictions[0].Priority, "ranks count on each parcel by itself")
	require.EqualValues(t, 10, l.all.PlanningRestrictions[0].ParcelNumber)
	require.Empty(t, l.all.Disputes)
}

func TestWhatWasRemovedDoesNotEncumber(t *testing.T) {
	l := &rests{}
	l.add(&restRow{parcel: 1, kind: mortgage, registered: "2019-01-02T03:04:00Z", removed: "2020-01-01T00:00:00Z"})
	answer := l.answer()
	require.False(t, answer.Encumbered)
	require.Len(t, answer.Encumbrances.Mortgages, 1)
}
