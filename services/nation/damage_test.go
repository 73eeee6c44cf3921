package nation_test

import (
	"math"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/services/nation"
)

func TestWithoutErrorRatesRegistriesAgree(t *testing.T) {
	n := create(t, 2000, 5, nation.Errors{})
	require.Empty(t, n.Damages)
	require.Empty(t, n.LandGaps)
}

// requireRate checks a count against its rate within five standard deviations.
func requireRate(t *testing.T, name string, rate float64, found, of int) {
	t.Helper()
	require.Positive(t, of, name)
	require.InDelta(t, rate*float64(of), float64(found), 5*math.Sqrt(rate*(1-rate)*float64(of))+1, "%s: %d of %d", name, found, of)
}

func TestDamageRatesAreNearTheDeclaredOnes(t *testing.T) {
	n := create(t, 2000, 7, heavy)
	e := n.Config.Errors
	recent, early, withOld, employed := 0, 0, 0, 0
	for i := range n.People {
		switch y := n.People[i].Birth.Year(); {
		case y < 1960:
			early++
		case y <= 2010:
			recent++
		}
		if n.People[i].OldNumber != 0 {
			withOld++
		}
		if n.People[i].Employer != nation.None {
			employed++
		}
	}
	ownersWithOld := 0
	for i := range n.Owners {
		if n.People[n.Owners[i].Person].OldNumber != 0 {
			ownersWithOld++
		}
	}
	mismatches := func(r nation.Registry) int {
		return count(n, r, nation.NameVariant) + count(n, r, nation.NameWrong) + count(n, r, nation.BirthDateWrong)
	}
	mixed := (e.YearOnly*float64(recent) + e.YearOnlyOld*float64(early)) / float64(recent+early)
	requireRate(t, "year only", mixed, count(n, nation.Population, nation.YearOnly), recent+early)
	require.InDelta(t, e.SharedOldNumber, float64(count(n, nation.Population, nation.SharedOldNumber))/float64(withOld), 0.06)
	cards := len(n.Cards) - count(n, nation.InsuranceDB, nation.DuplicateInsurance) - count(n, nation.InsuranceDB, nation.OrphanCard)
	requireRate(t, "insurance mismatch", e.InsuranceMismatch, mismatches(nation.InsuranceDB), cards)
	requireRate(t, "duplicate insurance", e.DuplicateInsurance, count(n, nation.InsuranceDB, nation.DuplicateInsurance), employed)
	requireRate(t, "orphan cards", e.OrphanCard, count(n, nation.InsuranceDB, nation.OrphanCard), cards)
	requireRate(t, "land mismatch", e.LandMismatch, mismatches(nation.Land), len(n.Owners))
	requireRate(t, "old number in land", e.OldNumberInLand, count(n, nation.Land, nation.OldNumberOnly), ownersWithOld)
	require.Equal(t, 62, len(n.LandGaps))
	requireRate(t, "tone variants", e.ToneVariant, count(n, nation.Land, nation.ToneVariant)+count(n, nation.InsuranceDB, nation.ToneVariant),
		namesThatVary(n))
}

// namesThatVary counts owners and cards whose name can be spelt in two ways and is not wrong in the record.
func namesThatVary(n *nation.Nation) int {
	varies := regexp.MustCompile(`[òóỏõọ][ae]( |$)|[ùúủũụ]y( |$)`)
	wrong := make(map[nation.Damage]bool)
	found := 0
	for _, d := range n.Damages {
		switch d.Kind {
		case nation.NameVariant, nation.NameWrong, nation.BirthDateWrong, nation.DuplicateInsurance:
			wrong[nation.Damage{Record: d.Record, Registry: d.Registry}] = true
		}
	}
	for i, o := range n.Owners {
		if varies.MatchString(n.People[o.Person].Name.String()) && !wrong[nation.Damage{Record: int32(i), Registry: nation.Land}] {
			found++
		}
	}
	for i, c := range n.Cards {
		if c.Person != nation.None && varies.MatchString(n.People[c.Person].Name.String()) &&
			!wrong[nation.Damage{Record: int32(i), Registry: nation.InsuranceDB}] {
			found++
		}
	}
	return found
}

func TestPaperIsWhatEachProvinceDeclares(t *testing.T) {
	n := create(t, 2000, 7, heavy)
	expected, found, of := 0.0, 0, 0
	for i := range n.Births {
		b := &n.Births[i]
		if b.Entry.Date >= 20160101 {
			require.False(t, b.Undigitised)
			continue
		}
		of++
		expected += n.PaperShare(b.Place.OldProvince())
		if b.Undigitised {
			found++
		}
	}
	requireRate(t, "paper", expected/float64(of), found, of)
	for _, p := range nation.OldProvinces() {
		require.LessOrEqual(t, n.PaperShare(p.Code), heavy.NotDigitised)
	}
}

func TestDamagesOfAPersonAreAllOfTheirs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		total := 0
		for i := range n.People {
			for _, d := range n.DamagesOf(int32(i)) {
				require.Equal(t, int32(i), d.Person)
				require.NotEmpty(t, n.Describe(d))
				total++
			}
		}
		require.Equal(t, len(n.Damages), total+count(n, nation.InsuranceDB, nation.OrphanCard))
	})
}
