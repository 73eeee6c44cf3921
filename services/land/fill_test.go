package land

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/services/nation"
)

func TestEachProvinceIsServedOnce(t *testing.T) {
	for _, p := range nation.Provinces() {
		served := 0
		for _, j := range Jurisdictions() {
			if j.serves(p.CodeText()) {
				served++
			}
		}
		require.Equal(t, 1, served, p.CodeText())
	}
}

func TestEachParcelIsInTheBookOfItsProvinceAndInNoOther(t *testing.T) {
	n := people(t)
	total := 0
	for _, j := range Jurisdictions() {
		r := book(t, j)
		rows, err := r.db.Read.QueryContext(t.Context(), `SELECT id FROM parcels`)
		require.NoError(t, err)
		for rows.Next() {
			var id int32
			require.NoError(t, rows.Scan(&id))
			p := &n.Parcels[id-1]
			require.True(t, j.serves(p.Place.ProvinceCode()))
			require.False(t, p.Missing)
			total++
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	want := 0
	for i := range n.Parcels {
		if !n.Parcels[i].Missing {
			want++
		}
	}
	require.Equal(t, want, total)
}

func TestAFilledBookIsThereAgainWhenItIsOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "land.db")
	first, err := Open(t.Context(), path, Rest)
	require.NoError(t, err)
	filled, err := first.Filled(t.Context())
	require.NoError(t, err)
	require.False(t, filled)
	require.NoError(t, first.Fill(t.Context(), people(t)))
	require.NoError(t, first.Close())

	again, err := Open(t.Context(), path, Rest)
	require.NoError(t, err)
	defer again.Close()
	filled, err = again.Filled(t.Context())
	require.NoError(t, err)
	require.True(t, filled)
	_, p := pick(t, func(n *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		return Rest.serves(p.Place.ProvinceCode()) && !damaged(n, c, nation.NameWrong)
	})
	got, err := again.GetParcel(t.Context(), question(p))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, got.Result.Code)
}

func TestABookWhoseFillWasCutOffIsFilledAgain(t *testing.T) {
	r, err := Open(t.Context(), filepath.Join(t.TempDir(), "land.db"), HaTinh)
	require.NoError(t, err)
	defer r.Close()
	cutOff, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Fill(cutOff, people(t)), context.Canceled)
	require.NoError(t, r.Fill(t.Context(), people(t)))
	require.NoError(t, r.Fill(t.Context(), people(t)), "a filled book is left as it is")

	want := 0
	for range partOf(people(t), HaTinh).parcelRows {
		want++
	}
	var got int
	require.NoError(t, r.db.Read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM parcels`).Scan(&got))
	require.Equal(t, want, got)
	require.Positive(t, got)
}

func TestAJurisdictionThatIsNotIsRefused(t *testing.T) {
	_, err := Open(t.Context(), filepath.Join(t.TempDir(), "land.db"), "01")
	require.ErrorContains(t, err, `no jurisdiction "01"`)
}
