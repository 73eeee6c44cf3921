package nation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/services/nation"
)

func TestEveryKindOfPersonCanBeSampled(t *testing.T) {
	n := create(t, 2000, 1, nation.DefaultErrors())
	for _, k := range nation.Kinds() {
		require.NotEmpty(t, k.Meaning)
		got, err := n.Sample(k.Name, 3)
		require.NoError(t, err)
		require.NotEmpty(t, got, k.Name)
		require.LessOrEqual(t, len(got), 3)
		again, err := n.Sample(k.Name, 3)
		require.NoError(t, err)
		require.Equal(t, got, again)
		seen := make(map[int32]bool)
		for _, s := range got {
			p := &n.People[s.Index]
			require.False(t, seen[s.Index])
			seen[s.Index] = true
			require.Equal(t, p.Number, s.Number)
			require.Equal(t, p.Name.String(), s.Name)
			require.NotEmpty(t, s.Province)
			require.Equal(t, k.Name == "decoy", p.Decoy)
			require.Equal(t, k.Name != "deceased", p.Living())
			require.True(t, isA(n, k.Name, s.Index), "%s: %+v", k.Name, s)
		}
	}
}

// isA checks a sampled person by other means than the sampler's.
func isA(n *nation.Nation, kind string, i int32) bool {
	p := &n.People[i]
	age := n.Config.AsOf.Year() - p.Birth.Year()
	damages := n.DamagesOf(i)
	has := func(kinds ...nation.DamageKind) bool {
		for _, d := range damages {
			for _, k := range kinds {
				if d.Kind == k {
					return true
				}
			}
		}
		return false
	}
	switch kind {
	case "adult-single":
		return age >= 18 && p.Spouse == nation.None && p.Marital == nation.NeverMarried
	case "ambiguous-old-id":
		return has(nation.SharedOldNumber) && p.OldNumber != 0
	case "child-under-6":
		return age <= 6 && p.Card != nation.None
	case "damaged":
		return len(damages) > 0
	case "undigitised":
		return has(nation.BirthNotDigitised)
	case "year-only":
		return has(nation.YearOnly)
	case "married":
		return p.Spouse != nation.None
	case "divorced", "widowed":
		return p.Spouse == nation.None && age > 18
	case "employed":
		return p.Employer != nation.None
	case "uninsured":
		return p.Card == nation.None
	case "with-land", "mortgaged", "land-missing":
		return owns(n, i)
	}
	return true
}

func owns(n *nation.Nation, i int32) bool {
	for _, o := range n.Owners {
		if o.Person == i {
			return true
		}
	}
	return false
}

func TestUnknownKindIsRefused(t *testing.T) {
	_, err := create(t, 60, 0, nation.Errors{}).Sample("emperor", 1)
	require.ErrorContains(t, err, "with-land")
}
