package client_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

var desk = peer.ID{Agency: "H27", System: "one-stop"}

// issue has an authority issue an identity.
func issue(t *testing.T, a *authority.Authority, dir string, id peer.ID) *peer.Identity {
	_, err := a.Issue(authority.Order{ID: id, Roles: member.Consumer, Server: true})
	require.NoError(t, err)
	identity, err := peer.LoadIdentity(authority.Files(dir, id))
	require.NoError(t, err)
	return identity
}

// serve answers health checks and questions about services at an address, as the identity.
func serve(t *testing.T, id *peer.Identity, opts ...grpc.ServerOption) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	opts = append(opts, grpc.Creds(credentials.NewTLS(peer.ServerTLS(peer.Config{Certificate: id.Certificate, Roots: id.Roots}))))
	s := grpc.NewServer(opts...)
	healthv1.RegisterHealthServer(s, health.NewServer())
	reflection.Register(s)
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		require.NoError(t, <-done)
	})
	return l.Addr().String()
}

func TestOnlyTheGatewayIsBelieved(t *testing.T) {
	dir := t.TempDir()
	a, err := authority.Open(dir, membertest.State(t, "G06", "H27", "H60"))
	require.NoError(t, err)
	caller := issue(t, a, dir, desk)
	registry := peer.ID{Agency: "H60", System: "registry-land"}
	for id, believed := range map[peer.ID]bool{client.Gateway: true, registry: false, desk: false} {
		conn, err := client.Dial(serve(t, issue(t, a, dir, id)), caller)
		require.NoError(t, err)
		defer conn.Close()
		_, err = healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
		require.Equal(t, believed, err == nil, "%s: %v", id, err)
	}
	conn, err := client.DialGateway(serve(t, issue(t, a, dir, registry)), caller, registry)
	require.NoError(t, err)
	defer conn.Close()
	_, err = healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err, "whoever is named is believed")
}

func TestOnlyWordsThatAreSaidAreSent(t *testing.T) {
	ctx := client.With(t.Context(), client.Words{Purpose: "HT-KS", Fields: "a,b"})
	md, _ := metadata.FromOutgoingContext(ctx)
	require.Equal(t, metadata.MD{"lt-purpose": {"HT-KS"}, "lt-fields": {"a,b"}}, md)
	ctx = client.With(context.Background(), client.Words{Purpose: "1", Case: "2", Officer: "3", Fields: "4", Consent: "5"})
	md, _ = metadata.FromOutgoingContext(ctx)
	require.Len(t, md, 5)
}

func TestAReceiptIsReadFromTheHeaders(t *testing.T) {
	require.Equal(t, client.Receipt{Exchange: "x", Withheld: "a,b"}, client.ReceiptOf(metadata.Pairs("lt-exchange", "x", "lt-withheld", "a,b")))
	require.Zero(t, client.ReceiptOf(nil))
}

func TestARefusalIsReadFromTheFailure(t *testing.T) {
	got := client.RefusalOf(reason.PurposeRequired.At("lt-purpose").GRPCStatus().Err())
	require.Equal(t, client.Refusal{Code: "InvalidArgument", Reason: "PURPOSE_REQUIRED", Field: "lt-purpose", Mender: "caller",
		Message: "lt-purpose: " + reason.PurposeRequired.Form().Message}, got)
	require.Equal(t, client.Refusal{Code: "Unavailable", Message: "no route"}, client.RefusalOf(status.Error(codes.Unavailable, "no route")))
	require.Equal(t, client.Refusal{Code: "Unknown", Message: "broken"}, client.RefusalOf(errors.New("broken")))
}
