package land

import (
	"slices"
	"strconv"

	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/nation"
)

// Jurisdiction is who a land registry answers for: a province by its 2-digit code, or Rest.
type Jurisdiction string

// The jurisdictions of the sandbox.
const (
	HaTinh     Jurisdiction = "42"
	TuyenQuang Jurisdiction = "08" // with the old Hà Giang; some communes have no land database
	Rest       Jurisdiction = "vn" // every province without a registry of its own
)

// Jurisdictions are those that there are: together they serve each of the 34 provinces once.
func Jurisdictions() []Jurisdiction { return []Jurisdiction{HaTinh, TuyenQuang, Rest} }

func (j Jurisdiction) known() bool { return slices.Contains(Jurisdictions(), j) }

// serves reports whether the jurisdiction answers for one of the 34 provinces, given by its 2-digit code.
func (j Jurisdiction) serves(province string) bool {
	if j == Rest {
		return province != string(HaTinh) && province != string(TuyenQuang)
	}
	return province == string(j)
}

// provinces are the provinces that the jurisdiction serves.
func (j Jurisdiction) provinces() []nation.Province {
	var own []nation.Province
	for _, p := range nation.Provinces() {
		if j.serves(p.CodeText()) {
			own = append(own, p)
		}
	}
	return own
}

// province reads a request's province_code. It fails with reason.FieldRequired when there is none,
// reason.CodeUnknown unless it is one of the 34, and reason.JurisdictionWrong when another registry keeps it.
func (j Jurisdiction) province(code string) (uint8, error) {
	const field = "province_code"
	if code == "" {
		return 0, reason.FieldRequired.At(field)
	}
	n, ok := digits(code, 2)
	if ok {
		_, ok = nation.FindProvince(nation.GSO2025, uint8(n))
	}
	switch {
	case !ok:
		return 0, reason.CodeUnknown.At(field)
	case !j.serves(code):
		return 0, reason.JurisdictionWrong.At(field)
	}
	return uint8(n), nil
}

// digits reads a number of exactly so many ASCII digits.
func digits(s string, width int) (uint32, bool) {
	if len(s) != width || s[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}
