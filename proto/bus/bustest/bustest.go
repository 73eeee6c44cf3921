// Package bustest is an authority of its own and the certificates that tests of the bus need.
//
// What does not belong here: anything that a running hub uses.
package bustest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/peer"
)

// Identities of a small hub.
var (
	GatewayID  = peer.ID{Agency: "G01", System: "hub"}
	ProviderID = peer.ID{Agency: "G01", System: "registry-people"}
	ConsumerID = peer.ID{Agency: "H27", System: "one-stop"}
)

// CA issues certificates that are valid from an hour ago for a day.
type CA struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes an authority.
func NewCA(t testing.TB) *CA {
	t.Helper()
	ca := &CA{t: t, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	ca.cert = ca.sign(template, template, &ca.key.PublicKey)
	return ca
}

// Roots is the authority as those see it who believe in it.
func (ca *CA) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// Issue makes a certificate for id, after spoiling it.
func (ca *CA) Issue(id peer.ID, spoil ...func(*x509.Certificate)) tls.Certificate {
	ca.t.Helper()
	return ca.IssueFor(newKey(ca.t), id, spoil...)
}

// IssueFor makes a certificate for id and a key.
func (ca *CA) IssueFor(key crypto.Signer, id peer.ID, spoil ...func(*x509.Certificate)) tls.Certificate {
	ca.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), URIs: []*url.URL{id.URI()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, f := range spoil {
		f(template)
	}
	leaf := ca.sign(template, ca.cert, key.Public())
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

func (ca *CA) sign(template, parent *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	ca.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, ca.key)
	require.NoError(ca.t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(ca.t, err)
	return cert
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}
