package land

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	"github.com/lienthong/lienthong/services/nation"
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

// mortgaged is a certificate whose first parcel has a mortgage in force.
func mortgaged(t *testing.T) (*nation.Certificate, *nation.Parcel, *nation.Mortgage) {
	t.Helper()
	in := map[int32]*nation.Mortgage{}
	for i := range people(t).Mortgages {
		if m := &people(t).Mortgages[i]; m.Removed == 0 {
			in[m.Parcel] = m
		}
	}
	c, p := pick(t, func(_ *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		return !p.Missing && in[c.First] != nil
	})
	return c, p, in[c.First]
}

func TestAMortgageIsToldByPlaceAndBySerial(t *testing.T) {
	c, p, m := mortgaged(t)
	client := served(t, p)
	at := question(p)
	byPlace := &landv1.CheckEncumbranceRequest{ProvinceCode: at.ProvinceCode, CommuneCode: at.CommuneCode,
		MapSheet: at.MapSheet, ParcelNumber: at.ParcelNumber}
	bySerial := &landv1.CheckEncumbranceRequest{ProvinceCode: at.ProvinceCode, CertificateSerial: c.SerialText()}
	both := proto.Clone(byPlace).(*landv1.CheckEncumbranceRequest)
	both.CertificateSerial = c.SerialText()
	for name, ask := range map[string]*landv1.CheckEncumbranceRequest{"place": byPlace, "serial": bySerial, "both": both} {
		t.Run(name, func(t *testing.T) {
			got, err := client.CheckEncumbrance(t.Context(), ask)
			require.NoError(t, err)
			require.Equal(t, hubv1.Result_FOUND, got.Result.Code)
			require.True(t, got.Encumbered)
			want := &landv1.Mortgage{Priority: 1, Bank: m.Bank(), ContractNumber: m.ContractText(),
				RegisteredAt: m.Registered.String(), MapSheet: at.MapSheet, ParcelNumber: at.ParcelNumber}
			require.Truef(t, slices.ContainsFunc(got.Encumbrances.Mortgages, func(g *landv1.Mortgage) bool {
				want.Priority = g.Priority
				return g.Priority > 0 && proto.Equal(want, g)
			}), "%v", got)
			require.True(t, strings.HasSuffix(want.RegisteredAt, ":00Z"), "to the minute, UTC")
		})
	}
	both.CertificateSerial = "ZZ 00000001"
	got, err := client.CheckEncumbrance(t.Context(), both)
	require.NoError(t, err)
	require.True(t, proto.Equal(&landv1.CheckEncumbranceResponse{Result: found(hubv1.Result_NO_MATCH)}, got))
}

func TestEveryEncumbranceOfTheNationIsTold(t *testing.T) {
	n := people(t)
	r := book(t, Rest)
	told := 0
	seen := map[int32]bool{}
	check := func(parcel int32) {
		p := &n.Parcels[parcel]
		if seen[parcel] || p.Missing || !Rest.serves(p.Place.ProvinceCode()) {
			return
		}
		seen[parcel] = true
		at := question(p)
		got, err := r.CheckEncumbrance(t.Context(), &landv1.CheckEncumbranceRequest{ProvinceCode: at.ProvinceCode,
			CommuneCode: at.CommuneCode, MapSheet: at.MapSheet, ParcelNumber: at.ParcelNumber})
		require.NoError(t, err)
		e := got.Encumbrances
		told += len(e.GetMortgages()) + len(e.GetSeizures()) + len(e.GetDisputes()) + len(e.GetPlanningRestrictions())
	}
	want := 0
	count := func(parcel int32) {
		if p := &n.Parcels[parcel]; !p.Missing && Rest.serves(p.Place.ProvinceCode()) {
			want++
		}
	}
	for _, m := range n.Mortgages {
		check(m.Parcel)
		count(m.Parcel)
	}
	for _, q := range n.Restrictions {
		check(q.Parcel)
		count(q.Parcel)
	}
	require.Positive(t, want)
	require.Equal(t, want, told)
}

func TestLandOnWhichNothingRestsIsFoundAndFree(t *testing.T) {
	n := people(t)
	rests := partOf(n, Rest).encumbrances
	_, p := pick(t, func(_ *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		return !p.Missing && rests[c.First] == 0
	})
	at := question(p)
	got, err := served(t, p).CheckEncumbrance(t.Context(), &landv1.CheckEncumbranceRequest{ProvinceCode: at.ProvinceCode,
		CommuneCode: at.CommuneCode, MapSheet: at.MapSheet, ParcelNumber: at.ParcelNumber})
	require.NoError(t, err)
	require.True(t, proto.Equal(&landv1.CheckEncumbranceResponse{Result: found(hubv1.Result_FOUND)}, got), "%v", got)
}

func TestACheckOfNothingSaysWhatToFillIn(t *testing.T) {
	_, err := serve(t, HaTinh).CheckEncumbrance(t.Context(), &landv1.CheckEncumbranceRequest{ProvinceCode: "42"})
	require.Equal(t, reason.FieldRequired, reason.Of(err).Reason)
	require.Equal(t, "commune_code", reason.Of(err).Field)
}
