package grpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	grpcface "github.com/lienthong/lienthong/gateway/face/grpc"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/policy"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// gatewayID is who the face is.
var gatewayID = peer.ID{Agency: "G06", System: "gateway"}

// authority issues certificates, good and bad.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-48 * time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{t, cert, key}
}

func (a *authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

var serial atomic.Int64

// issue makes a certificate that is good in all respects, then lets the test spoil it.
func (a *authority) issue(id peer.ID, spoil ...func(*x509.Certificate)) *peer.Identity {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x1000 + serial.Add(1)), NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{id.URI()},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, f := range spoil {
		f(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(a.t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(a.t, err)
	return &peer.Identity{ID: id, Roots: a.roots(), Certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}
}

// face is the gRPC face on loopback TLS, before a hub whose seams the test holds.
type face struct {
	*grpcface.Server
	t         testing.TB
	authority *authority
	address   string
	served    chan error

	mu       sync.Mutex
	policy   *policy.Policy
	carrier  exchangetest.Carrier
	rejected []peer.Rejection
	recorder exchangetest.Recorder
}

// person is an answer that is wholly agreed.
const person = `{"result": {"code": "FOUND"}, "person": {"personalId": "042187001234", "birthDate": "1987-04-21"}}`

func newFace(t testing.TB) *face {
	f := &face{t: t, authority: newAuthority(t), policy: exchangetest.Policy(t), served: make(chan error, 1)}
	f.carrier = exchangetest.Answers(exchangetest.Message(t, "GetPersonResponse", person))
	hub := exchange.New(exchange.Config{Policy: f.decide, Recorder: &f.recorder, Carrier: exchangetest.Carrier(f.carry)})
	f.Server = grpcface.NewServer(grpcface.Config{
		Hub:     hub,
		Catalog: func() *catalog.Catalog { return f.now().Catalog },
		Members: f.members,
		Credentials: member.Credentials(peer.Config{
			Certificate: f.authority.issue(gatewayID).Certificate, Roots: f.authority.roots(), Accept: f.accept, OnReject: f.reject,
		}),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f.address = l.Addr().String()
	go func() { f.served <- f.Serve(l) }()
	f.SetServing(true)
	t.Cleanup(func() {
		done, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		f.Stop(done)
	})
	return f
}

func (f *face) decide(time.Time) (*policy.Policy, error) { return f.now(), nil }

func (f *face) now() *policy.Policy {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.policy
}

func (f *face) members() *member.Directory { return f.now().Members }

func (f *face) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// revoke revokes an identity's certificate.
func (f *face) revoke(id *peer.Identity) {
	f.change(func() {
		next := *f.policy
		next.Members = exchangetest.Members(f.t, peer.Serial(id.Certificate.Leaf))
		f.policy = &next
	})
}

func (f *face) carry(ctx context.Context, q *courier.Question) (*hubv1.Answer, error) {
	f.mu.Lock()
	carrier := f.carrier
	f.mu.Unlock()
	return carrier(ctx, q)
}

func (f *face) accept(_ peer.ID, cert *x509.Certificate) error {
	if f.members().Revoked(peer.Serial(cert)) {
		return peer.Revoked
	}
	return nil
}

func (f *face) reject(r peer.Rejection) { f.change(func() { f.rejected = append(f.rejected, r) }) }

// rejections are the connections that were refused so far.
func (f *face) rejections() []peer.Rejection {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]peer.Rejection(nil), f.rejected...)
}

// dial opens a connection as an identity, until the test ends.
func (f *face) dial(id *peer.Identity, opts ...grpc.DialOption) *grpc.ClientConn {
	conn, err := client.Dial(f.address, id, opts...)
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// desk opens a connection as the desk.
func (f *face) desk() *grpc.ClientConn { return f.dial(f.authority.issue(exchangetest.Desk)) }

// purpose is what the desk says when it asks.
func purpose(ctx context.Context) context.Context {
	return client.With(ctx, client.Words{Purpose: exchangetest.Purpose})
}

// bytes is a message as it is on the wire.
type bytes []byte

// raw passes bytes through a client.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) ([]byte, error) { return *v.(*bytes), nil }

func (raw) Unmarshal(data []byte, v any) error {
	*v.(*bytes) = append(bytes(nil), data...)
	return nil
}

// ask asks a method with request bytes, and returns answer, receipt and failure.
func ask(ctx context.Context, conn *grpc.ClientConn, method string, request []byte, opts ...grpc.CallOption) ([]byte, client.Receipt, error) {
	var header metadata.MD
	in, out := bytes(request), bytes{}
	opts = append(opts, grpc.ForceCodec(raw{}), grpc.Header(&header))
	err := conn.Invoke(ctx, method, &in, &out, opts...)
	return out, client.ReceiptOf(header), err
}

// getPerson asks for the person.
func (f *face) getPerson(ctx context.Context, conn *grpc.ClientConn) ([]byte, client.Receipt, error) {
	return ask(ctx, conn, catalogtest.GetPerson, exchangetest.Message(f.t, "GetPersonRequest", `{"personalId": "042187001234"}`))
}

// clientTLS is what a client shows, believing anybody.
func clientTLS(id *peer.Identity) credentials.TransportCredentials {
	return credentials.NewTLS(peer.ClientTLS(id.Certificate, id.Roots, nil))
}
