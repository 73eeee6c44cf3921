package nation

import (
	"context"
	"errors"
)

func generate(ctx context.Context, cfg Config) (*Nation, error) { return nil, errors.New("not yet") }

// Religion is a religion code; 0 is none.
type Religion uint8

// String is the religion in Vietnamese; "Không" for none.
func (r Religion) String() string { return "" }

// Blood is an ABO blood group with rhesus factor, 1–8; 0 is not recorded.
type Blood uint8

// String is the group, such as "O+", or "".
func (b Blood) String() string { return "" }

// String is the occupation in Vietnamese.
func (w Work) String() string { return "" }

// Name is the employer's name.
func (e *Employer) Name() string { return "" }

// EthnicName is the name of an ethnic group, by its code 1–54, or "".
func EthnicName(code uint8) string { return "" }

// Provinces are the 34 provinces since 1 July 2025, by code. The caller must not change it.
func Provinces() []Province { return nil }

// OldProvinces are the 63 provinces until 30 June 2025, by code. The caller must not change it.
func OldProvinces() []Province { return nil }

// FindProvince finds a province by its code in a code system.
func FindProvince(system System, code uint8) (Province, bool) { return Province{}, false }

// Communes are the communes of one of the 34 provinces. The caller must not change it.
func Communes(province uint8) []Commune { return nil }

// OldCommunes are the communes of one of the 63 provinces. The caller must not change it.
func OldCommunes(province uint8) []Commune { return nil }

// FindCommune finds a commune by its code in a code system.
func FindCommune(system System, code uint32) (Commune, bool) { return Commune{}, false }

// Facilities are the clinics in one of the 34 provinces. The caller must not change it.
func Facilities(province uint8) []Facility { return nil }

// FindFacility finds a clinic by its code.
func FindFacility(code uint32) (Facility, bool) { return Facility{}, false }

// ProvinceCode is the 2-digit code, or "" for no place.
func (p Place) ProvinceCode() string { return "" }

// ProvinceName is the province's name in the place's code system, or "".
func (p Place) ProvinceName() string { return "" }

// CommuneCode is the 5-digit code, or "".
func (p Place) CommuneCode() string { return "" }

// CommuneName is the commune's name in the place's code system, or "".
func (p Place) CommuneName() string { return "" }

// Detail is street or hamlet and house number: "Thôn Đông, số 12", or "".
func (p Place) Detail() string { return "" }

// String is the whole address in words: "Thôn Đông, số 12, Xã Thạch Hà, Hà Tĩnh".
func (p Place) String() string { return "" }

// Agency is the office that registers civil status there: "UBND Xã Thạch Hà".
func (p Place) Agency() string { return "" }

// OldProvince is the code, among the 63, of the province that the place lies in.
func (p Place) OldProvince() uint8 { return 0 }

// ParentNames are the names of a person's parents: the parents' own if they are in the nation, made-up ones (always
// the same) if they are not.
func (n *Nation) ParentNames(person int32) (father, mother Name) { return Name{}, Name{} }

// PaperShare is the declared share of civil-status entries before 2016 of an old province that are only on paper.
func (n *Nation) PaperShare(oldProvince uint8) float64 { return 0 }

// Digest is the SHA-256 of all of the nation's data.
func (n *Nation) Digest() [32]byte { return [32]byte{} }

// Sampled is a person picked for a test.
type Sampled struct {
	Index     int32
	Number    Number
	OldNumber OldNumber
	Name      string
	Birth     Date
	Province  string // of residence, GSO-2025 name
	Note      string // what is special, such as the parcel, the damage or the other person's number
}

// Kinds are the kinds that Sample knows, each with what it means.
func Kinds() []Kind { return nil }

// Kind is a kind of person that tests ask for.
type Kind struct{ Name, Meaning string }

// Sample picks up to count people of a kind, always the same ones. It fails if the kind is unknown.
func (n *Nation) Sample(kind string, count int) ([]Sampled, error) { return nil, nil }
