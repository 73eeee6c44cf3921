package bus_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

func TestAnAnnouncementSaysWhoHoldsAKey(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	connector := newKey(t, ca, asConnector, now)
	for _, leaving := range []bool{false, true} {
		words, err := connector.Announce(now, leaving)
		require.NoError(t, err)
		party, err := bus.Verify(words, ca.Roots(), now)
		require.NoError(t, err)
		require.Equal(t, bustest.ProviderID, party.ID)
		require.Equal(t, connector.ID, party.Key)
		require.Equal(t, asConnector, party.Role)
		require.Equal(t, "p1", party.Instance)
		require.Equal(t, people, party.Offers[0].GetService())
		require.Equal(t, leaving, party.Leaving)
		require.Equal(t, now.UnixMilli(), party.Announced.UnixMilli())
		require.Equal(t, now.Add(bus.KeyLife+bus.KeyOverlap).UnixMilli(), party.NotAfter.UnixMilli())
		require.Less(t, len(words), 2<<10)
	}
}

func TestEd25519SignsAnnouncementsToo(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	key, err := bus.NewKey(bus.KeyConfig{Certificate: ca.IssueFor(private, bustest.GatewayID), Role: asGateway, Now: now})
	require.NoError(t, err)
	words, err := key.Announce(now, false)
	require.NoError(t, err)
	_, err = bus.Verify(words, ca.Roots(), now)
	require.NoError(t, err)
}

func TestAKeyIsNotMadeThatNobodyWouldBelieve(t *testing.T) {
	ca := bustest.NewCA(t)
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, cert := range map[string]tls.Certificate{
		"nothing":        {},
		"no private key": {Certificate: ca.Issue(bustest.GatewayID).Certificate},
		"no certificate": {PrivateKey: ca.Issue(bustest.GatewayID).PrivateKey},
		"RSA":            ca.IssueFor(weak, bustest.GatewayID),
	} {
		_, err := bus.NewKey(bus.KeyConfig{Certificate: cert, Role: asGateway, Now: time.Now()})
		require.Error(t, err, name)
	}
}

// say signs what is said with a certificate, as no honest process would.
func say(t *testing.T, cert tls.Certificate, said *hubv1.AnnouncedKey) []byte {
	t.Helper()
	words, err := proto.Marshal(said)
	require.NoError(t, err)
	digest := sha256.Sum256(append([]byte("lienthong/bus/announcement/v1\x00"), words...))
	signature, err := ecdsa.SignASN1(rand.Reader, cert.PrivateKey.(*ecdsa.PrivateKey), digest[:])
	require.NoError(t, err)
	announcement, err := proto.Marshal(&hubv1.Announcement{Key: words, Signature: signature, Chain: cert.Certificate})
	require.NoError(t, err)
	return announcement
}

func said(now time.Time, change ...func(*hubv1.AnnouncedKey)) *hubv1.AnnouncedKey {
	s := &hubv1.AnnouncedKey{
		X25519: append([]byte{9}, make([]byte, 31)...), Role: asConnector, Instance: "p1",
		NotBeforeUnixMs: now.UnixMilli(), NotAfterUnixMs: now.Add(bus.KeyLife).UnixMilli(), AnnouncedUnixMs: now.UnixMilli(),
	}
	for _, f := range change {
		f(s)
	}
	return s
}

func TestCertificatesThatMayNotSpeakAreNotBelieved(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	for name, c := range map[string]struct {
		cert tls.Certificate
		why  peer.Refusal
	}{
		"another authority": {bustest.NewCA(t).Issue(bustest.ProviderID), peer.UnknownAuthority},
		"expired": {ca.Issue(bustest.ProviderID, func(c *x509.Certificate) {
			c.NotAfter = now.Add(-time.Minute)
		}), peer.Expired},
		"not yet valid": {ca.Issue(bustest.ProviderID, func(c *x509.Certificate) {
			c.NotBefore = now.Add(time.Minute)
		}), peer.NotYetValid},
		"for servers only": {ca.Issue(bustest.ProviderID, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}), peer.WrongUsage},
		"for no use": {ca.Issue(bustest.ProviderID, func(c *x509.Certificate) { c.ExtKeyUsage = nil }), peer.WrongUsage},
		"no name":    {ca.Issue(bustest.ProviderID, func(c *x509.Certificate) { c.URIs = nil }), peer.NoIdentity},
		"two names": {ca.Issue(bustest.ProviderID, func(c *x509.Certificate) {
			c.URIs = append(c.URIs, bustest.GatewayID.URI())
		}), peer.ManyIdentities},
		"foreign name": {ca.Issue(bustest.ProviderID, func(c *x509.Certificate) {
			c.URIs = []*url.URL{{Scheme: "spiffe", Host: "elsewhere", Path: "/agency/G01/system/x"}}
		}), peer.ForeignIdentity},
	} {
		_, err := bus.Verify(say(t, c.cert, said(now)), ca.Roots(), now)
		require.ErrorIs(t, err, bus.ErrAnnouncement, name)
		require.ErrorIs(t, err, c.why, name)
	}
	_, err := bus.Verify(say(t, ca.Issue(bustest.ProviderID), said(now)), ca.Roots(), now)
	require.NoError(t, err)
}

func TestWhatAnAnnouncementSaysMustMakeSense(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	cert := ca.Issue(bustest.ProviderID)
	at := func(d time.Duration) int64 { return now.Add(d).UnixMilli() }
	for name, change := range map[string]func(*hubv1.AnnouncedKey){
		"no role":                    func(s *hubv1.AnnouncedKey) { s.Role = 0 },
		"unknown role":               func(s *hubv1.AnnouncedKey) { s.Role = 9 },
		"connector without instance": func(s *hubv1.AnnouncedKey) { s.Instance = "" },
		"instance of two tokens":     func(s *hubv1.AnnouncedKey) { s.Instance = "a.b" },
		"instance that matches all":  func(s *hubv1.AnnouncedKey) { s.Instance = ">" },
		"gateway with an instance":   func(s *hubv1.AnnouncedKey) { s.Role = asGateway },
		"gateway with offers": func(s *hubv1.AnnouncedKey) {
			s.Role, s.Instance, s.Offers = asGateway, "", []*hubv1.Offer{{}}
		},
		"too many offers":        func(s *hubv1.AnnouncedKey) { s.Offers = make([]*hubv1.Offer, 257) },
		"no key":                 func(s *hubv1.AnnouncedKey) { s.X25519 = nil },
		"short key":              func(s *hubv1.AnnouncedKey) { s.X25519 = s.X25519[1:] },
		"not yet":                func(s *hubv1.AnnouncedKey) { s.NotBeforeUnixMs = at(bus.MaxSkew + time.Second) },
		"not any more":           func(s *hubv1.AnnouncedKey) { s.NotAfterUnixMs = at(-time.Second) },
		"for longer than a life": func(s *hubv1.AnnouncedKey) { s.NotAfterUnixMs = at(24 * time.Hour) },
		"for ever":               func(s *hubv1.AnnouncedKey) { s.NotAfterUnixMs = 1<<63 - 1 },
		"before all time":        func(s *hubv1.AnnouncedKey) { s.NotAfterUnixMs = -1 << 63 },
		"from the future":        func(s *hubv1.AnnouncedKey) { s.AnnouncedUnixMs = at(bus.MaxSkew + time.Second) },
		"of long ago":            func(s *hubv1.AnnouncedKey) { s.AnnouncedUnixMs = at(-bus.MaxAge - time.Second) },
	} {
		_, err := bus.Verify(say(t, cert, said(now, change)), ca.Roots(), now)
		require.ErrorIs(t, err, bus.ErrAnnouncement, name)
	}
}

func TestAForgedAnnouncementIsNotBelieved(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	provider, consumer := ca.Issue(bustest.ProviderID), ca.Issue(bustest.ConsumerID)
	parse := func(raw []byte) *hubv1.Announcement {
		var a hubv1.Announcement
		require.NoError(t, proto.Unmarshal(raw, &a))
		return &a
	}
	true1, true2 := parse(say(t, provider, said(now))), parse(say(t, consumer, said(now)))
	chain := make([][]byte, 5)
	for i := range chain {
		chain[i] = provider.Certificate[0]
	}
	for name, a := range map[string]*hubv1.Announcement{
		"another's certificate": {Key: true2.Key, Signature: true2.Signature, Chain: true1.Chain},
		"another's signature":   {Key: true1.Key, Signature: true2.Signature, Chain: true1.Chain},
		"no signature":          {Key: true1.Key, Chain: true1.Chain},
		"no certificate":        {Key: true1.Key, Signature: true1.Signature},
		"not a certificate":     {Key: true1.Key, Signature: true1.Signature, Chain: [][]byte{{1}}},
		"other words":           {Key: append(true1.Key[:len(true1.Key):len(true1.Key)], 7<<3, 1), Signature: true1.Signature, Chain: true1.Chain},
		"many certificates":     {Key: true1.Key, Signature: true1.Signature, Chain: chain},
		"endless":               {Key: true1.Key, Signature: true1.Signature, Chain: append(true1.Chain, []byte(strings.Repeat("x", bus.MaxAnnouncement)))},
	} {
		raw, err := proto.Marshal(a)
		require.NoError(t, err)
		_, err = bus.Verify(raw, ca.Roots(), now)
		require.ErrorIs(t, err, bus.ErrAnnouncement, name)
	}
}

func TestASignatureOverSomethingElseIsNoAnnouncement(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	cert := ca.Issue(bustest.ProviderID)
	words, err := proto.Marshal(said(now))
	require.NoError(t, err)
	digest := sha256.Sum256(words) // without the context
	signature, err := ecdsa.SignASN1(rand.Reader, cert.PrivateKey.(*ecdsa.PrivateKey), digest[:])
	require.NoError(t, err)
	raw, err := proto.Marshal(&hubv1.Announcement{Key: words, Signature: signature, Chain: cert.Certificate})
	require.NoError(t, err)
	_, err = bus.Verify(raw, ca.Roots(), now)
	require.ErrorIs(t, err, bus.ErrAnnouncement)
}

func TestAKeyWithoutSecretIsNotAgreedWith(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	low := func(s *hubv1.AnnouncedKey) { s.X25519 = make([]byte, 32) } // every secret with it is 0
	party, err := bus.Verify(say(t, ca.Issue(bustest.ProviderID), said(now, low)), ca.Roots(), now)
	require.NoError(t, err)
	_, err = newKey(t, ca, asGateway, now).Pair(party)
	require.Error(t, err)
}

func TestAKeyIsNotUsedLongerThanItsCertificate(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	ends := now.Add(time.Minute).Truncate(time.Second)
	cert := ca.Issue(bustest.ProviderID, func(c *x509.Certificate) { c.NotAfter = ends })
	party, err := bus.Verify(say(t, cert, said(now)), ca.Roots(), now)
	require.NoError(t, err)
	require.True(t, ends.Equal(party.NotAfter))
}

func FuzzVerify(f *testing.F) {
	ca, now := bustest.NewCA(f), time.Now()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(f, err)
	own, err := bus.NewKey(bus.KeyConfig{Certificate: ca.IssueFor(key, bustest.GatewayID), Role: asGateway, Now: now})
	require.NoError(f, err)
	words, err := own.Announce(now, false)
	require.NoError(f, err)
	f.Add(words)
	f.Add([]byte{})
	roots := ca.Roots()
	f.Fuzz(func(t *testing.T, announcement []byte) {
		party, err := bus.Verify(announcement, roots, now)
		if err != nil {
			require.ErrorIs(t, err, bus.ErrAnnouncement)
			return
		}
		require.Equal(t, own.ID, party.Key, "nobody else was given a certificate")
	})
}

// An identity may have thousands of keys in the life of one of ours; each may come with 64 KiB of offers.
func TestAPairKeepsNothingOfWhatWasOffered(t *testing.T) {
	l := newLine(t)
	require.Empty(t, l.gateway.Party.Offers)
	require.Equal(t, bustest.ProviderID, l.gateway.Party.ID)
	require.Equal(t, "p1", l.gateway.Party.Instance)
}
