package population

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/store"
)

// Lists of the shared catalogue.
const (
	listEthnic   = "ethnic"
	listReligion = "religion"
)

// Filled reports whether the database holds a nation, whole.
func (r *Registry) Filled(ctx context.Context) (bool, error) { return r.db.Filled(ctx) }

// Fill puts a nation's people into the database, unless it was filled before. Nobody may ask the registry meanwhile.
func (r *Registry) Fill(ctx context.Context, n *nation.Nation) error {
	err := r.db.Fill(ctx,
		store.Table{Name: "person", Columns: personTable, Rows: people(n)},
		store.Table{Name: "unit", Columns: []string{"system", "code", "province", "name"}, Rows: units()},
		store.Table{Name: "catalogue", Columns: []string{"list", "code", "name"}, Rows: lists(n)})
	if err != nil {
		return fmt.Errorf("fill population: %w", err)
	}
	return r.readCatalogue(ctx)
}

// personTable are the columns of table person, in the order of personRow.
var personTable = []string{
	"id", "old_id", "family", "middle", "given", "birth_date", "sex", "ethnic", "religion", "blood", "phone", "card_issued",
	"birth_system", "birth_unit", "birth_detail", "hometown_system", "hometown_unit",
	"father_id", "father_name", "mother_id", "mother_name", "spouse_id", "marital", "household", "relation",
	"permanent_unit", "permanent_old_unit", "permanent_detail", "permanent_since",
	"temporary_unit", "temporary_detail", "temporary_until", "absent", "death_date",
}

func people(n *nation.Nation) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		row := make([]any, 0, len(personTable))
		for i := range n.People {
			if !yield(personRow(row, n, int32(i))) {
				return
			}
		}
	}
}

// personRow puts a person's row into room.
func personRow(room []any, n *nation.Nation, i int32) []any {
	p := &n.People[i]
	row := append(room, p.Number.String(), orNull(p.OldNumber.String()),
		p.Name.FamilyName(), p.Name.MiddleName(), p.Name.GivenName(), p.Birth.String(), int(p.Sex),
		code2(int(p.Ethnic)), code2(int(p.Religion)), orNull(p.Blood.String()), orNull(p.Phone.String()), orNull(p.Issued.String()))
	row = append(row, system(p.BirthPlace), unitCode(p.BirthPlace), orNull(p.BirthPlace.Detail()),
		system(p.Hometown), unitCode(p.Hometown))
	father, mother := n.ParentNames(i)
	row = append(row, number(n, p.Father), orNull(father.String()), number(n, p.Mother), orNull(mother.String()),
		number(n, p.Spouse), int(p.Marital))
	row = appendHousehold(row, n, p)
	return appendStay(row, n, p)
}

// appendHousehold appends household, relation and permanent residence. The dead are in no household any more.
func appendHousehold(row []any, n *nation.Nation, p *nation.Person) []any {
	home := &n.Households[p.Household]
	if p.Living() {
		row = append(row, home.FileNumber(), int(p.Relation))
	} else {
		row = append(row, nil, 0)
	}
	return append(row, unitCode(home.Place), unitCode(home.OldPlace), orNull(home.Place.Detail()), orNull(home.Since.String()))
}

// appendStay appends temporary residence, temporary absence and death.
func appendStay(row []any, n *nation.Nation, p *nation.Person) []any {
	if !p.Living() {
		return append(row, nil, nil, nil, 0, n.Deaths[p.Death].When.String())
	}
	if p.Stay == nation.None {
		return append(row, nil, nil, nil, 0, nil)
	}
	stay := &n.Stays[p.Stay]
	return append(row, unitCode(stay.Place), orNull(stay.Place.Detail()), orNull(stay.Until.String()), absent(n, p), nil)
}

// absent is 1 for those who must declare a long absence: men of the age of military service (Law on Residence, Art. 31).
func absent(n *nation.Nation, p *nation.Person) int {
	age := n.Config.AsOf.Year() - p.Birth.Year()
	if p.Sex == nation.Male && age >= 18 && age <= 25 {
		return 1
	}
	return 0
}

// number is somebody's number, NULL for nobody.
func number(n *nation.Nation, person int32) any {
	if person == nation.None {
		return nil
	}
	return n.People[person].Number.String()
}

func system(p nation.Place) any {
	if p.System == 0 {
		return nil
	}
	return int(p.System)
}

// unitCode is the commune's code, or the province's when no commune is known, or NULL.
func unitCode(p nation.Place) any {
	if commune := p.CommuneCode(); commune != "" {
		return commune
	}
	return orNull(p.ProvinceCode())
}

// units are all provinces and communes of both code systems.
func units() iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for _, s := range []struct {
			system    hubv1.CodeSystem
			provinces []nation.Province
			communes  func(uint8) []nation.Commune
		}{
			{before2025, nation.OldProvinces(), nation.OldCommunes},
			{since2025, nation.Provinces(), nation.Communes},
		} {
			for _, p := range s.provinces {
				if !yield([]any{int(s.system), p.CodeText(), p.CodeText(), p.Name}) {
					return
				}
				for _, c := range s.communes(p.Code) {
					if !yield([]any{int(s.system), c.CodeText(), p.CodeText(), c.Name}) {
						return
					}
				}
			}
		}
	}
}

// ethnicGroups is how many there are in Viet Nam.
const ethnicGroups = 54

// lists are the ethnic groups, and the religions that somebody has.
func lists(n *nation.Nation) iter.Seq[[]any] {
	religions := map[nation.Religion]bool{0: true}
	for i := range n.People {
		religions[n.People[i].Religion] = true
	}
	return func(yield func([]any) bool) {
		for code := uint8(1); code <= ethnicGroups; code++ {
			if !yield([]any{listEthnic, code2(int(code)), nation.EthnicName(code)}) {
				return
			}
		}
		for _, religion := range slices.Sorted(maps.Keys(religions)) {
			if !yield([]any{listReligion, code2(int(religion)), religion.String()}) {
				return
			}
		}
	}
}

// code2 is a code of two digits.
func code2(code int) string {
	if code < 10 {
		return "0" + strconv.Itoa(code)
	}
	return strconv.Itoa(code)
}
