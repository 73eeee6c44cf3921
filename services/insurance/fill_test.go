package insurance

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/nation"
)

// people is a small nation, made once.
var people = sync.OnceValues(func() (*nation.Nation, error) {
	errs := nation.DefaultErrors()
	errs.DuplicateInsurance, errs.OrphanCard = 0.05, 0.01
	return nation.Generate(context.Background(), nation.Config{Population: 1000, Seed: 7, Errors: errs})
})

func filled(t testing.TB) (*Registry, *nation.Nation) {
	n, err := people()
	require.NoError(t, err)
	r := open(t, file(t), n.Config.AsOf.String())
	require.NoError(t, r.Fill(t.Context(), n))
	return r, n
}

// questionOf asks for a card of the nation as it is on record.
func questionOf(c *nation.Card) *insurancev1.CheckCoverageRequest {
	return &insurancev1.CheckCoverageRequest{
		CardNumber: c.Code(), FullName: c.Name.String(), BirthDate: c.Birth.String(), FacilityCode: c.FacilityCode(),
	}
}

func TestEveryCardOfTheNationIsFound(t *testing.T) {
	r, n := filled(t)
	done, err := r.Filled(t.Context())
	require.NoError(t, err)
	require.True(t, done)
	today := n.Config.AsOf
	for i := range n.Cards {
		c := &n.Cards[i]
		resp, err := r.CheckCoverage(t.Context(), questionOf(c))
		require.NoError(t, err)
		if c.Person != nation.None && !n.People[c.Person].Living() {
			require.Equal(t, hubv1.Result_DECEASED, resp.GetResult().GetCode(), "%s %+v", resp.GetCode(), c)
			require.False(t, resp.GetCovered())
			continue
		}
		require.Equal(t, hubv1.Result_FOUND, resp.GetResult().GetCode(), "%s", resp.GetCode())
		require.Equal(t, c.From <= today && today <= c.To, resp.GetCovered(), "%s", resp.GetCode())
		require.Equal(t, c.Code(), resp.GetCardNumber())
		require.Equal(t, c.Number.String(), resp.GetPersonalId())
		require.Equal(t, c.Name.String(), resp.GetName().GetFull())
		require.EqualValues(t, nation.Share(c.Benefit), resp.GetSharePercent())
		require.NotEmpty(t, resp.GetCategoryName(), c.Category.String())
		require.Equal(t, c.Person != nation.None, resp.GetAddress() != nil)
	}
}

func TestDamagedRecordsFailAsTheyDoInLife(t *testing.T) {
	r, n := filled(t)
	seen := map[nation.DamageKind]int{}
	twice := map[int32]bool{}
	for _, d := range n.Damages {
		twice[d.Person] = twice[d.Person] || d.Kind == nation.DuplicateInsurance
	}
	for _, d := range n.Damages {
		if d.Registry != nation.InsuranceDB {
			continue
		}
		c := &n.Cards[d.Record]
		if twice[d.Person] != (d.Kind == nation.DuplicateInsurance) {
			continue
		}
		if d.Person == nation.None || !n.People[d.Person].Living() || c.OldNumber != 0 && d.Kind != nation.OldNumberOnly {
			continue
		}
		p := &n.People[d.Person]
		resp, err := r.CheckCoverage(t.Context(), &insurancev1.CheckCoverageRequest{
			PersonalId: p.Number.String(), FullName: p.Name.String(), BirthDate: p.Birth.String(), FacilityCode: c.FacilityCode(),
		})
		require.NoError(t, err)
		seen[d.Kind]++
		switch d.Kind {
		case nation.NameVariant, nation.NameWrong:
			require.Contains(t, []string{"060", "061"}, resp.GetCode())
		case nation.BirthDateWrong:
			require.Contains(t, []string{"070", "000", "010", "090"}, resp.GetCode(), "a wrong day does not show against a year")
		case nation.OldNumberOnly:
			require.Equal(t, "050", resp.GetCode())
		case nation.DuplicateInsurance:
			card, err := r.GetCard(t.Context(), &insurancev1.GetCardRequest{PersonalId: p.Number.String(), FullName: p.Name.String(), BirthDate: p.Birth.String()})
			require.NoError(t, err)
			require.Contains(t, []hubv1.Result_Code{hubv1.Result_MULTIPLE, hubv1.Result_FOUND}, card.GetResult().GetCode())
			require.Equal(t, hubv1.Result_FOUND, resp.GetResult().GetCode(), "the clinic is answered all the same")
		}
	}
	for _, kind := range []nation.DamageKind{nation.NameWrong, nation.BirthDateWrong, nation.OldNumberOnly, nation.DuplicateInsurance} {
		require.NotZero(t, seen[kind], kind)
	}
}

func TestContributionsOfTheNationAreListed(t *testing.T) {
	r, n := filled(t)
	listed := 0
	for i := range n.Cards {
		c := &n.Cards[i]
		if c.Person == nation.None || !n.People[c.Person].Living() {
			continue
		}
		resp, err := r.ListContributions(t.Context(), &insurancev1.ListContributionsRequest{
			InsuranceNumber: c.Insurance.String(), FullName: c.Name.String(), BirthDate: c.Birth.String(), PageSize: 100,
		})
		require.NoError(t, err)
		months, before := uint32(0), ""
		for _, p := range resp.GetContributions() {
			require.Regexp(t, `^[0-9]{10}[A-Z]{2}[A-Z][0-9]{2}$`, p.GetUnitCode())
			require.Positive(t, p.GetWageBase())
			require.LessOrEqual(t, before, p.GetFromMonth())
			before = p.GetFromMonth()
			months += p.GetMonths()
			listed++
		}
		require.Equal(t, months, resp.GetTotalMonths())
	}
	require.Equal(t, len(n.Contributions), listed)
	var gaps int
	require.NoError(t, r.db.Read.QueryRow(`SELECT COUNT(*) FROM (SELECT insurance_number FROM contribution
		GROUP BY insurance_number HAVING MIN(seq) <> 1 OR MAX(seq) <> COUNT(*)) AS odd`).Scan(&gaps))
	require.Zero(t, gaps, "periods are numbered from 1 without a gap")
}

func TestSixYearOldHasLeftTheChildCard(t *testing.T) {
	r, n := filled(t)
	left := 0
	for i := range n.Cards {
		c := &n.Cards[i]
		if _, was := formerChildCard(n, c); !was || c.Person != nation.None && !n.People[c.Person].Living() || c.To < n.Config.AsOf {
			continue
		}
		req := questionOf(c)
		req.CardNumber = "TE1" + req.CardNumber[3:]
		resp, err := r.CheckCoverage(t.Context(), req)
		require.NoError(t, err)
		require.Equal(t, "003", resp.GetCode())
		require.Equal(t, c.Code(), resp.GetNewCardNumber())
		left++
	}
	require.NotZero(t, left)
}

func TestFillThatWasCutOffIsDoneAgain(t *testing.T) {
	n, err := people()
	require.NoError(t, err)
	path := file(t)
	r := open(t, path, today)
	put(t, r, but(func(i *insured) { i.number = "0000000001" }))
	done, err := r.Filled(t.Context())
	require.NoError(t, err)
	require.False(t, done)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.True(t, errors.Is(r.Fill(ctx, n), context.Canceled))
	require.NoError(t, r.Fill(t.Context(), n))
	require.NoError(t, r.Fill(t.Context(), n), "a second time changes nothing")
	var rows, indices int
	require.NoError(t, r.db.Read.QueryRow(`SELECT COUNT(*) FROM insured`).Scan(&rows))
	require.Equal(t, len(n.Cards), rows)
	require.NoError(t, r.db.Read.QueryRow(`SELECT COUNT(*) FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'`).Scan(&indices))
	require.Equal(t, 4, indices)
	require.NoError(t, r.Close())

	r = open(t, path, today)
	done, err = r.Filled(t.Context())
	require.NoError(t, err)
	require.True(t, done)
}
