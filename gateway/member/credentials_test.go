package member_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hub is a gRPC server that answers health checks of members.
type hub struct {
	dir     string
	ca      *authority.Authority
	watcher *member.Watcher
	addr    string
	rejects chan peer.Rejection
	callers chan member.Caller
}

func start(t *testing.T) *hub {
	h := &hub{dir: t.TempDir(), rejects: make(chan peer.Rejection, 8), callers: make(chan member.Caller, 8)}
	var err error
	h.ca, err = authority.Open(h.dir)
	require.NoError(t, err)
	require.NoError(t, h.ca.EnsureSandbox(t.Context()))
	h.watcher, err = member.Watch(context.Background(), h.dir)
	require.NoError(t, err)
	t.Cleanup(h.watcher.Close)

	gateway := h.identity(t, peer.ID{Agency: "G06", System: "gateway"})
	server := grpc.NewServer(grpc.UnaryInterceptor(h.judge), grpc.Creds(member.Credentials(peer.Config{
		Certificate: gateway.Certificate, Roots: gateway.Roots, Accept: h.watcher.Accept,
		OnReject: func(r peer.Rejection) { h.rejects <- r },
	})))
	healthv1.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h.addr = listener.Addr().String()
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() { server.Stop(); require.NoError(t, <-done) })
	return h
}

// judge is what a gateway does with each request.
func (h *hub) judge(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	cert, ok := member.FromContext(ctx)
	if !ok {
		return nil, reason.Internal
	}
	caller, err := h.watcher.Directory().Caller(cert, time.Now())
	if err != nil {
		return nil, err
	}
	h.callers <- caller
	return handler(ctx, req)
}

func (h *hub) identity(t *testing.T, id peer.ID) *peer.Identity {
	got, err := peer.LoadIdentity(authority.Files(h.dir, id))
	require.NoError(t, err)
	return got
}

func (h *hub) dial(t *testing.T, cfg *tls.Config) func() error {
	conn, err := grpc.NewClient(h.addr, grpc.WithTransportCredentials(credentials.NewTLS(cfg)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	client := healthv1.NewHealthClient(conn)
	return func() error {
		_, err := client.Check(t.Context(), &healthv1.HealthCheckRequest{})
		return err
	}
}

// until waits for a change on disk to be noticed.
func until(t *testing.T, happened func() bool) {
	require.Eventually(t, happened, 5*time.Second, 10*time.Millisecond)
}

func TestAMemberIsKnownByItsCertificateInEveryRequest(t *testing.T) {
	h := start(t)
	id := h.identity(t, portal)
	call := h.dial(t, peer.ClientTLS(id.Certificate, id.Roots, peer.Only(peer.ID{Agency: "G06", System: "gateway"})))
	for range 2 {
		require.NoError(t, call())
		require.Equal(t, member.Caller{ID: portal, Serial: peer.Serial(id.Certificate.Leaf), Roles: member.Consumer | member.Portal}, <-h.callers)
	}
}

func TestARevocationCountsFromTheNextRequestOnAnOpenConnection(t *testing.T) {
	h := start(t)
	id := h.identity(t, portal)
	client := peer.ClientTLS(id.Certificate, id.Roots, nil)
	call := h.dial(t, client)
	require.NoError(t, call())
	<-h.callers

	_, err := h.ca.Revoke(portal.String())
	require.NoError(t, err)
	until(t, func() bool { return h.watcher.Directory().Revoked(peer.Serial(id.Certificate.Leaf)) })
	err = call()
	require.Error(t, err)
	require.Equal(t, reason.CertificateRevoked, reason.Of(err).Reason)
	require.Empty(t, h.rejects, "the connection was still the open one")

	err = h.dial(t, client)()
	require.Equal(t, codes.Unavailable, status.Code(err), "a new connection is not made")
	require.Equal(t, peer.Revoked, (<-h.rejects).Reason)
}

func TestACertificateOfASystemThatIsNoMemberIsToldSo(t *testing.T) {
	h := start(t)
	data, err := os.ReadFile(h.dir + "/" + member.FileName)
	require.NoError(t, err)
	f, err := member.ParseFile(data)
	require.NoError(t, err)
	id := h.identity(t, clinic)
	call := h.dial(t, peer.ClientTLS(id.Certificate, id.Roots, nil))
	require.NoError(t, call())
	f.Systems = f.Systems[:1]
	data, err = f.Encode()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(h.dir+"/"+member.FileName, data, 0o600))
	until(t, func() bool { _, ok := h.watcher.Directory().Lookup(clinic); return !ok })
	err = call()
	require.Error(t, err)
	require.Equal(t, reason.IdentityUnknown, reason.Of(err).Reason)
}

func TestWhatIsNotTLSIsReportedButASilentProbeIsNot(t *testing.T) {
	h := start(t)
	probe, err := net.Dial("tcp", h.addr)
	require.NoError(t, err)
	require.NoError(t, probe.Close())

	conn, err := net.Dial("tcp", h.addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("GET / HTTP/1.1\r\nHost: hub\r\n\r\n"))
	require.NoError(t, err)
	_, _ = io.ReadAll(conn)
	r := <-h.rejects
	require.Equal(t, peer.HandshakeFailed, r.Reason)
	require.Equal(t, conn.LocalAddr().String(), r.Remote.String())
	require.Empty(t, h.rejects)
}

func TestARequestThatDidNotComeThroughTheseCredentialsHasNoCertificate(t *testing.T) {
	_, ok := member.FromContext(t.Context())
	require.False(t, ok)
	_, err := member.FromState(tls.ConnectionState{})
	require.ErrorIs(t, err, peer.NoCertificate)
}
