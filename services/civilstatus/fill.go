package civilstatus

import (
	"context"
	"fmt"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/person"
	"github.com/lienthong/lienthong/services/store"
)

// Fill puts a nation's births, marriages and deaths into the books, unless they were filled before. Nobody may ask the
// registry meanwhile.
func (r *Registry) Fill(ctx context.Context, n *nation.Nation) error {
	if err := r.db.Fill(ctx, tablesOf(n)...); err != nil {
		return fmt.Errorf("fill civil status: %w", err)
	}
	return r.readCatalogue(ctx)
}

// tablesOf are the tables that a nation fills. The counters come after the entries, which they count.
func tablesOf(n *nation.Nation) []store.Table {
	f := &filler{nation: n, last: lastMarriages(n), counters: map[counter]int{}, names: namesOf()}
	return []store.Table{
		{Name: "person", Columns: []string{"id", "name_key", "birth", "sex", "died_on", "marital", "marital_since", "marital_known",
			"marriage_id", "mother_id", "father_id", "file"}, Rows: f.people},
		{Name: "birth", Columns: []string{"person_id", "entry", "page"}, Rows: f.births},
		{Name: "marriage", Columns: []string{"id", "entry", "husband_id", "wife_id", "state", "ended_on", "page"}, Rows: f.marriages},
		{Name: "death", Columns: []string{"person_id", "entry", "page"}, Rows: f.deaths},
		{Name: "counter", Columns: []string{"kind", "agency_code", "year", "last"}, Rows: f.lastNumbers},
		{Name: "commune", Columns: []string{"system", "code", "name", "province", "province_name", "old_province"}, Rows: communes},
		{Name: "ethnic", Columns: []string{"code", "name"}, Rows: ethnicGroups},
	}
}

// filler turns a nation into rows.
type filler struct {
	nation   *nation.Nation
	last     []int32 // by person: index of the current or last marriage, or None
	counters map[counter]int
	names    *catalogue
}

// counter names the running numbers of a book.
type counter struct {
	kind, agency string
	year         int
}

// lastMarriages are, by person, the current marriage or the last one.
func lastMarriages(n *nation.Nation) []int32 {
	last := make([]int32, len(n.People))
	for i := range last {
		last[i] = nation.None
	}
	for i := range n.Marriages {
		m := &n.Marriages[i]
		for _, spouse := range []int32{m.Husband, m.Wife} {
			if l := last[spouse]; l == nation.None || n.Marriages[l].Entry.Date <= m.Entry.Date {
				last[spouse] = int32(i)
			}
		}
	}
	return last
}

// people yields everybody's civil-status file, the living's and the dead's.
func (f *filler) people(yield func([]any) bool) {
	row := make([]any, 12)
	for i := range f.nation.People {
		p, b := &f.nation.People[i], &f.nation.Births[i]
		row[0], row[1], row[2], row[3] = p.Number.String(), person.NameKey(b.Name.String()), b.Date.String(), int(p.Sex)
		row[4] = ""
		if p.Death != nation.None {
			row[4] = f.nation.Deaths[p.Death].When.String()
		}
		row[5], row[6], row[7], row[8] = f.marital(int32(i))
		row[9], row[10] = f.number(p.Mother), f.number(p.Father)
		file := f.citizen(int32(i))
		if row[11] = f.names.write(func(c *codec) { c.party(&file) }); !yield(row) {
			return
		}
	}
}

// marital is what the marriages say of a person: the status, since when, whether a page says so, and the marriage.
func (f *filler) marital(i int32) (status int, since string, known int, marriage int) {
	if f.last[i] == nation.None {
		return int(civilstatusv1.MaritalStatus_MARITAL_STATUS_NEVER_MARRIED), "", 1, 0
	}
	m := &f.nation.Marriages[f.last[i]]
	known = 1
	if m.Undigitised {
		known = 0
	}
	marriage = int(f.last[i]) + 1
	switch m.End {
	case nation.EndedByDivorce:
		return int(civilstatusv1.MaritalStatus_MARITAL_STATUS_DIVORCED), m.EndDate.String(), known, marriage
	case nation.EndedByDeath:
		if f.survives(i, m) {
			return int(civilstatusv1.MaritalStatus_MARITAL_STATUS_WIDOWED), m.EndDate.String(), known, marriage
		}
	}
	return int(civilstatusv1.MaritalStatus_MARITAL_STATUS_MARRIED), m.Entry.Date.String(), known, marriage
}

// survives reports whether the person outlived the other in a marriage that death ended.
func (f *filler) survives(i int32, m *nation.Marriage) bool {
	p := &f.nation.People[i]
	return p.Living() || f.nation.Deaths[p.Death].When > m.EndDate
}

func (f *filler) births(yield func([]any) bool) {
	row := make([]any, 3)
	for i := range f.nation.Births {
		b := &f.nation.Births[i]
		row[0], row[1], row[2] = f.nation.People[i].Number.String(), f.entry(bookOfBirths, &b.Entry), nil
		if !b.Undigitised {
			r := f.birth(int32(i))
			row[2] = f.names.write(func(c *codec) { c.birth(r) })
		}
		if !yield(row) {
			return
		}
	}
}

func (f *filler) marriages(yield func([]any) bool) {
	row := make([]any, 7)
	for i := range f.nation.Marriages {
		m := &f.nation.Marriages[i]
		row[0], row[1], row[2], row[3] = i+1, f.entry(bookOfMarriages, &m.Entry), f.number(m.Husband), f.number(m.Wife)
		row[4], row[5], row[6] = int(stateOf(m.End)), m.EndDate.String(), nil
		if !m.Undigitised {
			r := f.marriage(m)
			row[6] = f.names.write(func(c *codec) { c.marriage(r) })
		}
		if !yield(row) {
			return
		}
	}
	f.counters[counter{kind: marriageNumbers}] = len(f.nation.Marriages)
}

func stateOf(end nation.Ending) civilstatusv1.MarriageState {
	switch end {
	case nation.EndedByDivorce:
		return civilstatusv1.MarriageState_MARRIAGE_STATE_DIVORCED
	case nation.EndedByDeath:
		return civilstatusv1.MarriageState_MARRIAGE_STATE_ENDED_BY_DEATH
	}
	return civilstatusv1.MarriageState_MARRIAGE_STATE_CURRENT
}

func (f *filler) deaths(yield func([]any) bool) {
	row := make([]any, 3)
	for i := range f.nation.Deaths {
		d := &f.nation.Deaths[i]
		row[0], row[1], row[2] = f.number(d.Person), f.entry(bookOfDeaths, &d.Entry), nil
		if !d.Undigitised {
			r := f.death(d)
			row[2] = f.names.write(func(c *codec) { c.death(r) })
		}
		if !yield(row) {
			return
		}
	}
}

// entry is where an entry stands in the books; its number counts.
func (f *filler) entry(kind string, e *nation.Entry) string {
	agency := e.Place.CommuneCode()
	if e.Place.System == nation.GSO2025 { // no more is entered under the old codes
		c := counter{kind, agency, e.Date.Year()}
		f.counters[c] = max(f.counters[c], int(e.Number))
	}
	return entryKey(agency, e.NumberText())
}

// lastNumbers yields the last number of each book; a new entry takes the next.
func (f *filler) lastNumbers(yield func([]any) bool) {
	for c, last := range f.counters {
		if !yield([]any{c.kind, c.agency, c.year, last}) {
			return
		}
	}
}

// communes are those of both code systems.
func communes(yield func([]any) bool) {
	for _, s := range []struct {
		system    hubv1.CodeSystem
		provinces []nation.Province
		communes  func(uint8) []nation.Commune
	}{
		{hubv1.CodeSystem_CODE_SYSTEM_GSO_2004, nation.OldProvinces(), nation.OldCommunes},
		{hubv1.CodeSystem_CODE_SYSTEM_GSO_2025, nation.Provinces(), nation.Communes},
	} {
		for _, p := range s.provinces {
			for _, c := range s.communes(p.Code) {
				old, _ := nation.FindProvince(nation.GSO2004, c.OldProvince)
				if !yield([]any{int(s.system), c.CodeText(), c.Name, p.CodeText(), p.Name, old.CodeText()}) {
					return
				}
			}
		}
	}
}

// namesOf is the catalogue that is being filled.
func namesOf() *catalogue {
	c := newCatalogue()
	for row := range communes {
		c.add(hubv1.CodeSystem(row[0].(int)), commune{code: row[1].(string), name: row[2].(string), province: row[3].(string),
			provinceName: row[4].(string), oldProvince: row[5].(string)})
	}
	for row := range ethnicGroups {
		c.ethnic[row[0].(string)] = row[1].(string)
	}
	return c
}

func ethnicGroups(yield func([]any) bool) {
	for code := uint8(1); nation.EthnicName(code) != ""; code++ {
		if !yield([]any{ethnicCode(code), nation.EthnicName(code)}) {
			return
		}
	}
}
