package population

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/nation"
)

func small(t testing.TB, population int) *nation.Nation {
	t.Helper()
	errors := nation.DefaultErrors()
	errors.SharedOldNumber = 0.1
	n, err := nation.Generate(t.Context(), nation.Config{Population: population, Seed: 7, Errors: errors})
	require.NoError(t, err)
	return n
}

// filled is a registry that holds a small nation.
func filled(t testing.TB, population int) (*Registry, *nation.Nation) {
	t.Helper()
	n := small(t, population)
	r := open(t, filepath.Join(t.TempDir(), "population.db"))
	require.NoError(t, r.Fill(t.Context(), n))
	return r, n
}

func TestFilledRegistryAgreesWithTheNation(t *testing.T) {
	r, n := filled(t, 400)
	t.Run("every person is answered for", func(t *testing.T) { everyPerson(t, r, n) })
	t.Run("every household has its living members", func(t *testing.T) { everyHousehold(t, r, n) })
	t.Run("a shared old number is MULTIPLE", func(t *testing.T) { everySharedNumber(t, r, n) })
	t.Run("every question goes by an index", func(t *testing.T) { requireNoScan(t, r) })
}

func everyPerson(t *testing.T, r *Registry, n *nation.Nation) {
	c := serve(t, r)
	for i := range n.People {
		p := &n.People[i]
		resp, err := c.GetPerson(t.Context(), &populationv1.GetPersonRequest{
			PersonalId: p.Number.String(), FullName: p.Name.String(), BirthDate: p.Birth.String()})
		require.NoError(t, err)
		requireRecord(t, n, int32(i), resp)

		home, err := c.GetResidence(t.Context(), &populationv1.GetResidenceRequest{PersonalId: p.Number.String()})
		require.NoError(t, err)
		require.Equal(t, resp.Result.Code, home.Result.Code)
		requirePlace(t, n.Residence(int32(i)), home.Permanent)
		if p.Living() {
			requirePlace(t, n.CurrentResidence(int32(i)), home.Current)
		}
		requirePlace(t, n.Households[p.Household].OldPlace, home.PermanentAsRegistered)
	}
}

// requireRecord compares an answer with the person.
func requireRecord(t *testing.T, n *nation.Nation, i int32, resp *populationv1.GetPersonResponse) {
	p, got := &n.People[i], resp.Person
	want := hubv1.Result_FOUND
	if !p.Living() {
		want = hubv1.Result_DECEASED
		require.Equal(t, n.Deaths[p.Death].When.String(), got.DeathDate)
	} else {
		require.Equal(t, n.Households[p.Household].FileNumber(), got.ResidenceFileNumber)
		require.Equal(t, n.People[n.Households[p.Household].First].Number.String(), got.HouseholdHead.PersonalId)
		require.EqualValues(t, p.Relation, got.RelationToHead)
	}
	require.Equal(t, want, resp.Result.Code)
	require.Equal(t, p.Name.String(), got.Name.Full)
	require.Equal(t, p.Birth.String(), got.BirthDate)
	require.Equal(t, nation.EthnicName(p.Ethnic), got.EthnicGroup)
	require.Equal(t, p.Religion.String(), got.Religion)
	require.EqualValues(t, p.Marital, got.MaritalStatus)
	requirePlace(t, p.BirthPlace, got.BirthPlace)
	requirePlace(t, p.Hometown, got.Hometown)
	relatives := map[populationv1.RelativeKind]string{}
	for _, rel := range got.Relatives {
		require.NotEmpty(t, rel.FullName)
		relatives[rel.Kind] = rel.PersonalId
	}
	for kind, index := range map[populationv1.RelativeKind]int32{
		populationv1.RelativeKind_RELATIVE_KIND_FATHER: p.Father,
		populationv1.RelativeKind_RELATIVE_KIND_MOTHER: p.Mother,
		populationv1.RelativeKind_RELATIVE_KIND_SPOUSE: p.Spouse,
	} {
		if index != nation.None {
			require.Equal(t, n.People[index].Number.String(), relatives[kind])
		}
	}
}

func requirePlace(t *testing.T, want nation.Place, got *hubv1.Address) {
	if want.ProvinceCode() == "" {
		require.Nil(t, got)
		return
	}
	require.Equal(t, want.ProvinceCode(), got.ProvinceCode)
	require.Equal(t, want.ProvinceName(), got.ProvinceName)
	require.Equal(t, want.CommuneCode(), got.CommuneCode)
	require.Equal(t, want.CommuneName(), got.CommuneName)
	require.EqualValues(t, want.System, got.CodeSystem)
}

func everyHousehold(t *testing.T, r *Registry, n *nation.Nation) {
	for h := range n.Households {
		first, end := n.Members(int32(h))
		req := &populationv1.GetHouseholdRequest{PersonalId: n.People[first].Number.String(),
			FullName: n.People[first].Name.String(), BirthDate: n.People[first].Birth.String()}
		resp, err := r.GetHousehold(t.Context(), req)
		require.NoError(t, err)
		require.Len(t, resp.Members, int(end-first))
		require.Equal(t, req.PersonalId, resp.Members[0].PersonalId)
	}
}

func everySharedNumber(t *testing.T, r *Registry, n *nation.Nation) {
	holders := map[nation.OldNumber]int{}
	for i := range n.People {
		holders[n.People[i].OldNumber]++
	}
	delete(holders, 0)
	shared := 0
	for number, count := range holders {
		if count == 1 {
			continue
		}
		shared++
		resp, err := r.ResolveIdentifier(t.Context(), &populationv1.ResolveIdentifierRequest{OldId: number.String()})
		require.NoError(t, err)
		require.Equal(t, hubv1.Result_MULTIPLE, resp.Result.Code)
	}
	require.NotZero(t, shared)
}

func TestInterruptedFillIsDoneAgain(t *testing.T) {
	n := small(t, 200)
	path := filepath.Join(t.TempDir(), "population.db")
	r := open(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, r.Fill(ctx, n))
	done, err := r.Filled(t.Context())
	require.NoError(t, err)
	require.False(t, done)

	require.NoError(t, r.Fill(t.Context(), n))
	require.Equal(t, len(n.People), count(t, r, "person"))
	reopened := open(t, path)
	done, err = reopened.Filled(t.Context())
	require.NoError(t, err)
	require.True(t, done)
	require.NoError(t, reopened.Fill(t.Context(), n), "a filled database is left alone")
	require.Equal(t, len(n.People), count(t, reopened, "person"))
	require.True(t, reopened.catalogue.Load().has(since2025, "42"))
}

func BenchmarkFill(b *testing.B) {
	n := small(b, 100_000)
	for b.Loop() {
		r := open(b, filepath.Join(b.TempDir(), "population.db"))
		require.NoError(b, r.Fill(b.Context(), n))
	}
	b.ReportMetric(float64(len(n.People))*float64(b.N)/b.Elapsed().Seconds(), "people/s")
}

func BenchmarkGetResidence(b *testing.B) {
	r, n := filled(b, 100_000)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % len(n.People)
		resp, err := r.GetResidence(b.Context(), &populationv1.GetResidenceRequest{PersonalId: n.People[i].Number.String()})
		if err != nil || resp.Permanent == nil {
			b.Fatal(err, resp)
		}
	}
}

func BenchmarkGetPerson(b *testing.B) {
	r, n := filled(b, 100_000)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % len(n.People)
		p := &n.People[i]
		resp, err := r.GetPerson(b.Context(), &populationv1.GetPersonRequest{PersonalId: p.Number.String(), FullName: p.Name.String(), BirthDate: p.Birth.String()})
		if err != nil || resp.Person == nil {
			b.Fatal(err, resp)
		}
	}
}
