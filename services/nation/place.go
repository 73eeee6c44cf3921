package nation

import "strconv"

// System is a list of administrative units; the codes are those of hub.v1.CodeSystem.
type System uint8

// The code systems.
const (
	GSO2004 System = 1 // until 30 June 2025: 63 provinces
	GSO2025 System = 2 // since 1 July 2025: 34 provinces, 3,321 communes, no districts
)

// Place is an address: a province, a commune and, where known, a house. The zero value is no place.
type Place struct {
	Commune  uint32 // 5-digit code in System; 0 if only the province is known
	Street   uint16 // see Detail; 0 if no finer address is known
	House    uint16
	Province uint8 // 2-digit code in System
	System   System
}

// ProvinceCode is the 2-digit code, or "" for no place.
func (p Place) ProvinceCode() string { return digits(uint64(p.Province), 2) }

// ProvinceName is the province's name in the place's code system, or "".
func (p Place) ProvinceName() string {
	found, _ := FindProvince(p.System, p.Province)
	return found.Name
}

// CommuneCode is the 5-digit code, or "".
func (p Place) CommuneCode() string { return digits(uint64(p.Commune), 5) }

// CommuneName is the commune's name in the place's code system, or "".
func (p Place) CommuneName() string {
	found, _ := FindCommune(p.System, p.Commune)
	return found.Name
}

// Detail is street or hamlet and house number: "Thôn Đông, số 12", or "".
func (p Place) Detail() string {
	if p.Street == 0 {
		return ""
	}
	return streets[int(p.Street-1)%len(streets)] + ", số " + strconv.Itoa(int(p.House))
}

// String is the whole address in words: "Thôn Đông, số 12, Xã Thạch Hà, Hà Tĩnh".
func (p Place) String() string {
	s := p.ProvinceName()
	if c := p.CommuneName(); c != "" {
		s = c + ", " + s
	}
	if d := p.Detail(); d != "" {
		s = d + ", " + s
	}
	return s
}

// Agency is the office that registers civil status there: "UBND Xã Thạch Hà".
func (p Place) Agency() string { return "UBND " + p.CommuneName() }

// OldProvince is the code, among the 63, of the province that the place lies in; 0 if not known.
func (p Place) OldProvince() uint8 {
	if p.System == GSO2004 {
		return p.Province
	}
	found, _ := FindCommune(GSO2025, p.Commune)
	return found.OldProvince
}

// Province is one of the 34 provinces since 1 July 2025, or one of the 63 before.
type Province struct {
	Code      uint8  // GSO code, 1–96
	Successor uint8  // code among the 34; for one of the 34 its own code
	Name      string // such as "Hà Tĩnh"
	Weight    int    // people, approximate; used to draw provinces
	OldPrefix uint16 // first digits of 9-digit numbers issued there; only for the 63
	OldDigits uint8  // how many digits OldPrefix has
	Communes  int    // number of communes
	Wards     int    // how many of them are phường; only for the 34
	Zones     int    // how many of them are đặc khu; only for the 34
}

// CodeText is the 2-digit code.
func (p Province) CodeText() string { return pad(uint64(p.Code), 2) }

// Commune is a commune-level unit. Codes and names are illustrative, except 00070 Hoàn Kiếm.
type Commune struct {
	Code        uint32 // 5 digits, unique in its system
	Province    uint8  // code of its province in its system
	OldProvince uint8  // code among the 63
	Urban       bool   // phường
	Name        string // such as "Xã Thạch Hà"
}

// CodeText is the 5-digit code.
func (c Commune) CodeText() string { return pad(uint64(c.Code), 5) }

// Facility is an illustrative clinic; its 5-digit code begins with an old province code.
type Facility struct {
	Code     uint32
	Province uint8 // code among the 34
	Commune  uint32
	Name     string
}

// CodeText is the 5-digit code.
func (f Facility) CodeText() string { return pad(uint64(f.Code), 5) }
