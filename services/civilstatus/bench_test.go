package civilstatus_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/civilstatus"
	"github.com/lienthong/lienthong/services/nation"
)

func benchNation(b *testing.B, population int) *nation.Nation {
	n, err := nation.Generate(b.Context(), nation.Config{Population: population, Seed: 1, Errors: nation.DefaultErrors()})
	require.NoError(b, err)
	return n
}

func BenchmarkFill(b *testing.B) {
	n := benchNation(b, 100_000)
	for b.Loop() {
		reg, err := civilstatus.Open(b.Context(), filepath.Join(b.TempDir(), "civil.db"))
		require.NoError(b, err)
		require.NoError(b, reg.Fill(b.Context(), n))
		require.NoError(b, reg.Close())
	}
	b.ReportMetric(float64(len(n.People))*float64(b.N)/b.Elapsed().Seconds(), "people/s")
}

func BenchmarkReads(b *testing.B) {
	n := benchNation(b, 20_000)
	reg, err := civilstatus.Open(b.Context(), filepath.Join(b.TempDir(), "civil.db"))
	require.NoError(b, err)
	defer reg.Close()
	require.NoError(b, reg.Fill(b.Context(), n))
	next := 0
	key := func() (id, name, birth string) {
		next = (next + 7919) % len(n.People)
		return n.People[next].Number.String(), n.Births[next].Name.String(), n.Births[next].Date.String()
	}
	b.Run("GetBirth", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			id, name, birth := key()
			_, err := reg.GetBirth(b.Context(), &civilstatusv1.GetBirthRequest{PersonalId: id, FullName: name, BirthDate: birth})
			require.NoError(b, err)
		}
	})
	b.Run("ConfirmMaritalStatus", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			id, name, birth := key()
			_, err := reg.ConfirmMaritalStatus(b.Context(), &civilstatusv1.ConfirmMaritalStatusRequest{PersonalId: id, FullName: name, BirthDate: birth, Purpose: 1})
			require.NoError(b, err)
		}
	})
}
