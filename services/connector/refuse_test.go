package connector_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/connector"
)

const (
	refusedSeal = hubv1.Frame_REFUSAL_SEAL
	keyUnknown  = hubv1.Frame_REFUSAL_KEY_UNKNOWN
)

func TestAProperSealIsNotEnough(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	l := w.gateway().known()
	for name, c := range map[string]struct {
		spoil func(*call)
		want  reason.Reason
	}{
		"another contract":      {func(c *call) { c.header.Digest[0]++ }, reason.ContractMismatch},
		"no contract":           {func(c *call) { c.header.Digest = [32]byte{} }, reason.ContractMismatch},
		"another method":        {func(c *call) { c.message.Envelope.Method = batchVerify }, reason.SealRefused},
		"no method":             {func(c *call) { c.message.Envelope.Method = "" }, reason.SealRefused},
		"another jurisdiction":  {func(c *call) { c.message.Envelope.Jurisdiction = "42" }, reason.SealRefused},
		"no consumer":           {func(c *call) { c.message.Envelope.ConsumerAgency = "" }, reason.SealRefused},
		"no system":             {func(c *call) { c.message.Envelope.ConsumerSystem = "" }, reason.SealRefused},
		"no purpose":            {func(c *call) { c.message.Envelope.Purpose = "" }, reason.SealRefused},
		"no agreement":          {func(c *call) { c.message.Envelope.Agreement = "" }, reason.SealRefused},
		"no envelope":           {func(c *call) { c.message.Envelope = nil }, reason.SealRefused},
		"a field it has not":    {func(c *call) { c.message.Envelope.Fields = "person.salary" }, reason.ContractMismatch},
		"a message for a leaf":  {func(c *call) { c.message.Envelope.Fields = "person" }, reason.ContractMismatch},
		"a malformed request":   {func(c *call) { c.message.Request = []byte{0xff} }, reason.RequestMalformed},
		"text not UTF-8":        {func(c *call) { c.message.Request = []byte{2<<3 | 2, 1, 0xff} }, reason.RequestMalformed},
		"a number not UTF-8":    {func(c *call) { c.message.Request = []byte{1<<3 | 2, 1, 0xff} }, reason.RequestMalformed},
		"an oversized request":  {func(c *call) { c.message.Request = make([]byte, bus.MaxRequest+1) }, reason.RequestTooLarge},
		"no time":               {func(c *call) { c.message.TimeoutMs = 0 }, reason.DeadlineExceeded},
		"less time than margin": {func(c *call) { c.message.TimeoutMs = uint32(bus.Margin.Milliseconds()) }, reason.DeadlineExceeded},
	} {
		answer := l.ask(l.call(getPerson, person("1"), "person.birth_date"), c.spoil)
		require.Equal(t, string(c.want), answer.GetReason(), name)
		require.Empty(t, answer.GetResponse(), name)
	}
	require.Empty(t, l.ask(l.call(getPerson, person("1"))).GetReason())
}

func TestFramesThatNoGatewaySealedForHereAreRefused(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	l := w.gateway().known()
	for name, try := range map[string]func(c *call) (frame []byte, want hubv1.Frame_Refusal){
		"nothing":     func(*call) ([]byte, hubv1.Frame_Refusal) { return nil, keyUnknown },
		"no frame":    func(*call) ([]byte, hubv1.Frame_Refusal) { return []byte("GET / HTTP/1.1"), refusedSeal },
		"bare call":   func(c *call) ([]byte, hubv1.Frame_Refusal) { return c.message.Request, refusedSeal },
		"a refusal":   func(*call) ([]byte, hubv1.Frame_Refusal) { return bus.Refuse(refusedSeal, nil), keyUnknown },
		"its answer":  func(c *call) ([]byte, hubv1.Frame_Refusal) { return l.answerTo(c), keyUnknown },
		"cut short":   func(c *call) ([]byte, hubv1.Frame_Refusal) { f := l.seal(c); return f[:len(f)-1], refusedSeal },
		"altered":     func(c *call) ([]byte, hubv1.Frame_Refusal) { f := l.seal(c); f[len(f)-1] ^= 1; return f, refusedSeal },
		"other frame": func(c *call) ([]byte, hubv1.Frame_Refusal) { return append(l.seal(c), l.seal(c)...), refusedSeal },
		"expired": func(c *call) ([]byte, hubv1.Frame_Refusal) {
			c.header.Expires = w.clock.now().Add(-bus.MaxSkew - time.Second)
			return l.seal(c), refusedSeal
		},
		"for too long": func(c *call) ([]byte, hubv1.Frame_Refusal) {
			c.header.Expires = w.clock.now().Add(bus.MaxLife + bus.MaxSkew + time.Second)
			return l.seal(c), refusedSeal
		},
		"for another method": func(c *call) ([]byte, hubv1.Frame_Refusal) {
			f := l.seal(c)
			c.subject = l.call(batchVerify, person("1")).subject
			return f, refusedSeal
		},
		"with another's reply": func(c *call) ([]byte, hubv1.Frame_Refusal) {
			f := l.seal(c)
			c.reply = l.nc.NewInbox()
			return f, refusedSeal
		},
		"of a sibling": func(c *call) ([]byte, hubv1.Frame_Refusal) {
			sibling, err := l.key.Pair(stranger(t, w, l.party))
			require.NoError(t, err)
			other := *l
			other.pair = sibling
			return other.seal(c), keyUnknown
		},
	} {
		c := l.call(getPerson, person("1"))
		frame, want := try(c)
		require.Equal(t, want, l.refused(c, frame).Refusal, name)
	}
	require.Empty(t, l.ask(l.call(getPerson, person("1"))).GetReason())
}

// answerTo returns the frame that a call was answered with.
func (l *line) answerTo(c *call) []byte {
	other := l.call(getPerson, person("1"))
	return await(l.t, l.send(other, l.seal(other)), "no answer").Data
}

// stranger is a connector process whose key is another one.
func stranger(t *testing.T, w *world, like *bus.Party) *bus.Party {
	key, err := bus.NewKey(bus.KeyConfig{
		Certificate: w.ca.Issue(bustest.ProviderID), Role: hubv1.AnnouncedKey_ROLE_CONNECTOR, Instance: like.Instance, Now: w.clock.now(),
	})
	require.NoError(t, err)
	words, err := key.Announce(w.clock.now(), false)
	require.NoError(t, err)
	party, err := bus.Verify(words, w.ca.Roots(), w.clock.now())
	require.NoError(t, err)
	return party
}

func TestACallIsAnsweredOnceHoweverOftenItIsPlayed(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	l := w.gateway().known()
	c := l.call(getPerson, person("1"))
	frame := l.seal(c)
	require.Empty(t, l.open(c, await(t, l.send(c, frame), "no answer")).GetReason())
	for range 3 {
		require.Equal(t, refusedSeal, l.refused(c, frame).Refusal)
	}
}

func TestTwoCopiesDoNotOpenEachOthersCalls(t *testing.T) {
	w := newWorld(t)
	g := w.gateway()
	w.run(new(registry))
	first := g.tie(g.hear())
	w.run(new(registry), func(c *connector.Config) { c.Name = "population-2" })
	second := first
	for second.party.Instance == first.party.Instance {
		second = g.tie(g.hear())
	}
	c := first.call(getPerson, person("1"))
	c.words = first.words
	frame := first.seal(c)
	require.Empty(t, first.open(c, await(t, first.send(c, frame), "no answer")).GetReason())
	other := second.call(getPerson, person("1"))
	other.reply = c.reply
	require.Equal(t, keyUnknown, second.refused(other, frame).Refusal)
}

func TestAGatewayThatIsNotKnownIntroducesItself(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	l := w.gateway().meet()
	c := l.call(getPerson, person("1"))
	frame := l.seal(c)
	refusal := l.refused(c, frame)
	require.Equal(t, keyUnknown, refusal.Refusal)
	require.Equal(t, l.party.Key, l.believe(refusal.Announcement).Key, "the refusal says with which key to try")
	require.Empty(t, l.open(c, await(t, l.send(c, bus.Introduce(bytes.Clone(frame), l.words)), "no answer")).GetReason())
	require.Equal(t, refusedSeal, l.refused(c, frame).Refusal, "what could not be opened then cannot be played now")
	require.Empty(t, l.ask(l.call(getPerson, person("1"))).GetReason(), "once is enough")
}

func TestOnlyThisConnectorsGatewaysAreAnswered(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	honest := w.gateway().meet()
	for name, g := range map[string]*gateway{
		"a consumer":                         w.gatewayOf(w.ca, bustest.ConsumerID),
		"the provider":                       w.gatewayOf(w.ca, bustest.ProviderID),
		"a gateway of another authority":     w.gatewayOf(bustest.NewCA(t), bustest.GatewayID),
		"somebody with a gateway's own word": w.gatewayOf(w.ca, bustest.ConsumerID),
	} {
		l := g.tie(honest.party)
		if name == "somebody with a gateway's own word" {
			l.words = honest.words
		}
		c := l.call(getPerson, person("1"))
		c.words = l.words
		require.Equal(t, refusedSeal, l.refused(c, l.seal(c)).Refusal, name)
		c = l.call(getPerson, person("1"))
		require.Equal(t, keyUnknown, l.refused(c, l.seal(c)).Refusal, name)
	}
}

func TestAnIntroductionThatWasTamperedWithIsRefused(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry))
	l := w.gateway().meet()
	c := l.call(getPerson, person("1"))
	c.words = bytes.Clone(l.words)
	c.words[40] ^= 1
	require.Equal(t, refusedSeal, l.refused(c, l.seal(c)).Refusal)
}

func TestWhatIsWithoutReplyIsNotAnswered(t *testing.T) {
	w := newWorld(t)
	asked := make(chan struct{}, 1)
	w.run(new(registry))
	l := w.gateway().known()
	c := l.call(getPerson, person("1"))
	c.reply = ""
	require.NoError(t, l.nc.Publish(c.subject, l.seal(c)))
	close(asked)
	require.Empty(t, l.ask(l.call(getPerson, person("1"))).GetReason(), "and harms nothing")
}
