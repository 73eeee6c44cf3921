package peer_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/proto/peer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	consumer = "spiffe://lienthong/agency/H27/system/one-stop"
	gateway  = "spiffe://lienthong/agency/G06/system/gateway"
)

// door is a TLS server on loopback that says "hello" to whom it lets in.
type door struct {
	addr    string
	rejects chan peer.Rejection
	revoked atomic.Value // serial
}

func open(t *testing.T, authority *ca, change ...func(*peer.Config)) *door {
	d := &door{rejects: make(chan peer.Rejection, 8)}
	d.revoked.Store("")
	cfg := peer.Config{
		Certificate: authority.issue(gateway, forServer),
		Roots:       authority.pool(),
		Accept: func(_ peer.ID, cert *x509.Certificate) error {
			if peer.Serial(cert) == d.revoked.Load() {
				return peer.Revoked
			}
			return nil
		},
		OnReject: func(r peer.Rejection) { d.rejects <- r },
	}
	for _, f := range change {
		f(&cfg)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", peer.ServerTLS(cfg))
	require.NoError(t, err)
	d.addr = listener.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if conn.(*tls.Conn).HandshakeContext(context.Background()) == nil {
				_, _ = conn.Write([]byte("hello"))
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return d
}

// knock connects and returns what the server said, and the state of the connection.
func (d *door) knock(cfg *tls.Config) (string, tls.ConnectionState, error) {
	conn, err := tls.Dial("tcp", d.addr, cfg)
	if err != nil {
		return "", tls.ConnectionState{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	said, err := io.ReadAll(conn)
	return string(said), conn.ConnectionState(), err
}

// requireAlert says that the other side ended the connection by a TLS alert.
func requireAlert(t *testing.T, err error) {
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	require.Equal(t, "remote error", op.Op, "%v", err)
}

func TestAGoodCertificateIsLetInByAnyTLSClient(t *testing.T) {
	authority := newCA(t)
	d := open(t, authority)
	cert := authority.issue(consumer)

	said, state, err := d.knock(peer.ClientTLS(cert, authority.pool(), peer.Only(peer.ID{Agency: "G06", System: "gateway"})))
	require.NoError(t, err)
	require.Equal(t, "hello", said)
	require.EqualValues(t, tls.VersionTLS13, state.Version)

	for _, name := range []string{"127.0.0.1", "localhost"} {
		said, _, err = d.knock(&tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: authority.pool(), ServerName: name})
		require.NoError(t, err, "a client that knows the server by its host name, like grpcurl")
		require.Equal(t, "hello", said)
	}
	require.Empty(t, d.rejects)
}

func TestAWrongCertificateEndsInAnAlertAndAReason(t *testing.T) {
	authority, stranger := newCA(t), newCA(t)
	noUsage := func(c *x509.Certificate) { c.ExtKeyUsage = nil }
	late := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	early := func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }
	second := func(c *x509.Certificate) { c.URIs = append(c.URIs, parse(t, gateway)) }
	cases := map[string]struct {
		cert tls.Certificate
		want peer.Refusal
	}{
		"other authority":             {stranger.issue(consumer), peer.UnknownAuthority},
		"other authority and expired": {stranger.issue(consumer, late), peer.UnknownAuthority},
		"self-signed":                 {selfSigned(t), peer.UnknownAuthority},
		"expired":                     {authority.issue(consumer, late), peer.Expired},
		"not yet valid":               {authority.issue(consumer, early), peer.NotYetValid},
		"no URI, only a common name":  {authority.issue(""), peer.NoIdentity},
		"two URIs":                    {authority.issue(consumer, second), peer.ManyIdentities},
		"another trust domain":        {authority.issue("spiffe://lienthong.example/agency/H27/system/one-stop"), peer.ForeignIdentity},
		"wildcard":                    {authority.issue("spiffe://lienthong/agency/H27/system/*"), peer.ForeignIdentity},
		"a URI that is not SPIFFE":    {authority.issue("https://lienthong/agency/H27/system/one-stop"), peer.ForeignIdentity},
		"made for servers":            {authority.issue(consumer, forServer), peer.WrongUsage},
		"made for nothing":            {authority.issue(consumer, noUsage), peer.WrongUsage},
		"an authority":                {authority.issue(consumer, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), peer.WrongUsage},
		"not for signatures":          {authority.issue(consumer, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), peer.WrongUsage},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := open(t, authority)
			_, _, err := d.knock(peer.ClientTLS(c.cert, authority.pool(), nil))
			requireAlert(t, err)
			r := <-d.rejects
			require.Equal(t, c.want, r.Reason, "%v", r.Err)
			require.Equal(t, c.want, peer.RefusalOf(r.Err))
			require.Equal(t, peer.Serial(c.cert.Leaf), r.Serial)
			require.Equal(t, "127.0.0.1", r.Remote.(*net.TCPAddr).IP.String())
			require.Empty(t, d.rejects, "one refusal is told once")

			said, _, err := d.knock(peer.ClientTLS(authority.issue(consumer), authority.pool(), nil))
			require.NoError(t, err, "the server goes on")
			require.Equal(t, "hello", said)
		})
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := newCA(t).issue(consumer).Leaf
	template.PublicKey = nil // the key is a new one
	leaf := sign(t, template, template, key, key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

func TestAPeerWithoutCertificateIsRefused(t *testing.T) {
	authority := newCA(t)
	d := open(t, authority)
	_, _, err := d.knock(&tls.Config{RootCAs: authority.pool()})
	requireAlert(t, err)
	r := <-d.rejects
	require.Equal(t, peer.NoCertificate, r.Reason)
	require.Zero(t, r.ID)
	require.Empty(t, r.Serial)
}

func TestOlderTLSIsRefused(t *testing.T) {
	authority := newCA(t)
	d := open(t, authority)
	_, _, err := d.knock(&tls.Config{RootCAs: authority.pool(), Certificates: []tls.Certificate{authority.issue(consumer)}, MaxVersion: tls.VersionTLS12})
	requireAlert(t, err)
}

func TestACertificateOfAnAuthorityWhoseTimeIsOverIsRefused(t *testing.T) {
	old := newCA(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	_, err := peer.Verify([]*x509.Certificate{old.issue(consumer).Leaf}, old.pool(), x509.ExtKeyUsageClientAuth, time.Now())
	require.Equal(t, peer.Expired, peer.RefusalOf(err))
}

func TestARevokedCertificateIsRefusedEvenWhenItsSessionIsResumed(t *testing.T) {
	authority := newCA(t)
	d := open(t, authority)
	cert := authority.issue(consumer)
	client := peer.ClientTLS(cert, authority.pool(), nil)
	client.ServerName, client.ClientSessionCache = "hub", tls.NewLRUClientSessionCache(1)

	_, state, err := d.knock(client)
	require.NoError(t, err)
	require.False(t, state.DidResume)
	_, state, err = d.knock(client)
	require.NoError(t, err)
	require.True(t, state.DidResume, "else this test shows nothing")

	d.revoked.Store(peer.Serial(cert.Leaf))
	said, _, err := d.knock(client)
	requireAlert(t, err)
	require.Empty(t, said)
	r := <-d.rejects
	require.Equal(t, peer.Revoked, r.Reason)
	require.Equal(t, peer.ID{Agency: "H27", System: "one-stop"}, r.ID)
}

func TestACertificateThatExpiresIsRefusedEvenWhenItsSessionIsResumed(t *testing.T) {
	authority := newCA(t)
	var late atomic.Bool
	d := open(t, authority, func(c *peer.Config) {
		c.Now = func() time.Time {
			if late.Load() {
				return time.Now().Add(2 * time.Hour)
			}
			return time.Now()
		}
	})
	client := peer.ClientTLS(authority.issue(consumer), authority.pool(), nil)
	client.ServerName, client.ClientSessionCache = "hub", tls.NewLRUClientSessionCache(1)
	_, _, err := d.knock(client)
	require.NoError(t, err)
	late.Store(true)
	_, _, err = d.knock(client)
	requireAlert(t, err)
	require.Equal(t, peer.Expired, (<-d.rejects).Reason)
}

func TestAServerMayRefuseWhomItKnows(t *testing.T) {
	authority := newCA(t)
	d := open(t, authority, func(c *peer.Config) {
		c.Accept = func(peer.ID, *x509.Certificate) error { return errors.New("not today") }
	})
	_, _, err := d.knock(peer.ClientTLS(authority.issue(consumer), authority.pool(), nil))
	requireAlert(t, err)
	require.Equal(t, peer.NotAccepted, (<-d.rejects).Reason)
}

func TestAClientRefusesAServerThatIsNotTheOneItWants(t *testing.T) {
	authority := newCA(t)
	hub := peer.Only(peer.ID{Agency: "G06", System: "gateway"})
	cases := map[string]struct {
		server tls.Certificate
		want   peer.Refusal
	}{
		"another system's":  {authority.issue(consumer, forServer), peer.NotAccepted},
		"other authority":   {newCA(t).issue(gateway, forServer), peer.UnknownAuthority},
		"made for clients":  {authority.issue(gateway), peer.WrongUsage},
		"without identity":  {authority.issue("", forServer), peer.NoIdentity},
		"expired":           {authority.issue(gateway, forServer, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), peer.Expired},
		"of another domain": {authority.issue("spiffe://other/agency/G06/system/gateway", forServer), peer.ForeignIdentity},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := open(t, authority, func(cfg *peer.Config) { cfg.Certificate = c.server })
			_, _, err := d.knock(peer.ClientTLS(authority.issue(consumer), authority.pool(), hub))
			require.Error(t, err)
			require.Equal(t, c.want, peer.RefusalOf(err), "%v", err)
		})
	}
}

func TestAServersCertificateCanChangeWhileItRuns(t *testing.T) {
	authority := newCA(t)
	var current atomic.Pointer[tls.Certificate]
	show := func() *tls.Certificate { c := authority.issue(gateway, forServer); current.Store(&c); return &c }
	first := show()
	d := open(t, authority, func(c *peer.Config) {
		c.GetCertificate = func() (*tls.Certificate, error) { return current.Load(), nil }
	})
	client := peer.ClientTLS(authority.issue(consumer), authority.pool(), nil)
	_, state, err := d.knock(client)
	require.NoError(t, err)
	require.Equal(t, first.Leaf.SerialNumber, state.PeerCertificates[0].SerialNumber)
	second := show()
	_, state, err = d.knock(client)
	require.NoError(t, err)
	require.Equal(t, second.Leaf.SerialNumber, state.PeerCertificates[0].SerialNumber)
}

func TestAnIdentityIsLoadedFromItsFiles(t *testing.T) {
	dir := t.TempDir()
	authority := newCA(t)
	cert := authority.issue(consumer)
	certFile, keyFile := write(t, dir, "one", cert)
	caFile, _ := write(t, dir, "ca", tls.Certificate{Certificate: [][]byte{authority.cert.Raw}, PrivateKey: authority.key})

	got, err := peer.LoadIdentity(certFile, keyFile, caFile)
	require.NoError(t, err)
	require.Equal(t, peer.ID{Agency: "H27", System: "one-stop"}, got.ID)
	require.Equal(t, cert.Leaf.SerialNumber, got.Certificate.Leaf.SerialNumber)
	_, err = peer.Verify([]*x509.Certificate{got.Certificate.Leaf}, got.Roots, x509.ExtKeyUsageClientAuth, time.Now())
	require.NoError(t, err)

	otherCert, otherKey := write(t, dir, "two", authority.issue(""))
	for name, files := range map[string][3]string{
		"key of another":   {certFile, otherKey, caFile},
		"no identity":      {otherCert, otherKey, caFile},
		"missing file":     {dir + "/none.pem", keyFile, caFile},
		"missing roots":    {certFile, keyFile, dir + "/none.pem"},
		"roots of no form": {certFile, keyFile, keyFile},
	} {
		_, err := peer.LoadIdentity(files[0], files[1], files[2])
		require.Error(t, err, name)
	}
}
