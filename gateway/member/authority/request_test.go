package authority_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/proto/peer"
)

var vehicle = peer.ID{Agency: "G01", System: "registry-vehicle"}

// request is one of the id, parsed.
func request(t *testing.T, id peer.ID, hosts ...string) (*authority.Request, []byte) {
	text, key, err := authority.NewRequest(id, hosts)
	require.NoError(t, err)
	r, err := authority.ParseRequest(text)
	require.NoError(t, err)
	require.Equal(t, id, r.ID)
	return r, key
}

func TestAnApprovedRequestMakesAMemberWhoseKeyNeverWasHere(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	r, key := request(t, vehicle, "db.example", "10.0.0.7")
	require.Len(t, r.KeyDigest, 64)
	record, certPEM, err := a.Approve(r, authority.Order{Roles: member.Provider, Server: true, Title: member.Title{VI: "Phương tiện"}})
	require.NoError(t, err)
	require.True(t, record.Outside)
	require.NoDirExists(t, dir+"/identities", "neither key nor certificate lies here")

	own := t.TempDir()
	for name, data := range map[string][]byte{"cert.pem": certPEM, "key.pem": key, "ca.pem": a.CertificatePEM()} {
		require.NoError(t, os.WriteFile(own+"/"+name, data, 0o600))
	}
	got, err := peer.LoadIdentity(own+"/cert.pem", own+"/key.pem", own+"/ca.pem")
	require.NoError(t, err)
	require.Equal(t, vehicle, got.ID)
	_, err = peer.Verify([]*x509.Certificate{got.Certificate.Leaf}, a.Roots(), x509.ExtKeyUsageServerAuth, time.Now())
	require.NoError(t, err)
	require.NoError(t, got.Certificate.Leaf.VerifyHostname("db.example"))
	s, ok := members(t, dir).Lookup(vehicle)
	require.True(t, ok)
	require.Equal(t, member.Provider, s.Roles)

	_, err = a.Renew(vehicle)
	require.ErrorIs(t, err, authority.ErrOutside)
	later(a, 29*day)
	renewed, err := a.RenewDue(t.Context())
	require.NoError(t, err)
	require.Empty(t, renewed, "whose key is elsewhere cannot be renewed by itself")
}

func TestAKeyWhoseCertificateWasRevokedIsNotApprovedAgain(t *testing.T) {
	a := open(t, t.TempDir())
	r, _ := request(t, portal)
	first, _, err := a.Approve(r, authority.Order{Roles: member.Consumer})
	require.NoError(t, err)
	_, _, err = a.Approve(r, authority.Order{})
	require.NoError(t, err, "the same owner may ask again")
	_, err = a.Revoke(first.Serial)
	require.NoError(t, err)
	_, _, err = a.Approve(r, authority.Order{})
	require.ErrorIs(t, err, authority.ErrRequest)
	fresh, _ := request(t, portal)
	_, _, err = a.Approve(fresh, authority.Order{})
	require.NoError(t, err)
}

func TestOnlyAgenciesThatAreKnownOpenAndSafeAreCertified(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	change(t, dir, func(c changer) {
		c.add(member.Agency{Code: "H02", NameVI: "a"})
		c.add(member.Agency{Code: "H03", NameVI: "a", SafetyLevel: 2, Assessed: "2026-01-05"})
		c.add(member.Agency{Code: "H04", NameVI: "a", SafetyLevel: 3, Assessed: "2026-01-05"})
		c.add(member.Agency{Code: "H05", NameVI: "a", SafetyLevel: 3, Assessed: "2026-01-05", ValidFrom: "2099-01-01"})
		require.NoError(t, member.CloseAgency(c.ctx, c.tx, "H04", "", ""))
	})
	for code, want := range map[string]error{
		"H99": member.ErrAgencyUnknown, "H02": member.ErrUnsafe, "H03": member.ErrUnsafe, "H04": member.ErrAgencyClosed, "H05": member.ErrAgencyClosed,
	} {
		id := peer.ID{Agency: code, System: "x"}
		_, err := a.Issue(authority.Order{ID: id, Roles: member.Consumer})
		require.ErrorIs(t, err, want, code)
		r, _ := request(t, id)
		_, _, err = a.Approve(r, authority.Order{Roles: member.Consumer})
		require.ErrorIs(t, err, want, code)
		_, known := members(t, dir).Lookup(id)
		require.False(t, known, code)
	}
	records, err := a.List()
	require.NoError(t, err)
	require.Empty(t, records)
}

// csr signs a request of the template with the key.
func csr(t testing.TB, key crypto.Signer, template x509.CertificateRequest) []byte {
	der, err := x509.CreateCertificateRequest(rand.Reader, &template, key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func TestARequestThatIsNotOneIsRefused(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	weak, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	t.Setenv("GODEBUG", "rsa1024min=0")
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	uri := portal.URI()
	foreign := &url.URL{Scheme: "spiffe", Host: "other", Path: uri.Path}
	climbing := &url.URL{Scheme: "spiffe", Host: "lienthong", Path: "/agency/../system/x"}
	good := x509.CertificateRequest{URIs: []*url.URL{uri}}
	text := csr(t, key, good)
	_, err = authority.ParseRequest(text)
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	forged := append([]byte(nil), block.Bytes...)
	forged[len(forged)-1] ^= 1

	for name, text := range map[string][]byte{
		"empty":          nil,
		"no PEM":         []byte("hello"),
		"a certificate":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes}),
		"cut":            pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: block.Bytes[:40]}),
		"forged":         pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: forged}),
		"too large":      append(text, make([]byte, 20_000)...),
		"no URI":         csr(t, key, x509.CertificateRequest{Subject: pkix.Name{CommonName: "G22/dvc-portal"}}),
		"two URIs":       csr(t, key, x509.CertificateRequest{URIs: []*url.URL{uri, vehicle.URI()}}),
		"foreign domain": csr(t, key, x509.CertificateRequest{URIs: []*url.URL{foreign}}),
		"climbing":       csr(t, key, x509.CertificateRequest{URIs: []*url.URL{climbing}}),
		"e-mail":         csr(t, key, x509.CertificateRequest{URIs: []*url.URL{uri}, EmailAddresses: []string{"a@b"}}),
		"host *":         csr(t, key, x509.CertificateRequest{URIs: []*url.URL{uri}, DNSNames: []string{"*.example"}}),
		"host with path": csr(t, key, x509.CertificateRequest{URIs: []*url.URL{uri}, DNSNames: []string{"../x"}}),
		"many hosts":     csr(t, key, x509.CertificateRequest{URIs: []*url.URL{uri}, DNSNames: strings.Split(strings.Repeat("a,", 40)+"a", ",")}),
		"RSA 1024":       csr(t, short, good),
		"P-224":          csr(t, weak, good),
	} {
		_, err := authority.ParseRequest(text)
		require.ErrorIs(t, err, authority.ErrRequest, name)
	}
}

func TestWhatARequestSaysOfItselfGoesIntoNoCertificate(t *testing.T) {
	a := open(t, t.TempDir())
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	isCA, err := asn1.Marshal(struct{ CA bool }{true})
	require.NoError(t, err)
	text := csr(t, key, x509.CertificateRequest{
		Subject: pkix.Name{CommonName: strings.Repeat("x", 5000), Organization: []string{"G01\nG06/gateway"}}, URIs: []*url.URL{portal.URI()},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: isCA}},
	})
	r, err := authority.ParseRequest(text)
	require.NoError(t, err)
	_, certPEM, err := a.Approve(r, authority.Order{Roles: member.Consumer})
	require.NoError(t, err)
	block, _ := pem.Decode(certPEM)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	require.False(t, cert.IsCA)
	require.Equal(t, portal.String(), cert.Subject.CommonName)
	require.Equal(t, []string{"G22"}, cert.Subject.Organization)
	require.Less(t, len(cert.Raw), 2000)
}

func TestHostsAreForServersAndTheirKeysMustSign(t *testing.T) {
	a := open(t, t.TempDir())
	r, _ := request(t, portal, "evil.example")
	_, _, err := a.Approve(r, authority.Order{Roles: member.Consumer})
	require.ErrorIs(t, err, authority.ErrRequest)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	asks, err := authority.ParseRequest(csr(t, key, x509.CertificateRequest{URIs: []*url.URL{portal.URI()}, IPAddresses: []net.IP{}}))
	require.NoError(t, err)
	_, _, err = a.Approve(asks, authority.Order{Roles: member.Provider, Server: true})
	require.ErrorIs(t, err, authority.ErrRequest)
	_, _, err = a.Approve(asks, authority.Order{Roles: member.Consumer})
	require.NoError(t, err)
}

func TestRequestsForNamesThatAreNoneAreNotMade(t *testing.T) {
	for _, id := range []peer.ID{{}, {Agency: "../..", System: "x"}, {Agency: "G22", System: "a\nb"}, {Agency: "G22", System: strings.Repeat("a", 65)}} {
		_, _, err := authority.NewRequest(id, nil)
		require.ErrorIs(t, err, peer.ErrID)
	}
	_, _, err := authority.NewRequest(portal, []string{"a b"})
	require.Error(t, err)
}

func FuzzParseRequest(f *testing.F) {
	text, _, err := authority.NewRequest(portal, []string{"db.example"})
	require.NoError(f, err)
	block, _ := pem.Decode(text)
	f.Add(block.Bytes)
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := authority.ParseRequest(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
		if err != nil {
			require.ErrorIs(t, err, authority.ErrRequest)
			return
		}
		require.True(t, r.ID.Valid())
		for _, host := range r.Hosts {
			require.NoError(t, authority.CheckHost(host))
		}
	})
}
