package service_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"math/big"
	"net"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/proto/peer"
)

// systems of the tests, by their roles.
var systems = map[string]member.Roles{
	"H27/one-stop": member.Consumer, "G24/claims": member.Consumer, "G01/steward": member.Steward, "G15/steward": member.Steward,
	"G01/registry": member.Provider, "G06/operator": member.Operator, "G06/operator-b": member.Operator, "G20/auditor": member.Auditor,
	"G22/portal": member.Portal, "G06/gateway": member.Gateway,
}

// directory is who they are to the hub. Only H27 says who its officers are.
func directory(t testing.TB) *member.Directory {
	agencies := map[string]member.Agency{}
	var all []member.System
	for name, roles := range systems {
		id, err := peer.ParseID(name)
		require.NoError(t, err)
		all = append(all, member.System{ID: id, Roles: roles, Status: member.Active})
		agencies[id.Agency] = member.Agency{Code: id.Agency, NameVI: id.Agency, Officers: member.Any}
	}
	agencies["H27"] = member.Agency{Code: "H27", NameVI: "H27", Officers: member.Enrolled}
	officers := []member.Officer{{Agency: "H27", Account: "hoa"}, {Agency: "H27", Account: "x"}}
	d, err := member.NewDirectory(slices.Collect(maps.Values(agencies)), all, officers, nil)
	require.NoError(t, err)
	return d
}

// ca is an authority of the tests.
type ca struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64
}

func newCA(t testing.TB) *ca {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: summer.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	c := &ca{t: t, key: key, last: 1}
	c.cert = c.sign(template, template, key)
	return c
}

func (c *ca) sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, c.key)
	require.NoError(c.t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(c.t, err)
	return cert
}

// issue makes an identity that is good for a client and for a server here.
func (c *ca) issue(name string) *peer.Identity {
	id, err := peer.ParseID(name)
	require.NoError(c.t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(c.t, err)
	c.last++
	leaf := c.sign(&x509.Certificate{
		SerialNumber: big.NewInt(c.last), NotBefore: time.Now().Add(-time.Hour), NotAfter: summer.AddDate(20, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{id.URI()}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, c.cert, key)
	roots := x509.NewCertPool()
	roots.AddCert(c.cert)
	return &peer.Identity{ID: id, Certificate: tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, Roots: roots}
}
