package member_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// ministry is an authority that is not the hub's.
type ministry struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newMinistry(t testing.TB, spoil ...func(*x509.Certificate)) *ministry {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a ministry"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	for _, f := range spoil {
		f(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &ministry{t, cert, key}
}

func (m *ministry) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.cert.Raw})
}

// issue makes a certificate of a system.
func (m *ministry) issue(id peer.ID) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(m.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), URIs: []*url.URL{id.URI()}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, m.cert, &key.PublicKey, m.key)
	require.NoError(m.t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// change changes the members and has the hub read them.
func (h *hub) change(t *testing.T, do func(context.Context, *state.Tx) error) {
	membertest.Change(t, h.db, do)
	h.ring(t)
}

func TestAMinistrysAuthorityIsBelievedForItsAgenciesUntilItIsNot(t *testing.T) {
	h := start(t)
	m := newMinistry(t)
	roots := h.identity(t, portal).Roots
	desk := peer.ID{Agency: "G15", System: "desk"}
	dial := func(id peer.ID) func() error { return h.dial(t, peer.ClientTLS(m.issue(id), roots, nil)) }
	require.Error(t, dial(desk)())
	require.Equal(t, peer.UnknownAuthority, (<-h.rejects).Reason)

	h.change(t, func(ctx context.Context, tx *state.Tx) error {
		_, err := member.TrustCA(ctx, tx, m.pem(), []string{"G15"})
		require.NoError(t, member.Admit(ctx, tx, desk, member.Consumer, member.Title{}))
		return err
	})
	call := dial(desk)
	require.NoError(t, call())
	require.Equal(t, desk, (<-h.callers).ID)
	for _, id := range []peer.ID{portal, clinic, {Agency: "G06", System: "gateway"}, {Agency: "G01", System: "registry-population"}, {Agency: "G15", System: "no-member"}} {
		require.Error(t, dial(id)(), id)
		require.Equal(t, peer.UnknownAuthority, (<-h.rejects).Reason, id)
	}

	h.change(t, func(ctx context.Context, tx *state.Tx) error { // another agency instead
		_, err := member.TrustCA(ctx, tx, m.pem(), []string{"G24"})
		return err
	})
	err := call()
	require.Error(t, err)
	require.Equal(t, reason.CertificateRevoked, reason.Of(err).Reason, "on the connection that is open")
	h.change(t, func(ctx context.Context, tx *state.Tx) error {
		_, err := member.TrustCA(ctx, tx, m.pem(), []string{"G24", "G15", "G15"})
		return err
	})
	require.NoError(t, call())
	<-h.callers
	h.change(t, func(ctx context.Context, tx *state.Tx) error {
		_, err := member.UntrustCA(ctx, tx, member.Fingerprint(m.cert)[:8])
		return err
	})
	err = call()
	require.Error(t, err)
	require.Equal(t, reason.CertificateRevoked, reason.Of(err).Reason)
	require.Error(t, dial(desk)())
	require.Equal(t, peer.UnknownAuthority, (<-h.rejects).Reason)
}

func TestASystemIsDeniedWhateverAuthorityItFinds(t *testing.T) {
	h := start(t)
	m := newMinistry(t)
	h.change(t, func(ctx context.Context, tx *state.Tx) error {
		_, err := member.TrustCA(ctx, tx, m.pem(), []string{"G22"})
		return err
	})
	call := h.dial(t, peer.ClientTLS(m.issue(portal), h.identity(t, portal).Roots, nil))
	require.NoError(t, call())
	<-h.callers
	_, err := h.ca.Revoke(portal.String())
	require.NoError(t, err)
	h.ring(t)
	require.Equal(t, reason.CertificateRevoked, reason.Of(call()).Reason)
	require.Error(t, h.dial(t, peer.ClientTLS(m.issue(portal), h.identity(t, portal).Roots, nil))())
	require.Equal(t, peer.Revoked, (<-h.rejects).Reason)
}

func TestAGatewayIsCertifiedByTheHubAlone(t *testing.T) {
	h := start(t)
	m := newMinistry(t)
	gateway := peer.ID{Agency: "G06", System: "gateway"}
	operator := peer.ID{Agency: "G06", System: "operator-a"}
	h.change(t, func(ctx context.Context, tx *state.Tx) error {
		_, err := member.TrustCA(ctx, tx, m.pem(), []string{"G06"})
		return err
	})
	require.Nil(t, h.current.Load().Given(gateway))
	require.NotNil(t, h.current.Load().Given(operator))
	require.Nil(t, h.current.Load().Given(portal))
	require.Error(t, h.dial(t, peer.ClientTLS(m.issue(gateway), h.identity(t, portal).Roots, nil))())
}

func TestWhatIsNoAuthorityIsNotTrusted(t *testing.T) {
	db := membertest.State(t, "G15", "G22")
	membertest.Change(t, db, func(ctx context.Context, tx *state.Tx) error { return member.CloseAgency(ctx, tx, "G22", "", "") })
	trust := func(text []byte, agencies ...string) error {
		return try(t, db, func(ctx context.Context, tx *state.Tx) error {
			_, err := member.TrustCA(ctx, tx, text, agencies)
			return err
		})
	}
	good := newMinistry(t)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil { // a library that refuses to make one refuses to trust one, too
		weak = nil
	}
	for name, text := range map[string][]byte{
		"empty":          nil,
		"no PEM":         []byte("x"),
		"a key":          pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}),
		"cut":            pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: good.cert.Raw[:50]}),
		"two":            append(good.pem(), newMinistry(t).pem()...),
		"too large":      append(good.pem(), make([]byte, 70_000)...),
		"a leaf":         pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: good.issue(portal).Certificate[0]}),
		"expired":        newMinistry(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }).pem(),
		"may sign none":  newMinistry(t, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }).pem(),
		"no constraints": newMinistry(t, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false }).pem(),
	} {
		require.Error(t, trust(text, "G15"), name)
	}
	if weak != nil {
		require.Error(t, member.CheckKey(&weak.PublicKey))
	}
	require.Error(t, trust(good.pem()), "for nobody")
	require.ErrorIs(t, trust(good.pem(), "G15", "G99"), member.ErrAgencyUnknown)
	require.ErrorIs(t, trust(good.pem(), "G15", "G22"), member.ErrAgencyClosed)
	require.NoError(t, trust(good.pem(), "G15"))
	for _, fingerprint := range []string{"", "abc", "ffffffffff", member.Fingerprint(good.cert)[:7]} {
		err := try(t, db, func(ctx context.Context, tx *state.Tx) error {
			_, err := member.UntrustCA(ctx, tx, fingerprint)
			return err
		})
		require.ErrorIs(t, err, member.ErrGivenUnknown, fingerprint)
	}
	require.Len(t, membertest.Read(t, db).GivenTo("G15"), 1)
	require.Empty(t, membertest.Read(t, db).GivenTo("G22"))
}
