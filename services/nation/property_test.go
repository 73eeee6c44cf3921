package nation_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/person"
)

// heavy rates make every kind of damage common in a small nation.
var heavy = nation.Errors{YearOnly: 0.3, YearOnlyOld: 0.5, SharedOldNumber: 0.3, NotDigitised: 0.9, CivilMismatch: 0.3,
	InsuranceMismatch: 0.3, OldNumberInInsurance: 0.3, DuplicateInsurance: 0.3, OrphanCard: 0.1, LandMismatch: 0.3,
	OldNumberInLand: 0.3, LandGap: 0.5, ToneVariant: 0.9}

var made sync.Map

// create returns the nation of a Config without its own AsOf and Progress, made once for all tests.
func create(t require.TestingT, population int, seed int64, errors nation.Errors) *nation.Nation {
	cfg := nation.Config{Population: population, Seed: seed, Errors: errors}
	type key struct {
		population int
		seed       int64
		errors     nation.Errors
	}
	once, _ := made.LoadOrStore(key{population, seed, errors}, sync.OnceValues(func() (*nation.Nation, error) {
		return nation.Generate(context.Background(), cfg)
	}))
	n, err := once.(func() (*nation.Nation, error))()
	require.NoError(t, err)
	return n
}

// anyNation draws among nations of several sizes, seeds and rates.
func anyNation(t *rapid.T) *nation.Nation {
	sizes := []int{1, 2, 3, 10, 60, 300, 1030}
	rates := []nation.Errors{{}, nation.DefaultErrors(), heavy}
	return create(t, rapid.SampledFrom(sizes).Draw(t, "population"), rapid.Int64Range(-2, 2).Draw(t, "seed"),
		rapid.SampledFrom(rates).Draw(t, "errors"))
}

func TestParentsAreFifteenYearsOlderThanTheirChildren(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		for i := range n.People {
			p := &n.People[i]
			for _, parent := range []int32{p.Father, p.Mother} {
				if parent != nation.None {
					require.GreaterOrEqual(t, p.Birth.Year()-n.People[parent].Birth.Year(), 15)
				}
			}
			if p.Father != nation.None {
				require.Equal(t, nation.Male, n.People[p.Father].Sex)
				if d := n.People[p.Father].Death; d != nation.None {
					require.GreaterOrEqual(t, n.Deaths[d].When+1_00_00, p.Birth, "born a year after the father died")
				}
			}
			if p.Mother != nation.None {
				require.Equal(t, nation.Female, n.People[p.Mother].Sex)
				if d := n.People[p.Mother].Death; d != nation.None {
					require.GreaterOrEqual(t, n.Deaths[d].When, p.Birth, "born after the mother died")
				}
			}
		}
	})
}

func TestChildrenTakeTheFathersFamilyName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		for i := range n.People {
			p := &n.People[i]
			father, mother := n.ParentNames(int32(i))
			require.NotEmpty(t, mother.String())
			switch {
			case n.Births[i].NoFather:
				require.Empty(t, father.String())
				require.Equal(t, mother.FamilyName(), p.Name.FamilyName())
			default:
				require.Equal(t, father.FamilyName(), p.Name.FamilyName())
			}
		}
	})
}

func TestNobodyHasTwoSpouses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		wed := make(map[int32]int32)
		for _, m := range n.Marriages {
			require.Equal(t, nation.Male, n.People[m.Husband].Sex)
			require.Equal(t, nation.Female, n.People[m.Wife].Sex)
			if m.End == nation.NotEnded {
				require.NotContains(t, wed, m.Husband)
				require.NotContains(t, wed, m.Wife)
				wed[m.Husband], wed[m.Wife] = m.Wife, m.Husband
			}
		}
		for i := range n.People {
			p := &n.People[i]
			if p.Spouse == nation.None {
				require.NotContains(t, wed, int32(i))
				require.False(t, p.Living() && p.Marital == nation.Married)
				continue
			}
			require.Equal(t, p.Spouse, wed[int32(i)])
			require.Equal(t, nation.Married, p.Marital)
			require.True(t, p.Living() && n.People[p.Spouse].Living())
		}
	})
}

func TestMarriagesFollowTheLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		free := make(map[int32]nation.Date) // since when a person may marry again
		for _, m := range n.Marriages {
			husband, wife := &n.People[m.Husband], &n.People[m.Wife]
			require.GreaterOrEqual(t, m.Entry.Date, husband.Birth+20_0000)
			require.GreaterOrEqual(t, m.Entry.Date, wife.Birth+18_0000)
			require.LessOrEqual(t, m.Entry.Date, n.Config.AsOf)
			end := nation.Date(99991231)
			if m.End != nation.NotEnded {
				require.Greater(t, m.EndDate, m.Entry.Date)
				require.LessOrEqual(t, m.EndDate, n.Config.AsOf)
				end = m.EndDate
			}
			require.Equal(t, m.End == nation.EndedByDivorce, m.Court() != "" && m.DecisionText() != "")
			for _, who := range []int32{m.Husband, m.Wife} {
				if since, again := free[who]; again && end == 99991231 {
					require.Greater(t, m.Entry.Date, since)
				}
				if end != 99991231 {
					free[who] = end
				}
			}
		}
	})
}

func TestWidowsAndDivorcedHaveAMarriageThatEnded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		ended := make(map[int32]nation.Ending)
		for _, m := range n.Marriages {
			ended[m.Husband], ended[m.Wife] = max(ended[m.Husband], m.End), max(ended[m.Wife], m.End)
		}
		for i := range n.People {
			switch n.People[i].Marital {
			case nation.Divorced:
				require.Equal(t, nation.EndedByDivorce, ended[int32(i)])
			case nation.Widowed:
				require.Equal(t, nation.EndedByDeath, ended[int32(i)])
			case nation.NeverMarried:
				require.NotContains(t, ended, int32(i))
			}
		}
	})
}

func TestEveryLivingPersonIsInExactlyOneHousehold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		next, living := int32(0), 0
		for i := range n.Households {
			h := &n.Households[i]
			require.Equal(t, next, h.First)
			from, to := n.Members(int32(i))
			require.Greater(t, to, from)
			next = to + int32(h.Dead)
			for k := from; k < next; k++ {
				p := &n.People[k]
				require.Equal(t, int32(i), p.Household)
				require.Equal(t, k < to, p.Living())
				require.Equal(t, k == from, p.Relation == nation.RelationHead)
				require.NotZero(t, p.Relation)
			}
			living += int(h.Living)
		}
		for i := range n.Stays {
			require.EqualValues(t, i, n.People[n.Stays[i].Person].Stay)
		}
		require.EqualValues(t, len(n.People), next)
		require.Equal(t, n.Config.Population, living)
	})
}

func TestNumbersAreUniqueAndAgreeWithTheirPeople(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		seen := make(map[nation.Number]bool)
		for i := range n.People {
			p := &n.People[i]
			require.False(t, seen[p.Number])
			seen[p.Number] = true
			id, err := person.ParseID(p.Number.String())
			require.NoError(t, err)
			require.Equal(t, hubv1.Sex(p.Sex), id.Sex())
			require.Equal(t, p.Birth.Year(), id.BirthYear())
			require.Contains(t, []string{p.BirthPlace.ProvinceCode(), "0" + p.BirthPlace.ProvinceCode()}, id.Province())
			if p.OldNumber != 0 {
				_, err = person.ParseOldID(p.OldNumber.String())
				require.NoError(t, err)
			}
		}
		for _, c := range n.Cards {
			if c.Person == nation.None {
				require.False(t, seen[c.Number], "an orphan card's number must belong to nobody")
			}
		}
	})
}

func TestOldNumbersAreSharedOnlyWhereDeclared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		holders := make(map[nation.OldNumber][]int32)
		for i := range n.People {
			if o := n.People[i].OldNumber; o != 0 {
				holders[o] = append(holders[o], int32(i))
			}
		}
		shared := 0
		for _, who := range holders {
			if len(who) == 1 {
				continue
			}
			require.Len(t, who, 2)
			a, b := &n.People[who[0]], &n.People[who[1]]
			require.NotEqual(t, a.BirthPlace.OldProvince(), b.BirthPlace.OldProvince())
			shared += 2
		}
		require.Equal(t, shared, count(n, nation.Population, nation.SharedOldNumber))
	})
}

// count is how many damages of a kind a registry has.
func count(n *nation.Nation, registry nation.Registry, kind nation.DamageKind) int {
	found := 0
	for _, d := range n.Damages {
		if d.Registry == registry && d.Kind == kind {
			found++
		}
	}
	return found
}

func TestNothingHappensAfterTheNationsDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		today := n.Config.AsOf
		for i := range n.People {
			p, b := &n.People[i], &n.Births[i]
			parsed, err := person.ParseDate(p.Birth.String())
			require.NoError(t, err)
			require.Equal(t, p.Birth.String(), parsed.String())
			require.LessOrEqual(t, b.Entry.Date, today)
			require.LessOrEqual(t, p.Birth, b.Entry.Date)
			require.Equal(t, p.Birth.Full(), p.Birth.Month() != 0 && p.Birth.Day() != 0)
			require.Equal(t, b.Place.System == nation.GSO2025, b.Entry.Date >= 20250701)
			require.Greater(t, p.Birth.Year(), today.Year()-115)
		}
		for i := range n.Deaths {
			d := &n.Deaths[i]
			require.Equal(t, int32(i), n.People[d.Person].Death)
			require.GreaterOrEqual(t, d.When, n.People[d.Person].Birth)
			require.GreaterOrEqual(t, d.Entry.Date, d.When)
			require.LessOrEqual(t, d.Entry.Date, today)
		}
	})
}
