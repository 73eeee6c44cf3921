package member_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
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
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(enrolIn); dir != "" {
		if err := enrolTen(dir, fmt.Sprint("p", os.Getpid())); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// hub is a gRPC server that answers health checks of members.
type hub struct {
	dir     string
	db      *state.DB
	ca      *authority.Authority
	current atomic.Pointer[member.Directory]
	addr    string
	rejects chan peer.Rejection
	callers chan member.Caller
}

func start(t *testing.T) *hub {
	h := &hub{dir: t.TempDir(), db: membertest.State(t, "G01", "G06", "G15", "G22", "G24", "H27.07"), rejects: make(chan peer.Rejection, 8), callers: make(chan member.Caller, 8)}
	var err error
	h.ca, err = authority.Open(h.dir, h.db)
	require.NoError(t, err)
	for id, roles := range map[peer.ID]member.Roles{
		{Agency: "G06", System: "gateway"}: member.Gateway, {Agency: "G06", System: "operator-a"}: member.Operator,
		portal: member.Consumer | member.Portal, clinic: member.Consumer,
	} {
		_, err := h.ca.Issue(authority.Order{ID: id, Roles: roles, Server: roles.Has(member.Gateway)})
		require.NoError(t, err)
	}
	h.ring(t)

	gateway := h.identity(t, peer.ID{Agency: "G06", System: "gateway"})
	server := grpc.NewServer(grpc.UnaryInterceptor(h.judge), grpc.Creds(member.Credentials(peer.Config{
		Certificate: gateway.Certificate, Roots: gateway.Roots, Accept: member.Accept(h.current.Load), Given: member.Given(h.current.Load),
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
	caller, err := h.current.Load().Caller(cert, time.Now())
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

// ring has the members read anew.
func (h *hub) ring(t *testing.T) { h.current.Store(membertest.Read(t, h.db)) }

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
	h.ring(t)
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
	id := h.identity(t, clinic)
	call := h.dial(t, peer.ClientTLS(id.Certificate, id.Roots, nil))
	require.NoError(t, call())
	h.current.Store(membertest.Directory(t, []member.System{{ID: portal, Roles: member.Consumer, Status: member.Active}}))
	err := call()
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
