package land

import (
	"math"

	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	"github.com/lienthong/lienthong/services/nation"
)

// sketch is what sections 3 and 4 of a certificate show: a house, if there is one, and a rectangle on the map.
type sketch struct {
	houseArea, houseFloors    uint32 // floor area in 0.1 m²
	north, east, width, depth uint32 // north-west corner in VN-2000 and sides, in cm
}

// forever is the term without end, as certificates word it.
const forever = "Lâu dài"

func (s *sketch) assets(form landv1.FormOfUse) []*landv1.Asset {
	if s.houseArea == 0 {
		return nil
	}
	return []*landv1.Asset{{
		Kind:             "Nhà ở riêng lẻ",
		FloorAreaTenthM2: s.houseArea,
		Floors:           s.houseFloors,
		FormOfOwnership:  form,
		Term:             forever,
	}}
}

// corners goes round clockwise from the north-west.
func (s *sketch) corners() []*landv1.Corner {
	south, right := s.north-s.depth, s.east+s.width
	return []*landv1.Corner{
		{NorthingCm: s.north, EastingCm: s.east},
		{NorthingCm: s.north, EastingCm: right},
		{NorthingCm: south, EastingCm: right},
		{NorthingCm: south, EastingCm: s.east},
	}
}

// draw makes up the sketch of a synthetic parcel: always the same for the same parcel. The rectangle has the
// parcel's area; where it lies is illustrative, as the communes are. Sides are 1:1 to 1:3, houses stand on
// three in four residential parcels and cover at most half of the land.
func draw(p *nation.Parcel) sketch {
	h := mix(uint64(p.Place.Commune)<<32 | uint64(p.Sheet)<<16 | uint64(p.Plot))
	ratio := 1 + float64(h%200)/100
	area := float64(p.Area) * 1000 // 0.1 m² is 1,000 cm²
	width := math.Sqrt(area / ratio)
	s := sketch{
		north: 256_000_000 - uint32(p.Place.Province)*1_680_000 + uint32(h>>8%1_000_000),
		east:  50_000_000 + uint32(h>>32%10_000_000),
		width: uint32(math.Round(width)),
		depth: uint32(math.Round(area / width)),
	}
	residential := p.Use == nation.LandONT || p.Use == nation.LandODT
	if residential && h>>60 < 12 {
		s.houseFloors = 1 + uint32(h>>56%3)
		s.houseArea = min(p.Area/2, 1200) * s.houseFloors
	}
	return s
}

// mix spreads the bits of x over 64 (the finaliser of SplitMix64, Steele et al. 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
