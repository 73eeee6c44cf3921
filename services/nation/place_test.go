package nation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/services/nation"
)

func TestTheCountryHasItsProvincesAndCommunes(t *testing.T) {
	require.Len(t, nation.Provinces(), 34)
	require.Len(t, nation.OldProvinces(), 63)
	total, wards, zones := 0, 0, 0
	codes := make(map[string]bool)
	for _, p := range nation.Provinces() {
		communes := nation.Communes(p.Code)
		require.Len(t, communes, p.Communes, p.Name)
		total += len(communes)
		names := make(map[string]bool)
		for _, c := range communes {
			require.Len(t, c.CodeText(), 5)
			require.False(t, codes[c.CodeText()])
			codes[c.CodeText()] = true
			if c.Urban {
				wards++
			}
			if strings.HasPrefix(c.Name, "Đặc khu ") {
				zones++
			}
			old, ok := nation.FindProvince(nation.GSO2004, c.OldProvince)
			require.True(t, ok)
			require.Equal(t, p.Code, old.Successor)
			key := old.Name + c.Name
			require.False(t, names[key], "%s twice", c.Name)
			names[key] = true
			found, ok := nation.FindCommune(nation.GSO2025, c.Code)
			require.True(t, ok)
			require.Equal(t, c, found)
		}
	}
	require.Equal(t, []int{3321, 687, 13}, []int{total, wards, zones})
}

func TestOldCommunesLieInOldProvinces(t *testing.T) {
	total := 0
	for _, p := range nation.OldProvinces() {
		require.Equal(t, p.Communes, len(nation.OldCommunes(p.Code)))
		for _, c := range nation.OldCommunes(p.Code) {
			found, ok := nation.FindCommune(nation.GSO2004, c.Code)
			require.True(t, ok)
			require.Equal(t, p.Code, found.Province)
			total++
		}
	}
	require.Equal(t, 3*3321, total)
}

func TestHoanKiemIsWhereItReallyIs(t *testing.T) {
	c, ok := nation.FindCommune(nation.GSO2025, 70)
	require.True(t, ok)
	require.Equal(t, "00070 Phường Hoàn Kiếm", c.CodeText()+" "+c.Name)
	require.EqualValues(t, 1, c.Province)
	place := nation.Place{Commune: 70, Province: 1, System: nation.GSO2025, Street: 21, House: 12}
	require.Equal(t, "Đường Trần Phú, số 12, Phường Hoàn Kiếm, Hà Nội", place.String())
}

func TestUnknownCodesAreNotFound(t *testing.T) {
	for _, code := range []uint32{0, 2, 71, 73, 99999, 1 << 31} {
		_, ok := nation.FindCommune(nation.GSO2025, code)
		require.False(t, ok, code)
		_, ok = nation.FindFacility(code)
		require.False(t, ok, code)
	}
	for _, code := range []uint8{0, 2, 99, 100, 255} {
		_, ok := nation.FindProvince(nation.GSO2025, code)
		require.False(t, ok, code)
		require.Empty(t, nation.Communes(code))
		require.Empty(t, nation.Facilities(code))
	}
	require.Empty(t, nation.Place{}.String())
	require.Empty(t, nation.Place{}.CommuneCode())
	require.Empty(t, nation.Place{}.Detail())
}

func TestEveryClinicIsFoundByItsCode(t *testing.T) {
	for _, p := range nation.Provinces() {
		require.NotEmpty(t, nation.Facilities(p.Code))
		for _, f := range nation.Facilities(p.Code) {
			found, ok := nation.FindFacility(f.Code)
			require.True(t, ok)
			require.Equal(t, f, found)
			require.Len(t, f.CodeText(), 5)
		}
	}
}

func TestEthnicGroupsHaveTheirCensusCodes(t *testing.T) {
	for code, name := range map[uint8]string{1: "Kinh", 2: "Tày", 8: "Mông", 12: "Ê Đê", 17: "Chăm", 54: "Rơ Măm", 0: "", 55: ""} {
		require.Equal(t, name, nation.EthnicName(code))
	}
}
