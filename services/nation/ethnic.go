package nation

import "sync"

// EthnicName is the name of an ethnic group, by its code 1–54, or "".
func EthnicName(code uint8) string {
	if code == 0 || int(code) > len(ethnicGroups) {
		return ""
	}
	return ethnicGroups[code-1].name
}

const kinh = 1

// ethnicMix is, for each old province, the cumulative share of the groups that live there.
type ethnicMix [100][]share

type share struct {
	upTo  float64
	group uint8
}

// mixOfProvinces spreads the census over the provinces: a group's main provinces have what the census says, the
// rest of the group lives in all provinces alike, and whoever is left in a province is Kinh.
var mixOfProvinces = sync.OnceValue(func() *ethnicMix {
	mix := &ethnicMix{}
	everywhere := 0
	for _, p := range oldProvinces {
		everywhere += p.Weight
	}
	for _, p := range oldProvinces {
		people := float64(p.Weight) * 0.9 // recorded people include temporary ones, the census did not
		sum := 0.0
		for i, g := range ethnicGroups[kinh:] {
			rest, here := g.people, 0
			for _, h := range g.homes {
				rest -= h.people
				if h.province == p.Code {
					here = h.people
				}
			}
			sum += (float64(here) + float64(max(rest, 0))*float64(p.Weight)/float64(everywhere)) / people
			mix[p.Code] = append(mix[p.Code], share{min(sum, 0.95), uint8(i + 2)})
		}
	}
	return mix
})

// drawEthnic draws an ethnic group as it is found in an old province.
func drawEthnic(r *rng, oldProvince uint8) uint8 {
	u := r.unit()
	shares := mixOfProvinces()[oldProvince]
	if u >= shares[len(shares)-1].upTo {
		return kinh
	}
	for _, s := range shares {
		if u < s.upTo {
			return s.group
		}
	}
	return kinh
}

// Religion is a religion code; 0 is none.
type Religion uint8

// Religions that the generator uses.
const (
	NoReligion Religion = iota
	Buddhist
	Catholic
	Protestant
	HoaHao
	CaoDai
	Muslim
)

// String is the religion in Vietnamese; "Không" for none.
func (r Religion) String() string {
	return [...]string{"Không", "Phật giáo", "Công giáo", "Tin lành", "Phật giáo Hòa Hảo", "Cao Đài", "Hồi giáo"}[r%7]
}

// drawReligion draws a religion with the national shares, more of one where it is at home.
func drawReligion(r *rng, ethnic, oldProvince uint8) Religion {
	u := r.unit()
	switch {
	case ethnic == 5 && u < 0.8:
		return Buddhist
	case ethnic == 17 && (oldProvince == 89 || oldProvince == 58) && u < 0.6:
		return Muslim
	case nameGroup[ethnic] != 0 && u < 0.2:
		return Protestant
	case (oldProvince == 89 || oldProvince == 87) && u < 0.2:
		return HoaHao
	case oldProvince == 72 && u < 0.3:
		return CaoDai
	case (oldProvince == 36 || oldProvince == 37 || oldProvince == 75) && u < 0.2:
		return Catholic
	case u < 0.045:
		return Buddhist
	case u < 0.095:
		return Catholic
	case u < 0.10:
		return Protestant
	case u < 0.104:
		return CaoDai
	}
	return NoReligion
}

// Blood is an ABO blood group with rhesus factor, 1–8; 0 is not recorded.
type Blood uint8

// String is the group, such as "O+", or "".
func (b Blood) String() string {
	return [...]string{"", "O+", "B+", "A+", "AB+", "O-", "B-", "A-", "AB-"}[b%9]
}

// drawBlood draws a blood group; half the people have none on record.
func drawBlood(r *rng) Blood {
	u := r.intn(2000)
	switch {
	case u >= 1000:
		return 0
	case u == 0:
		return Blood(5 + r.intn(4))
	case u < 430:
		return 1
	case u < 730:
		return 2
	case u < 940:
		return 3
	}
	return 4
}
