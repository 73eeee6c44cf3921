package hubtest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/member/authority"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// orderOf is an order for one more certificate of a system.
func orderOf(t testing.TB, id string) authority.Order {
	parsed, err := peer.ParseID(id)
	require.NoError(t, err)
	return authority.Order{ID: parsed}
}

// forge signs a certificate with the key of a hub's authority, spoilt by the test: what a careless authority might.
func forge(t testing.TB, hub *hubtest.Hub, spoil func(*x509.Certificate)) tls.Certificate {
	block := func(path string) []byte {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		b, _ := pem.Decode(raw)
		require.NotNil(t, b)
		return b.Bytes
	}
	ca, err := x509.ParseCertificate(block(hub.Dir.CA()))
	require.NoError(t, err)
	caKey, err := x509.ParsePKCS8PrivateKey(block(filepath.Join(string(hub.Dir), "ca", "ca.key")))
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		URIs: []*url.URL{orderOf(t, "H27/one-stop").ID.URI()},
	}
	spoil(template)
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &key.PublicKey, caKey)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestAWrongCertificateEndsAsAnAlertThereAndAReasonHere(t *testing.T) {
	t.Parallel()
	hub := small(t)
	good := hub.Identity(t, "H27/one-stop")
	gone := hub.Identity(t, "G24/claims").Certificate
	_, err := hub.Authority.Revoke("G24/claims")
	require.NoError(t, err)
	for reason, cert := range map[string]tls.Certificate{
		"UNKNOWN_AUTHORITY": shared.Identity(t, "H27/one-stop").Certificate,
		"EXPIRED":           forge(t, hub, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }),
		"NO_IDENTITY":       forge(t, hub, func(c *x509.Certificate) { c.URIs = nil }),
		"WRONG_USAGE":       forge(t, hub, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		"REVOKED":           gone,
	} {
		t.Run(reason, func(t *testing.T) {
			hubtest.Eventually(t, "an alert", func() bool {
				err := shake(t, hub, good, cert)
				return err != nil && err.Error() == "remote error: tls: bad certificate"
			})
			hubtest.Eventually(t, "the counter counts it", func() bool {
				_, metrics := hub.Get(t, "/metrics")
				return strings.Contains(metrics, fmt.Sprintf("lienthong_rejected_connections_total{reason=%q}", reason))
			})
			require.Contains(t, hub.Log(), "reason="+reason)
			require.NoError(t, getResidence(t, hub.Dial(t, "H27/one-stop")).err)
		})
	}
	for _, e := range hub.Exchanges(t) {
		require.Equal(t, hubv1.Exchange_OUTCOME_ANSWERED, e.GetOutcome(), "no exchange began on a refused connection")
	}
}

// shake opens a connection with a certificate and waits for what the gateway says after the handshake.
func shake(t *testing.T, hub *hubtest.Hub, good *peer.Identity, cert tls.Certificate) error {
	config := peer.ClientTLS(good.Certificate, good.Roots, nil)
	config.NextProtos = []string{"h2"}
	config.Certificates = nil
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	conn, err := (&tls.Dialer{NetDialer: &net.Dialer{Timeout: 10 * time.Second}, Config: config}).DialContext(t.Context(), "tcp", hub.GRPC())
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	_, err = io.ReadAll(conn)
	return err
}

func TestOnlyTheGatewaysOwnIdentityIsShownAndARenewedOneComesIntoUse(t *testing.T) {
	t.Parallel()
	hub := small(t)
	good := hub.Identity(t, "H27/one-stop")
	shown := func() string {
		var serial string
		config := peer.ClientTLS(good.Certificate, good.Roots, peer.Only(peer.ID{Agency: "G06", System: "gateway"}))
		config.NextProtos = []string{"h2"}
		conn, err := tls.Dial("tcp", hub.GRPC(), config)
		require.NoError(t, err)
		defer conn.Close()
		serial = peer.Serial(conn.ConnectionState().PeerCertificates[0])
		return serial
	}
	before := shown()
	renewed, err := hub.Authority.Renew(peer.ID{Agency: "G06", System: "gateway"})
	require.NoError(t, err)
	require.NotEqual(t, before, renewed.Serial)
	hubtest.Eventually(t, "the renewed certificate is shown", func() bool { return shown() == renewed.Serial })
	require.NoError(t, getResidence(t, hub.Dial(t, "H27/one-stop")).err)
}
