package hubtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/client"
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

// rewrite changes a file of the hub's directory, as an editor does.
func rewrite(t *testing.T, path string, change func(string) string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	part := path + ".part"
	require.NoError(t, os.WriteFile(part, []byte(change(string(raw))), 0o600))
	require.NoError(t, os.Rename(part, path))
}

func TestAnAgreementThatChangesOnDiskTakesEffect(t *testing.T) {
	t.Parallel()
	hub := small(t)
	conn := hub.Dial(t, "H27/one-stop")
	require.NoError(t, getResidence(t, conn).err)
	path := filepath.Join(hub.Dir.Agreements(), "H27-G01-population.yaml")
	rewrite(t, path, func(s string) string { return strings.Replace(s, "- name: GetResidence", "- name: GetPerson", 1) })
	hubtest.Eventually(t, "a broken agreement is named", func() bool {
		status, body := hub.Get(t, "/readyz")
		return status == 503 && strings.Contains(body, "the policy as it was last good is in force") && strings.Contains(body, "H27-G01-population.yaml")
	})
	require.NoError(t, getResidence(t, conn).err, "the policy before it stays in force")

	rewrite(t, path, func(s string) string {
		s = strings.Replace(s, "    fields: [permanent, permanent_since, temporary, temporary_until, current]\n", "    fields: [person.name]\n", 1)
		return strings.Replace(s, "version: 1", "version: 2", 1)
	})
	hubtest.Eventually(t, "the new version decides", func() bool { return getResidence(t, conn).reason() == "METHOD_NOT_AGREED" })
	require.EqualValues(t, 2, last(t, hub, "H27/one-stop").GetAgreementVersion())
	_, body := hub.Get(t, "/readyz")
	require.NotContains(t, body, "last good")

	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Remove(filepath.Join(hub.Dir.Agreements(), "H27-G01-household.yaml")))
	hubtest.Eventually(t, "without an agreement nothing is answered", func() bool { return getResidence(t, conn).reason() == "NO_AGREEMENT" })
}

func TestYAMLThatIsNoneLeavesTheOldPolicyInForce(t *testing.T) {
	t.Parallel()
	hub := small(t)
	conn := hub.Dial(t, "H27/one-stop")
	path := filepath.Join(hub.Dir.Agreements(), "broken.yaml")
	require.NoError(t, os.WriteFile(path, []byte("id: [\n"), 0o600))
	hubtest.Eventually(t, "/readyz says so", func() bool {
		_, body := hub.Get(t, "/readyz")
		return strings.Contains(body, "broken.yaml")
	})
	require.NoError(t, getResidence(t, conn).err)
	require.NoError(t, os.Remove(path))
	hubtest.Eventually(t, "/readyz is content again", func() bool {
		_, body := hub.Get(t, "/readyz")
		return !strings.Contains(body, "broken.yaml")
	})
}

func TestAServiceThatIsWithdrawnIsGoneForCallsAndReflection(t *testing.T) {
	t.Parallel()
	hub := small(t)
	conn := hub.Dial(t, "H27/one-stop")
	files, err := filepath.Glob(filepath.Join(hub.Dir.Agreements(), "*population.yaml"))
	require.NoError(t, err)
	files = append(files, filepath.Join(hub.Dir.Agreements(), "H27-G01-household.yaml"), filepath.Join(hub.Dir.Catalog(), "registry.population.v1.yaml"))
	for _, f := range files {
		require.NoError(t, os.Remove(f))
	}
	hubtest.Eventually(t, "it is unknown", func() bool { return getResidence(t, conn).reason() == "SERVICE_UNKNOWN" })
	services, err := client.Services(t.Context(), conn)
	require.NoError(t, err)
	require.NotContains(t, services, population[:len(population)-1])
	require.Len(t, services, 3)
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
