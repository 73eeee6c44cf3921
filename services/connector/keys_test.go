package connector_test

import (
	"crypto/tls"
	"crypto/x509"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/services/connector"
)

func TestANewKeyLosesNoCallOfTheOldOne(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	l := w.gateway().known()
	sealedBefore := l.call(getPerson, person("1"))
	sealedBefore.header.Expires = w.clock.now().Add(bus.KeyLife) // the test's clock jumps; a call's would not
	w.clock.advance(bus.KeyLife)
	next := l.gateway.tie(l.hello())
	require.NotEqual(t, l.party.Key, next.party.Key)
	require.Equal(t, l.party.Instance, next.party.Instance)
	sealedBefore.header.Expires = w.clock.now().Add(time.Second)
	require.Empty(t, l.ask(sealedBefore).GetReason(), "who has not heard of the new key is answered")
	require.Empty(t, next.ask(next.call(getPerson, person("1")), func(c *call) { c.words = next.words }).GetReason())

	w.clock.advance(bus.KeyOverlap)
	fresh := w.gateway().known()
	require.Equal(t, next.party.Key, fresh.party.Key, "a key lives for its time, not from hello to hello")
	old := l.call(getPerson, person("1"))
	refusal := l.refused(old, l.seal(old))
	require.Equal(t, keyUnknown, refusal.Refusal, "the old key is forgotten")
	require.Equal(t, next.party.Key, l.believe(refusal.Announcement).Key)
}

func TestAGatewaysKeyIsNotAnsweredLongerThanItLives(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	g := w.gateway()
	w.clock.advance(bus.KeyLife) // the connector's key will be younger than the gateway's
	l := g.known()
	w.clock.advance(bus.KeyOverlap + time.Second)
	require.Equal(t, l.party.Key, g.hello().Key)
	c := l.call(getPerson, person("1"))
	require.Equal(t, keyUnknown, l.refused(c, l.seal(c)).Refusal)
	c = l.call(getPerson, person("1"))
	c.words = l.words
	require.Equal(t, keyUnknown, l.refused(c, l.seal(c)).Refusal)
}

func TestEveryAnnouncementIsNewerThanTheOneBefore(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	g := w.gateway()
	last := g.hello()
	for range 5 {
		w.clock.advance(-time.Second)
		next := g.hello()
		require.True(t, next.Announced.After(last.Announced))
		last = next
	}
}

func TestAClockThatIsSetBackFarMakesANewKey(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	g := w.gateway()
	before := g.hello()
	w.clock.advance(-10 * time.Minute)
	again := w.gateway().known()
	require.NotEqual(t, before.Key, again.party.Key, "the old key says that it is from the future")
}

func TestHelloToOthersIsNotAnswered(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	w.run(new(registry), func(c *connector.Config) { c.Name, c.Jurisdiction = "population-42", "42" })
	g := w.gateway()
	subject, err := bus.KeySubject("42", service)
	require.NoError(t, err)
	meant, others := 0, 0
	for meant < 12 {
		require.NoError(t, g.nc.Publish(bus.Hello, []byte(subject)))
		if await(t, g.heard, "no answer").Subject == subject {
			meant++
		} else {
			others++
		}
	}
	require.LessOrEqual(t, others, 4, "a heartbeat may fall into these moments, but no answers")
}

func TestAGatewayThatIsNotAcceptedAnyMoreIsNotAnswered(t *testing.T) {
	w := newWorld(t)
	var gone atomic.Bool
	w.run(new(registry), func(c *connector.Config) {
		c.Accept = func(id peer.ID, cert *x509.Certificate) error {
			if gone.Load() && id == bustest.GatewayID && cert != nil {
				return peer.Revoked
			}
			return nil
		}
	})
	l := w.gateway().known()
	gone.Store(true)
	c := l.call(getPerson, person("1"))
	require.Equal(t, refusedSeal, l.refused(c, l.seal(c)).Refusal, "known already")
	stranger := w.gateway().meet()
	c = stranger.call(getPerson, person("1"))
	c.words = stranger.words
	require.Equal(t, refusedSeal, stranger.refused(c, stranger.seal(c)).Refusal, "introduces itself")
	gone.Store(false)
	require.Empty(t, l.ask(l.call(getPerson, person("1"))).GetReason())
}

func TestANewCertificateMakesANewKeyAndLosesNoCallOfTheOldOne(t *testing.T) {
	w := newWorld(t)
	first, second := w.ca.Issue(bustest.ProviderID), w.ca.Issue(bustest.ProviderID)
	var now atomic.Pointer[tls.Certificate]
	now.Store(&first)
	w.run(new(registry), func(c *connector.Config) {
		c.GetCertificate = func() (*tls.Certificate, error) { return now.Load(), nil }
	})
	l := w.gateway().known()
	require.Equal(t, first.Leaf.Raw, l.party.Certificate.Raw)
	now.Store(&second)
	require.Eventually(t, func() bool { return second.Leaf.Equal(l.hello().Certificate) }, patience, time.Millisecond)
	require.NotEqual(t, l.party.Key, l.hello().Key)
	require.Equal(t, l.hello().Key, l.hello().Key, "one new key for one new certificate")
	require.Empty(t, l.ask(l.call(getPerson, person("1"))).GetReason(), "who has not heard of the new key is answered")
}
