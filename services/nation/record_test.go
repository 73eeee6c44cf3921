package nation_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/person"
)

// declared is the set of damages, for asking.
func declared(n *nation.Nation) map[nation.Damage]bool {
	set := make(map[nation.Damage]bool, len(n.Damages))
	for _, d := range n.Damages {
		set[d] = true
	}
	return set
}

// requireDeclared checks that a record's name and birth date differ from the person's as declared, and only so.
func requireDeclared(t require.TestingT, n *nation.Nation, set map[nation.Damage]bool, at nation.Damage, name nation.Name, birth nation.Date) {
	p := &n.People[at.Person]
	has := func(kind nation.DamageKind) bool { at.Kind = kind; return set[at] }
	require.Equal(t, has(nation.BirthDateWrong), birth != p.Birth)
	_, err := person.ParseDate(birth.String())
	require.NoError(t, err)
	wrong := has(nation.NameVariant) || has(nation.NameWrong)
	require.Equal(t, wrong, person.NameKey(name.String()) != person.NameKey(p.Name.String()), "%s, %s", name, p.Name)
	require.Equal(t, wrong || has(nation.ToneVariant), name.String() != p.Name.String())
}

func TestRecordsDifferFromThePersonOnlyAsDeclared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		set := declared(n)
		for i := range n.Births {
			at := nation.Damage{Person: int32(i), Record: int32(i), Registry: nation.CivilStatus}
			requireDeclared(t, n, set, at, n.Births[i].Name, n.Births[i].Date)
			at.Kind = nation.BirthNotDigitised
			require.Equal(t, set[at], n.Births[i].Undigitised)
		}
		for i := range n.Owners {
			o := &n.Owners[i]
			at := nation.Damage{Person: o.Person, Record: int32(i), Registry: nation.Land}
			requireDeclared(t, n, set, at, o.Name, o.Birth)
			requireNumbers(t, n, set, at, o.Number, o.OldNumber)
		}
		for i := range n.Marriages {
			m := &n.Marriages[i]
			require.Equal(t, m.Undigitised, set[nation.Damage{Person: m.Husband, Record: int32(i), Registry: nation.CivilStatus,
				Kind: nation.MarriageNotDigitised}])
		}
		for i := range n.Deaths {
			d := &n.Deaths[i]
			require.Equal(t, d.Undigitised, set[nation.Damage{Person: d.Person, Record: int32(i), Registry: nation.CivilStatus,
				Kind: nation.DeathNotDigitised}])
		}
	})
}

func requireNumbers(t require.TestingT, n *nation.Nation, set map[nation.Damage]bool, at nation.Damage, number nation.Number, old nation.OldNumber) {
	at.Kind = nation.OldNumberOnly
	if set[at] {
		require.Zero(t, number)
		require.Equal(t, n.People[at.Person].OldNumber, old)
		require.NotZero(t, old)
		return
	}
	require.Equal(t, n.People[at.Person].Number, number)
	require.Zero(t, old)
}

func TestEveryCardsPersonExistsUnlessDeclared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		set := declared(n)
		numbers := make(map[nation.Insurance]bool)
		for i := range n.Cards {
			c := &n.Cards[i]
			at := nation.Damage{Person: c.Person, Record: int32(i), Registry: nation.InsuranceDB, Kind: nation.OrphanCard}
			require.Regexp(t, `^[A-Z]{2}[1-5][0-9]{2}[0-9]{10}$`, c.Code())
			require.False(t, numbers[c.Insurance])
			numbers[c.Insurance] = true
			_, known := nation.FindFacility(c.Facility)
			require.True(t, known, c.FacilityCode())
			require.LessOrEqual(t, c.From, c.To)
			require.Equal(t, set[at], c.Person == nation.None)
			if c.Person == nation.None {
				continue
			}
			p := &n.People[c.Person]
			at.Kind = nation.DuplicateInsurance
			require.Equal(t, set[at], p.Card != int32(i))
			require.Equal(t, set[at], c.Insurance != p.Insurance)
			requireDeclared(t, n, set, at, c.Name, c.Birth)
			requireNumbers(t, n, set, at, c.Number, c.OldNumber)
			require.True(t, c.Category != nation.Category{'T', 'E'} || n.Config.AsOf.Year()-p.Birth.Year() <= 6 || !p.Living())
		}
		for i := range n.Contributions {
			c := &n.Contributions[i]
			require.True(t, numbers[c.Insurance])
			require.True(t, c.To == 0 || c.From <= c.To)
			require.Less(t, int(c.Employer), len(n.Employers))
		}
	})
}

func TestLandIsWellKept(t *testing.T) {
	type plot struct {
		commune     uint32
		sheet, plot uint16
	}
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		gaps := make(map[uint32]bool)
		for _, code := range n.LandGaps {
			gaps[code] = true
		}
		plots, serials, parcels, owners := map[plot]bool{}, map[string]bool{}, int32(0), int32(0)
		for i := range n.Certificates {
			c := &n.Certificates[i]
			require.Equal(t, parcels, c.First)
			require.Equal(t, owners, c.FirstOwner)
			require.NotZero(t, c.Owners)
			require.False(t, serials[c.SerialText()])
			serials[c.SerialText()] = true
			require.Regexp(t, `^[A-Z]{2} ?([0-9]{6}|[0-9]{8})$`, c.SerialText())
			parcels, owners = parcels+int32(c.Parcels), owners+int32(c.Owners)
			for k := c.First; k < parcels; k++ {
				p := &n.Parcels[k]
				require.Equal(t, int32(i), p.Certificate)
				key := plot{p.Place.Commune, p.Sheet, p.Plot}
				require.False(t, plots[key])
				plots[key] = true
				require.Equal(t, gaps[p.Place.Commune], p.Missing)
				requirePlace(t, p.Place)
				require.Positive(t, p.Area)
			}
			for _, o := range n.Owners[c.FirstOwner:owners] {
				p := &n.People[o.Person]
				require.GreaterOrEqual(t, c.Issued.Year()-p.Birth.Year(), 18)
				require.True(t, p.Living() || n.Deaths[p.Death].When >= c.Issued)
			}
		}
		require.EqualValues(t, len(n.Parcels), parcels)
		require.EqualValues(t, len(n.Owners), owners)
		today := n.Config.AsOf.Time().Unix()
		for _, m := range n.Mortgages {
			require.LessOrEqual(t, int64(m.Registered), today)
			require.True(t, m.Removed == 0 || m.Removed > m.Registered)
			require.Zero(t, m.Registered%60)
		}
		require.Equal(t, n.Config.Errors.LandGap > 0, len(n.LandGaps) > 0)
	})
}

func requirePlace(t require.TestingT, p nation.Place) {
	c, ok := nation.FindCommune(p.System, p.Commune)
	require.True(t, ok, "%d %d", p.System, p.Commune)
	require.Equal(t, p.Province, c.Province)
	require.Equal(t, c.OldProvince, p.OldProvince())
	require.NotEmpty(t, p.ProvinceName())
}

func TestEveryPlaceIsInTheGazetteer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		for i := range n.People {
			p := &n.People[i]
			requirePlace(t, p.BirthPlace)
			requirePlace(t, p.Hometown)
			requirePlace(t, n.CurrentResidence(int32(i)))
		}
		for i := range n.Households {
			if old := n.Households[i].OldPlace; old != (nation.Place{}) {
				requirePlace(t, old)
				require.Equal(t, old.Province, n.Households[i].Place.OldProvince())
			}
		}
	})
}

func TestEntriesHaveTheirOwnNumberInCommuneAndYear(t *testing.T) {
	type key struct {
		commune uint32
		year    int
		number  uint16
	}
	rapid.Check(t, func(t *rapid.T) {
		n := anyNation(t)
		births, marriages, deaths := map[key]bool{}, map[key]bool{}, map[key]bool{}
		enter := func(book map[key]bool, e *nation.Entry) {
			k := key{e.Place.Commune, e.Date.Year(), e.Number}
			require.False(t, book[k])
			book[k] = true
			require.NotZero(t, e.Number)
		}
		for i := range n.Births {
			enter(births, &n.Births[i].Entry)
		}
		for i := range n.Marriages {
			enter(marriages, &n.Marriages[i].Entry)
		}
		for i := range n.Deaths {
			enter(deaths, &n.Deaths[i].Entry)
		}
	})
}
