package nation

import (
	"slices"
	"sort"
	"sync"
)

// The communes are illustrative. Their number per province is the real one, and each succeeds three old communes of
// one old province, which gives 9,963 of these (really about 10,040). A commune has the code of its last predecessor,
// and codes run in steps of three as real ones do: the k-th commune is 9k+7, its predecessors 9k+1, 9k+4 and 9k+7.
// So 00070, Hoàn Kiếm, falls where it really is.
const (
	codesPerCommune = 9
	predecessors    = 3
	hoanKiem        = 70
)

// gazetteer holds the tables of places(). It is built once, at first use, and never changes.
type gazetteer struct {
	oldProvinces []Province
	communes     []Commune // the new ones, by code
	old          []Commune // the old ones, by code
	facilities   []Facility
	newSpan      [100]span // province code → communes
	oldSpan      [100]span // old province code → old communes
	within       [100]span // old province code → new communes that lie in it
	clinics      [100]span // province code → facilities
	newIndex     [100]uint8
	oldIndex     [100]uint8 // province code → index+1 in the table
}

// span is a range of indices [from, to).
type span struct{ from, to int32 }

var places = sync.OnceValue(newGazetteer)

func newGazetteer() *gazetteer {
	g := &gazetteer{oldProvinces: slices.Clone(oldProvinces)}
	for i, p := range newProvinces {
		g.newIndex[p.Code] = uint8(i + 1)
		g.addProvince(p)
	}
	for i := range g.oldProvinces {
		p := &g.oldProvinces[i]
		g.oldIndex[p.Code] = uint8(i + 1)
		p.Communes = int(g.oldSpan[p.Code].to - g.oldSpan[p.Code].from)
	}
	return g
}

// addProvince lays out the communes of one of the 34 provinces, shared among the old ones by their people.
func (g *gazetteer) addProvince(p Province) {
	from := int32(len(g.communes))
	clinic := int32(len(g.facilities))
	var joined []Province
	total := 0
	for _, o := range oldProvinces {
		if o.Successor == p.Code {
			joined = append(joined, o)
			total += o.Weight
		}
	}
	done, weight := 0, 0
	for _, o := range joined {
		weight += o.Weight
		upTo := p.Communes * weight / total
		g.addCommunes(p, o, done, upTo)
		done = upTo
	}
	g.newSpan[p.Code] = span{from, int32(len(g.communes))}
	g.clinics[p.Code] = span{clinic, int32(len(g.facilities))}
}

// addCommunes adds communes number from to to of a province, all in one old province.
func (g *gazetteer) addCommunes(p, o Province, from, to int) {
	start, oldStart := int32(len(g.communes)), int32(len(g.old))
	g.addFacility(p.Code, uint32(o.Code)*1000+1, 0, "Bệnh viện Đa khoa "+o.Name)
	for j := from; j < to; j++ {
		base := uint32(len(g.communes)) * codesPerCommune
		wards := j * p.Wards / p.Communes // before this one
		urban := (j+1)*p.Wards/p.Communes > wards
		kind := "Xã "
		switch {
		case urban:
			kind = "Phường "
		case j-wards < p.Zones:
			kind = "Đặc khu "
		}
		name := ""
		for k := range predecessors {
			code := base + uint32(1+3*k)
			name = communeName(o.Code, (j-from)*predecessors+k)
			if code == hoanKiem {
				name = "Hoàn Kiếm"
			}
			oldKind := "Xã "
			if urban {
				oldKind = "Phường "
			}
			g.old = append(g.old, Commune{Code: code, Province: o.Code, OldProvince: o.Code, Urban: urban, Name: oldKind + name})
		}
		c := Commune{Code: base + codesPerCommune - 2, Province: p.Code, OldProvince: o.Code, Urban: urban, Name: kind + name}
		g.communes = append(g.communes, c)
		g.addFacility(p.Code, uint32(o.Code)*1000+2+uint32(j-from), c.Code, "Trạm Y tế "+c.Name)
	}
	g.within[o.Code] = span{start, int32(len(g.communes))}
	g.oldSpan[o.Code] = span{oldStart, int32(len(g.old))}
}

func (g *gazetteer) addFacility(province uint8, code, commune uint32, name string) {
	g.facilities = append(g.facilities, Facility{Code: code, Province: province, Commune: commune, Name: name})
}

// communeName is the i-th commune name of an old province: no two are equal within it.
func communeName(oldProvince uint8, i int) string {
	first, second := communeFirst, communeSecond
	step := (i*37 + int(oldProvince)*53) % (len(first) * len(second)) // 37 has no factor in common with the count
	return first[step%len(first)] + " " + second[step/len(first)]
}

var communeFirst = [...]string{"An", "Bình", "Đông", "Tân", "Phú", "Long", "Hòa", "Thanh", "Minh", "Vĩnh", "Yên", "Quảng",
	"Xuân", "Hải", "Kim", "Đức", "Thuận", "Hưng", "Mỹ", "Nam", "Trung", "Tây", "Bắc", "Thạch", "Cẩm", "Diên"}

var communeSecond = [...]string{"Sơn", "Thịnh", "Lộc", "Thành", "Khê", "Lâm", "Giang", "Châu", "Trạch", "Thủy", "Dương",
	"Lập", "Quang", "Tiến", "Thắng", "Lợi", "Cường", "Hà", "Điền", "Nghĩa", "Phong", "Mai", "Hội", "Tường", "Bảo", "Vân"}

// streets are hamlets first, then streets: see streetOf.
var streets = [...]string{"Thôn Đông", "Thôn Tây", "Thôn Nam", "Thôn Bắc", "Thôn Thượng", "Thôn Hạ", "Thôn Trung", "Thôn 1",
	"Thôn 2", "Thôn 3", "Thôn 4", "Thôn 5", "Xóm Chùa", "Xóm Bến", "Xóm Đình", "Xóm Mới", "Ấp 1", "Ấp 2", "Ấp 3", "Ấp Chợ",
	"Đường Trần Phú", "Đường Lê Lợi", "Đường Quang Trung", "Đường Nguyễn Du", "Đường Hai Bà Trưng", "Đường Phan Đình Phùng",
	"Đường Lý Thường Kiệt", "Đường Nguyễn Huệ", "Đường Hùng Vương", "Đường Ngô Quyền", "Đường Bà Triệu", "Đường Hoàng Diệu"}

const hamlets = 20 // how many of streets are hamlets

// Provinces are the 34 provinces since 1 July 2025, by code. The caller must not change it.
func Provinces() []Province { return newProvinces }

// OldProvinces are the 63 provinces until 30 June 2025, by code. The caller must not change it.
func OldProvinces() []Province { return places().oldProvinces }

// FindProvince finds a province by its code in a code system.
func FindProvince(system System, code uint8) (Province, bool) {
	if code < 100 {
		if i := places().newIndex[code]; system == GSO2025 && i > 0 {
			return newProvinces[i-1], true
		}
		if i := places().oldIndex[code]; system == GSO2004 && i > 0 {
			return places().oldProvinces[i-1], true
		}
	}
	return Province{}, false
}

// Communes are the communes of one of the 34 provinces, by code. The caller must not change it.
func Communes(province uint8) []Commune { return slice(places().communes, places().newSpan, province) }

// OldCommunes are the communes of one of the 63 provinces, by code. The caller must not change it.
func OldCommunes(province uint8) []Commune { return slice(places().old, places().oldSpan, province) }

// Facilities are the clinics in one of the 34 provinces. The caller must not change it.
func Facilities(province uint8) []Facility {
	return slice(places().facilities, places().clinics, province)
}

func slice[T any](all []T, spans [100]span, province uint8) []T {
	if int(province) >= len(spans) {
		return nil
	}
	return all[spans[province].from:spans[province].to]
}

// FindCommune finds a commune by its code in a code system.
func FindCommune(system System, code uint32) (Commune, bool) {
	i, rest := int(code/codesPerCommune), code%codesPerCommune
	switch {
	case i >= len(places().communes):
	case system == GSO2025 && rest == codesPerCommune-2:
		return places().communes[i], true
	case system == GSO2004 && rest%3 == 1:
		return places().old[i*predecessors+int(rest/3)], true
	}
	return Commune{}, false
}

// FindFacility finds a clinic by its code.
func FindFacility(code uint32) (Facility, bool) {
	p, ok := FindProvince(GSO2004, uint8(min(code/1000, 99)))
	if !ok {
		return Facility{}, false
	}
	f := Facilities(p.Successor)
	i := sort.Search(len(f), func(i int) bool { return f[i].Code >= code })
	if i < len(f) && f[i].Code == code {
		return f[i], true
	}
	return Facility{}, false
}
