package land

import (
	"slices"

	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/person"
)

// newCodes is the day from which certificates are written with the code system of 34 provinces.
var newCodes = nation.NewDate(2025, 7, 1)

// communeRows are the own communes in the code system since July 2025, whether or not any parcel lies there, and
// all others that an address may name.
func (p *part) communeRows(yield func([]any) bool) {
	for _, province := range nation.Provinces() {
		if !p.communesOf(nation.GSO2025, province, nation.Communes(province.Code), yield) {
			return
		}
	}
	for _, province := range nation.OldProvinces() {
		if p.serves[province.Successor] && !p.communesOf(nation.GSO2004, province, nation.OldCommunes(province.Code), yield) {
			return
		}
	}
}

func (p *part) communesOf(system nation.System, province nation.Province, communes []nation.Commune, yield func([]any) bool) bool {
	for _, c := range communes {
		_, gap := slices.BinarySearch(p.n.LandGaps, c.Code)
		digitised := system == nation.GSO2004 || !gap
		if !yield([]any{int64(system), int64(c.Code), c.Name, int64(province.Code), province.Name, flag(digitised)}) {
			return false
		}
	}
	return true
}

func (p *part) certificateRows(yield func([]any) bool) {
	for i, c := range p.certificates {
		if !yield([]any{id(i), c.SerialText(), p.province(c), c.BookText(), c.Issued.String(), flag(p.wrong(c))}) {
			return
		}
	}
}

func (p *part) province(c *nation.Certificate) int64 {
	return int64(p.n.Parcels[c.First].Place.Province)
}

func (p *part) parcelRows(yield func([]any) bool) {
	for i, c := range p.certificates {
		form := landv1.FormOfUse_FORM_OF_USE_SOLE
		if c.Owners > 1 {
			form = landv1.FormOfUse_FORM_OF_USE_JOINT
		}
		serial, wrong := c.SerialText(), flag(p.wrong(c))
		for j := c.First; j < c.First+int32(c.Parcels); j++ {
			l := &p.n.Parcels[j]
			system, recorded := recordedIn(c, l)
			s := draw(l)
			if !yield([]any{id(j), id(i), serial, wrong, int64(l.Place.Commune), int64(l.Sheet), int64(l.Plot), int64(l.Area),
				l.Use.String(), l.Use.Name(), term(l.Term), int64(form), l.Origin.String(), int64(system), int64(recorded),
				l.Place.Detail(), int64(p.encumbrances[j]), int64(s.houseArea), int64(s.houseFloors),
				int64(s.north), int64(s.east), int64(s.width), int64(s.depth)}) {
				return
			}
		}
	}
}

// recordedIn is the code system and commune of a parcel's address as its certificate has it: codes are kept as
// they were written.
func recordedIn(c *nation.Certificate, l *nation.Parcel) (nation.System, uint32) {
	if c.Issued < newCodes && l.OldCommune != 0 {
		return nation.GSO2004, l.OldCommune
	}
	return l.Place.System, l.Place.Commune
}

func term(end nation.Date) string {
	if end == 0 {
		return forever
	}
	return end.String()
}

func (p *part) ownerRows(yield func([]any) bool) {
	for i, c := range p.certificates {
		province := p.province(c)
		for position := range int32(c.Owners) {
			index := c.FirstOwner + position
			o := &p.n.Owners[index]
			name := o.Name.String()
			var home nation.Place
			if o.Person != nation.None {
				home = p.n.Residence(o.Person)
			}
			if !yield([]any{id(i), int64(position), province, name, person.NameKey(name), flag(p.wrongOwner[index]),
				orNull(o.Number.String()), orNull(o.OldNumber.String()), o.Birth.String(),
				int64(home.Commune), home.Detail()}) {
				return
			}
		}
	}
}

// orNull keeps an absent number out of the indices, so that no question finds it.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (p *part) encumbranceRows(yield func([]any) bool) {
	n := int64(0)
	for i := range p.n.Mortgages {
		m := &p.n.Mortgages[i]
		if !p.holds(&p.n.Parcels[m.Parcel]) {
			continue
		}
		n++
		if !yield([]any{n, id(m.Parcel), int64(mortgage), m.Bank(), m.ContractText(), m.Registered.String(), m.Removed.String()}) {
			return
		}
	}
	for i := range p.n.Restrictions {
		q := &p.n.Restrictions[i]
		l := &p.n.Parcels[q.Parcel]
		if !p.holds(l) {
			continue
		}
		n++
		kind, authority := authorityOf(q.Kind, l.Place)
		if !yield([]any{n, id(q.Parcel), kind, authority, q.DecisionText(), q.From.String(), q.Until.String()}) {
			return
		}
	}
}

// authorityOf is the kind of an encumbrance in the database and the office that orders such in a place.
func authorityOf(kind nation.RestrictionKind, at nation.Place) (int64, string) {
	switch kind {
	case nation.Seizure:
		return seizure, "Thi hành án dân sự " + at.ProvinceName()
	case nation.Dispute:
		return dispute, at.Agency()
	}
	return restriction, "UBND " + at.ProvinceName()
}
