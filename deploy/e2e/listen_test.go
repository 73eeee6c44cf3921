package e2e_test

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/proto/peer"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

// part is what gateway and registry say of themselves with --json.
type part struct{ Part, GRPC, For, HTTP, NATS string }

// startPart starts a part and waits until it says that it runs.
func startPart(t *testing.T, args ...string) (*process, part) {
	t.Helper()
	p := start(t, append(args, "--json")...)
	eventually(t, func() bool {
		require.True(t, p.running() || p.out.String() != "", p.err.String())
		return p.out.String() != ""
	}, "%v does not run: %s", args, p.err.String())
	return p, decode[part](t, p.out.String())
}

// dial connects to a server as a system of a directory.
func dial(t *testing.T, dir, as string, server peer.ID, address string) *grpc.ClientConn {
	t.Helper()
	own := filepath.Join(dir, "identities", as)
	identity, err := peer.LoadIdentity(filepath.Join(own, "cert.pem"), filepath.Join(own, "key.pem"), filepath.Join(dir, "ca.pem"))
	require.NoError(t, err)
	conn, err := client.DialGateway(address, identity, server)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestARegistryThatListensServesItsOwnAgencyAlone(t *testing.T) {
	h := up(t, t.TempDir())
	h.stop(t, syscall.SIGTERM) // leaves the identities, and a filled registry
	p, says := startPart(t, "registry", "population", "--dir", h.dir, "--listen", "127.0.0.1:0")
	require.Equal(t, part{Part: "population", GRPC: says.GRPC, For: "G01"}, says)
	require.NotContains(t, p.err.String(), "nation made")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	registry := peer.ID{Agency: "G01", System: "registry-population"}
	check := func(as string) error {
		_, err := healthv1.NewHealthClient(dial(t, h.dir, as, registry, says.GRPC)).Check(ctx, new(healthv1.HealthCheckRequest))
		return err
	}

	require.NoError(t, check("G01/steward"))
	for _, stranger := range []string{"H27/one-stop", "G15/civil-status", "G06/gateway", "G06/operator-a", "COM.3000000012/ekyc"} {
		err := check(stranger)
		require.Equal(t, codes.Unavailable, status.Code(err), "%s: %v", stranger, err)
		p.says(t, `"claims":"`+stranger+`"`)
	}
	found, err := populationv1.NewPopulationServiceClient(dial(t, h.dir, "G01/steward", registry, says.GRPC)).
		GetResidence(ctx, &populationv1.GetResidenceRequest{PersonalId: "040094997317"})
	require.NoError(t, err)
	require.NotEmpty(t, found.GetPermanent().GetProvinceCode())
	require.Contains(t, h.grpcurl(t, "G01/steward", says.GRPC, "list").out, "registry.population.v1.PopulationService")

	p.signal(syscall.SIGTERM)
	require.Zero(t, p.code(t), p.err.String())
}

func TestARegistryDoesNotListenAndJoinTheBusAtOnce(t *testing.T) {
	r := lienthong(t, "registry", "population", "--dir", t.TempDir(), "--listen", "127.0.0.1:0", "--nats", "nats://127.0.0.1:4222")
	require.Equal(t, 2, r.code)
	require.Contains(t, r.err, "--listen")
}
