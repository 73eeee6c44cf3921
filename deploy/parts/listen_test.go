package parts

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/proto/peer"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

// listening is the population registry as an ordinary gRPC server.
func listening(t *testing.T) (dir Dir, creds *Credentials, address string) {
	dir = Dir(t.TempDir())
	creds, err := Prepare(t.Context(), dir)
	require.NoError(t, err)
	t.Cleanup(creds.Close)
	members, err := creds.WatchMembers(context.Background(), quiet)
	require.NoError(t, err)
	t.Cleanup(members.Close)
	seat, err := FindRegistry("population")
	require.NoError(t, err)
	registry, err := seat.OpenFilled(t.Context(), dir, Nation{Population: 50, Seed: 1}, quiet)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	at, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- registry.Listen(ctx, "127.0.0.1:0", members.Directory, quiet, func(address string) { at <- address })
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
		require.NoError(t, registry.Close())
	})
	select {
	case address = <-at:
	case err := <-done:
		t.Fatal(err)
	}
	return dir, creds, address
}

// dialRegistry opens a connection to the registry as a system.
func dialRegistry(t *testing.T, dir Dir, address string, id peer.ID) *grpc.ClientConn {
	identity, err := dir.LoadIdentity(id)
	require.NoError(t, err)
	conn, err := client.DialGateway(address, identity, peer.ID{Agency: "G01", System: "registry-population"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestARegistryThatListensAnswersItsOwnAgencyAlone(t *testing.T) {
	dir, creds, address := listening(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	first, err := dir.firstPerson(ctx)
	require.NoError(t, err)
	ask := func(conn *grpc.ClientConn) error {
		_, err := populationv1.NewPopulationServiceClient(conn).GetResidence(ctx, &populationv1.GetResidenceRequest{PersonalId: first})
		return err
	}
	steward := peer.ID{Agency: "G01", System: "steward"}
	own := dialRegistry(t, dir, address, steward)
	require.NoError(t, ask(own))
	_, err = healthv1.NewHealthClient(own).Check(ctx, &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	services, err := client.Services(ctx, own)
	require.NoError(t, err)
	require.Contains(t, services, populationv1.PopulationService_ServiceDesc.ServiceName)

	for _, id := range []peer.ID{{Agency: "H27", System: "one-stop"}, GatewayID} {
		require.Error(t, ask(dialRegistry(t, dir, address, id)), "%s asks through the hub", id)
	}

	_, err = creds.Authority.Revoke(steward.String())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return client.RefusalOf(ask(own)).Reason == "CERTIFICATE_REVOKED" }, 30*time.Second, 10*time.Millisecond,
		"on a connection that was open")
	_, err = client.Services(ctx, own)
	require.Error(t, err)
}
