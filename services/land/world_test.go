package land

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	"github.com/lienthong/lienthong/services/nation"
)

// world is one nation for all tests of the package, with more damage than a real one so that a small one has all.
var world = sync.OnceValues(func() (*nation.Nation, error) {
	errors := nation.DefaultErrors()
	errors.LandGap, errors.LandMismatch = 0.5, 0.3
	return nation.Generate(context.Background(), nation.Config{Population: 2000, Seed: 7, Errors: errors})
})

func people(t testing.TB) *nation.Nation {
	t.Helper()
	n, err := world()
	require.NoError(t, err)
	return n
}

// books are the filled registries, one for each jurisdiction, that all tests of the package read.
var books = map[Jurisdiction]func() (*Registry, error){}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "land")
	if err != nil {
		panic(err)
	}
	for _, j := range Jurisdictions() {
		books[j] = sync.OnceValues(func() (*Registry, error) { return newBook(filepath.Join(dir, string(j)+".db"), j) })
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

func newBook(path string, j Jurisdiction) (*Registry, error) {
	n, err := world()
	if err != nil {
		return nil, err
	}
	r, err := Open(context.Background(), path, j)
	if err != nil {
		return nil, err
	}
	return r, r.Fill(context.Background(), n)
}

// book returns the filled registry of a jurisdiction, which the caller must not change.
func book(t testing.TB, j Jurisdiction) *Registry {
	t.Helper()
	r, err := books[j]()
	require.NoError(t, err)
	return r
}

// serve puts a filled registry behind a gRPC server and returns a client of it.
func serve(t *testing.T, j Jurisdiction) landv1.LandServiceClient {
	t.Helper()
	r := book(t, j)
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	r.Register(server)
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(listener) })
	conn, err := grpc.NewClient("passthrough:///land", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		server.Stop()
		running.Wait()
	})
	return landv1.NewLandServiceClient(conn)
}

// pick returns the index of the first certificate that passes, with its first parcel.
func pick(t *testing.T, ok func(*nation.Nation, *nation.Certificate, *nation.Parcel) bool) (*nation.Certificate, *nation.Parcel) {
	t.Helper()
	n := people(t)
	for i := range n.Certificates {
		c := &n.Certificates[i]
		if p := &n.Parcels[c.First]; ok(n, c, p) {
			return c, p
		}
	}
	require.Fail(t, "the nation has no such certificate")
	return nil, nil
}

// owners are a certificate's entries.
func owners(n *nation.Nation, c *nation.Certificate) []nation.Owner {
	return n.Owners[c.FirstOwner : c.FirstOwner+int32(c.Owners)]
}

// damaged reports whether one of a certificate's entries has a damage of a kind.
func damaged(n *nation.Nation, c *nation.Certificate, kind nation.DamageKind) bool {
	for _, d := range n.Damages {
		if d.Registry == nation.Land && d.Kind == kind && d.Record >= c.FirstOwner && d.Record < c.FirstOwner+int32(c.Owners) {
			return true
		}
	}
	return false
}

// served returns a client of the registry that keeps a parcel.
func served(t *testing.T, p *nation.Parcel) landv1.LandServiceClient {
	t.Helper()
	for _, j := range Jurisdictions() {
		if j.serves(p.Place.ProvinceCode()) {
			return serve(t, j)
		}
	}
	require.Fail(t, "nobody serves the province")
	return nil
}

func question(p *nation.Parcel) *landv1.GetParcelRequest {
	return &landv1.GetParcelRequest{ProvinceCode: p.Place.ProvinceCode(), CommuneCode: p.Place.CommuneCode(),
		MapSheet: uint32(p.Sheet), ParcelNumber: uint32(p.Plot)}
}
