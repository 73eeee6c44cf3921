package client_test

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/test/bufconn"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/proto/reason"
)

// slowSender is a connection on which a stream's first message leaves only after the server spoke or ended the stream.
type slowSender struct{ *grpc.ClientConn }

func (c slowSender) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := c.ClientConn.NewStream(ctx, desc, method, opts...)
	return slowStream{stream}, err
}

type slowStream struct{ grpc.ClientStream }

func (s slowStream) SendMsg(m any) error {
	_, _ = s.Header()
	return s.ClientStream.SendMsg(m)
}

func TestARefusalThatComesBeforeTheQuestionIsSentIsHeard(t *testing.T) {
	refuse := func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
		return reason.CertificateRevoked.GRPCStatus().Err()
	}
	s := grpc.NewServer(grpc.StreamInterceptor(refuse))
	reflection.Register(s)
	l := bufconn.Listen(1 << 16)
	served := make(chan error)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		require.NoError(t, <-served)
	})
	conn, err := grpc.NewClient("passthrough:hub", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	require.NoError(t, err)
	defer conn.Close()

	_, err = client.Services(t.Context(), slowSender{conn})
	require.Equal(t, "CERTIFICATE_REVOKED", client.RefusalOf(err).Reason, "%v", err)
	_, err = client.Describe(t.Context(), slowSender{conn}, "land.v1.LandService")
	require.Equal(t, "CERTIFICATE_REVOKED", client.RefusalOf(err).Reason, "%v", err)
}
