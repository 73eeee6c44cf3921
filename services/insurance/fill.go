package insurance

import (
	"context"
	"fmt"
	"iter"
	"slices"

	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/person"
	"github.com/lienthong/lienthong/services/store"
)

// Filled reports whether the registry was filled to the end.
func (r *Registry) Filled(ctx context.Context) (bool, error) { return r.db.Filled(ctx) }

// Fill puts the nation's cards and contributions into the database, unless it was filled before. Nobody may ask the
// registry meanwhile.
func (r *Registry) Fill(ctx context.Context, n *nation.Nation) error {
	err := r.db.Fill(ctx,
		store.Table{Name: "insured", Columns: columns, Rows: insuredRows(n)},
		store.Table{Name: "former_card", Columns: []string{"insurance_number", "card_prefix", "valid_from", "valid_to"}, Rows: formerRows(n)},
		store.Table{Name: "contribution", Columns: []string{"insurance_number", "seq", "type", "first_month", "last_month",
			"unit_code", "wage_base"}, Rows: contributionRows(n)})
	if err != nil {
		return fmt.Errorf("fill insurance: %w", err)
	}
	return nil
}

func insuredRows(n *nation.Nation) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		var row []any
		for c := range n.Cards {
			i := fromCard(n, &n.Cards[c])
			if row = i.appendValues(row[:0]); !yield(row) {
				return
			}
		}
	}
}

// fromCard is the row of a card of the nation. The office knows of a death, for the funeral allowance is asked of it.
func fromCard(n *nation.Nation, c *nation.Card) insured {
	code := c.Code()
	i := insured{
		number: code[prefixLength:], personalID: c.Number.String(), oldID: c.OldNumber.String(),
		family: c.Name.FamilyName(), middle: c.Name.MiddleName(), given: c.Name.GivenName(),
		birth: c.Birth.String(), sex: int64(c.Sex), prefix: code[:prefixLength],
		validFrom: c.From.String(), validTo: c.To.String(), fiveYears: c.FiveYears.String(),
		facility: c.FacilityCode(), livingArea: c.Zone.String(),
	}
	if _, former := formerChildCard(n, c); former {
		i.formerPrefix = childPrefix(i.prefix)
	}
	if c.Person == nation.None {
		return i
	}
	place := n.Residence(c.Person)
	i.codeSystem, i.detail = int64(place.System), place.Detail()
	i.provinceCode, i.provinceName = place.ProvinceCode(), place.ProvinceName()
	i.communeCode, i.communeName = place.CommuneCode(), place.CommuneName()
	if d := n.People[c.Person].Death; d != nation.None {
		i.deceased, i.endedOn, i.endedCode = 1, n.Deaths[d].When.String(), string(reduced)
	}
	return i
}

// formerChildCard is the last day of the child's card that the card of a 6-year-old followed, and whether there was
// one.
func formerChildCard(n *nation.Nation, c *nation.Card) (ends string, was bool) {
	if c.Category.String() == childUnderSix || !c.Birth.Full() || c.Birth.Year() < n.Config.AsOf.Year()-7 {
		return "", false
	}
	ends = iso(childCardEnds(person.Date{Year: c.Birth.Year(), Month: c.Birth.Month(), Day: c.Birth.Day()}))
	return ends, ends < n.Config.AsOf.String()
}

func childPrefix(prefix string) string { return childUnderSix + "1" + prefix[3:] }

func formerRows(n *nation.Nation) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		row := make([]any, 4)
		for i := range n.Cards {
			c := &n.Cards[i]
			ends, was := formerChildCard(n, c)
			if !was {
				continue
			}
			code := c.Code()
			row[0], row[1], row[2], row[3] = code[prefixLength:], childPrefix(code[:prefixLength]), c.Birth.String(), ends
			if !yield(row) {
				return
			}
		}
	}
}

// contributionRows numbers the periods of each insurance number, oldest first.
func contributionRows(n *nation.Nation) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		row := make([]any, 7)
		all := n.Contributions
		for len(all) > 0 {
			end := 1
			for end < len(all) && all[end].Person == all[0].Person {
				end++
			}
			periods := slices.Clone(all[:end])
			all = all[end:]
			slices.SortStableFunc(periods, oldestFirst)
			var number nation.Insurance
			seq := 0
			for p := range periods {
				if periods[p].Insurance != number {
					number, seq = periods[p].Insurance, 0
				}
				seq++
				if !yield(contributionRow(row, n, &periods[p], seq)) {
					return
				}
			}
		}
	}
}

func oldestFirst(a, b nation.Contribution) int {
	if a.Insurance != b.Insurance {
		return int(int64(a.Insurance) - int64(b.Insurance))
	}
	return int(a.From) - int(b.From)
}

func contributionRow(row []any, n *nation.Nation, c *nation.Contribution, seq int) []any {
	row[0], row[1] = c.Insurance.String(), seq
	row[2], row[5] = int(insurancev1.ContributionType_CONTRIBUTION_TYPE_VOLUNTARY), ""
	if c.Employer != nation.None {
		row[2], row[5] = int(insurancev1.ContributionType_CONTRIBUTION_TYPE_COMPULSORY), unitCode(&n.Employers[c.Employer])
	}
	row[3], row[4] = month(c.From.Year(), c.From.Month()), int64(0)
	if c.To != 0 {
		row[4] = month(c.To.Year(), c.To.Month())
	}
	row[6] = int64(c.Salary)
	return row
}

// unitCode is the employer's code with the insured group and an illustrative sector.
func unitCode(e *nation.Employer) string {
	group := "DNA03"
	switch e.Kind {
	case nation.WorkState:
		group = "HCA01"
	case nation.WorkArmy:
		group = "QNA02"
	case nation.WorkPolice:
		group = "CAA02"
	}
	return e.Tax.String() + group
}
