package peer_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/peer"
)

func TestAGivenAuthorityVouchesForThoseItIsGivenForAndForNobodyElse(t *testing.T) {
	hub, ministry, stranger := newCA(t), newCA(t), newCA(t)
	d := open(t, hub, func(cfg *peer.Config) {
		cfg.Given = func(id peer.ID) *x509.CertPool {
			if id.Agency == "G15" {
				return ministry.pool()
			}
			return nil
		}
	})
	knock := func(cert tls.Certificate) error {
		_, _, err := d.knock(peer.ClientTLS(cert, hub.pool(), nil))
		return err
	}
	own := "spiffe://lienthong/agency/G15/system/civil-status"
	require.NoError(t, knock(ministry.issue(own)))
	require.NoError(t, knock(hub.issue(own)), "the hub's own authority vouches for all")
	require.NoError(t, knock(hub.issue(consumer)))
	for name, c := range map[string]struct {
		cert tls.Certificate
		want peer.Refusal
	}{
		"another agency":         {ministry.issue(consumer), peer.UnknownAuthority},
		"a part of the agency":   {ministry.issue("spiffe://lienthong/agency/G15.1/system/x"), peer.UnknownAuthority},
		"a gateway":              {ministry.issue(gateway), peer.UnknownAuthority},
		"another's provider":     {ministry.issue("spiffe://lienthong/agency/G01/system/registry-population"), peer.UnknownAuthority},
		"a stranger in its name": {stranger.issue(own), peer.UnknownAuthority},
		"no name":                {ministry.issue(""), peer.UnknownAuthority},
		"a foreign trust domain": {ministry.issue("spiffe://ministry/agency/G15/system/x"), peer.UnknownAuthority},
		"two names, one its own": {ministry.issue(own, func(c *x509.Certificate) { c.URIs = append(c.URIs, parse(t, consumer)) }), peer.UnknownAuthority},
		"expired":                {ministry.issue(own, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }), peer.Expired},
		"made for servers only":  {ministry.issue(own, forServer), peer.WrongUsage},
		"an authority of its own": {ministry.issue(own, func(c *x509.Certificate) {
			c.IsCA, c.BasicConstraintsValid = true, true
			c.KeyUsage |= x509.KeyUsageCertSign
		}), peer.WrongUsage},
	} {
		require.Error(t, knock(c.cert), name)
		require.Equal(t, c.want, (<-d.rejects).Reason, name)
	}
}

func TestWhoIsGivenVouchesForNoServer(t *testing.T) {
	hub, ministry := newCA(t), newCA(t)
	d := open(t, hub, func(cfg *peer.Config) { cfg.Certificate = ministry.issue(gateway, forServer) })
	_, _, err := d.knock(peer.ClientTLS(hub.issue(consumer), hub.pool(), nil))
	require.Equal(t, peer.UnknownAuthority, peer.RefusalOf(err))
}
