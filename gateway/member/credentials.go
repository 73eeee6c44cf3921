package member

import (
	"context"
	"errors"
	"io"
	"net"

	"google.golang.org/grpc/credentials"
	grpcpeer "google.golang.org/grpc/peer"

	"github.com/lienthong/lienthong/proto/peer"
)

// AuthInfo is what gRPC keeps of a connection: the TLS state, and the certificate read once.
type AuthInfo struct {
	credentials.TLSInfo
	Certificate *Certificate
}

// Credentials are a gRPC server's credentials for callers with identities of the hub. Handlers find the caller's
// certificate with FromContext. Besides the refusals of peer.ServerTLS, cfg.OnReject hears of handshakes that
// fail otherwise (HandshakeFailed), but not of connections that are closed before they said anything.
func Credentials(cfg peer.Config) credentials.TransportCredentials {
	return &serverCredentials{TransportCredentials: credentials.NewTLS(peer.ServerTLS(cfg)), onReject: cfg.OnReject}
}

type serverCredentials struct {
	credentials.TransportCredentials
	onReject func(peer.Rejection)
}

// ServerHandshake opens a connection and reads who is at its other end.
func (c *serverCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		c.failed(raw, err)
		return nil, nil, err
	}
	tlsInfo, ok := info.(credentials.TLSInfo)
	if !ok {
		_ = conn.Close()
		return nil, nil, errors.New("TLS handshake told nothing about the peer")
	}
	cert, err := FromState(tlsInfo.State)
	if err != nil { // peer.ServerTLS has refused such a peer already
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, &AuthInfo{TLSInfo: tlsInfo, Certificate: cert}, nil
}

func (c *serverCredentials) failed(raw net.Conn, err error) {
	if c.onReject == nil || errors.Is(err, io.EOF) || peer.RefusalOf(err) != peer.HandshakeFailed {
		return // nobody listens, nothing was said, or it was told already
	}
	c.onReject(peer.Rejection{Remote: raw.RemoteAddr(), Reason: peer.HandshakeFailed, Err: err})
}

// Clone returns credentials with the same effect.
func (c *serverCredentials) Clone() credentials.TransportCredentials {
	return &serverCredentials{TransportCredentials: c.TransportCredentials.Clone(), onReject: c.onReject}
}

// FromContext returns the certificate of the connection that a gRPC request came on; false if the server does
// not use Credentials.
func FromContext(ctx context.Context) (*Certificate, bool) {
	p, ok := grpcpeer.FromContext(ctx)
	if !ok {
		return nil, false
	}
	info, ok := p.AuthInfo.(*AuthInfo)
	if !ok {
		return nil, false
	}
	return info.Certificate, true
}
