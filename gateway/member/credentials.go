package member

import (
	"context"
	"crypto/tls"
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
	return &serverCredentials{TransportCredentials: credentials.NewTLS(peer.ServerTLS(cfg)), cfg: cfg}
}

type serverCredentials struct {
	credentials.TransportCredentials
	cfg peer.Config
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
	if cert.Authority, err = c.authority(tlsInfo.State); err != nil { // it was taken back in this moment
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, &AuthInfo{TLSInfo: tlsInfo, Certificate: cert}, nil
}

// authority names the given authority that vouches for a peer, so that each request can be judged by whether it still
// may; empty if it is the hub's own.
func (c *serverCredentials) authority(state tls.ConnectionState) (string, error) {
	if c.cfg.Given == nil {
		return "", nil
	}
	_, given, err := c.cfg.Identify(state.PeerCertificates)
	if err != nil || given == nil {
		return "", err
	}
	return Fingerprint(given), nil
}

func (c *serverCredentials) failed(raw net.Conn, err error) {
	if c.cfg.OnReject == nil || errors.Is(err, io.EOF) || peer.RefusalOf(err) != peer.HandshakeFailed {
		return // nobody listens, nothing was said, or it was told already
	}
	c.cfg.OnReject(peer.Rejection{Remote: raw.RemoteAddr(), Reason: peer.HandshakeFailed, Err: err})
}

// Clone returns credentials with the same effect.
func (c *serverCredentials) Clone() credentials.TransportCredentials {
	return &serverCredentials{TransportCredentials: c.TransportCredentials.Clone(), cfg: c.cfg}
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
