package hubtest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/state"
)

// small is a hub whose population registry answers with canaries.
func small(t *testing.T) *hubtest.Hub {
	return hubtest.Start(t, hubtest.Config{Registries: []hubtest.Registry{{Name: "population", Register: overfull(population[:len(population)-1])}}})
}

// getResidence asks as the desk and returns the reason of a refusal.
func getResidence(t *testing.T, conn *grpc.ClientConn) *answer {
	t.Helper()
	return ask(within(t), t, conn, population+"GetResidence", desk, `{"personal_id": "042187001234"}`)
}

// residence is the sandbox's agreement with the population registry, with other methods and fields.
func residence(version int, methods string) string {
	return fmt.Sprintf(`id: H27-G01-population
version: %d
title: Tra cứu dân cư
consumer: {agency: H27, systems: [one-stop]}
provider: G01
service: registry.population.v1.PopulationService
valid_from: 2025-07-01
valid_to: 2030-12-31
purposes:
  - {code: CT-TT, title: Đăng ký thường trú, legal_basis: Luật Cư trú 68/2020/QH14}
  - {code: HT-KS, title: Đăng ký khai sinh, legal_basis: Luật Hộ tịch 60/2014/QH13}
methods:
%s`, version, methods)
}

func TestANewVersionDecidesFromTheNextCall(t *testing.T) {
	t.Parallel()
	hub := small(t)
	conn := hub.Dial(t, "H27/one-stop")
	require.NoError(t, getResidence(t, conn).err)
	hub.Agree(t, residence(2, "  - {name: GetPerson, fields: [person.name]}\n"))
	require.Equal(t, "METHOD_NOT_AGREED", getResidence(t, conn).reason())
	require.EqualValues(t, 2, last(t, hub, "H27/one-stop").GetAgreementVersion())
	hub.Agree(t, residence(3, "  - {name: GetResidence, fields: [permanent.province_code]}\n"))
	answer := getResidence(t, conn)
	require.NoError(t, answer.err)
	record := last(t, hub, "H27/one-stop")
	require.EqualValues(t, 3, record.GetAgreementVersion())
	require.Equal(t, hub.Policy().Revision, record.GetPolicyRevision())
}

func TestAServiceThatIsSuspendedIsRefusedAndComesBack(t *testing.T) {
	t.Parallel()
	hub := small(t)
	conn := hub.Dial(t, "H27/one-stop")
	service := strings.TrimSuffix(population, "/")
	set := func(s catalog.State) {
		hub.Change(t, func(ctx context.Context, tx *state.Tx) error {
			return catalog.SetState(ctx, tx, service, s, 3, "2026-01-01")
		})
	}
	set(catalog.Suspended)
	require.Equal(t, "SERVICE_NOT_OFFICIAL", getResidence(t, conn).reason())
	set(catalog.Official)
	require.NoError(t, getResidence(t, conn).err)
}

func TestACertificateThatIsRevokedIsRefusedAtTheNextCallOnAnOpenConnection(t *testing.T) {
	t.Parallel()
	hub := small(t)
	conn, other := hub.Dial(t, "H27/one-stop"), hub.Dial(t, "G22/dvc-portal")
	require.NoError(t, getResidence(t, conn).err)
	_, err := client.Services(t.Context(), conn)
	require.NoError(t, err)
	revoked, err := hub.Authority.Revoke("H27/one-stop")
	require.NoError(t, err)
	hubtest.Eventually(t, "it is refused", func() bool { return getResidence(t, conn).reason() == "CERTIFICATE_REVOKED" })
	require.Equal(t, revoked[0].Serial, last(t, hub, "H27/one-stop").GetCertificate())
	_, err = client.Services(t.Context(), conn)
	require.Error(t, err, "reflection judges too")
	require.Equal(t, "METHOD_NOT_AGREED", getResidence(t, other).reason(), "others are judged as before")

	_, err = hub.Authority.Issue(orderOf(t, "H27/one-stop"))
	require.NoError(t, err)
	require.NoError(t, getResidence(t, hub.Dial(t, "H27/one-stop")).err, "a new certificate is as good as the first")
}
