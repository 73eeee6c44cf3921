package client_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/membertest"
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
	dir := t.TempDir()
	a, err := authority.Open(dir, membertest.State(t, "G06", "H27"))
	require.NoError(t, err)
	conn, err := client.Dial(serve(t, issue(t, a, dir, client.Gateway), grpc.StreamInterceptor(refuse)), issue(t, a, dir, desk))
	require.NoError(t, err)
	defer conn.Close()

	_, err = client.Services(t.Context(), slowSender{conn})
	require.Equal(t, "CERTIFICATE_REVOKED", client.RefusalOf(err).Reason, "%v", err)
	_, err = client.Describe(t.Context(), slowSender{conn}, "land.v1.LandService")
	require.Equal(t, "CERTIFICATE_REVOKED", client.RefusalOf(err).Reason, "%v", err)
}
