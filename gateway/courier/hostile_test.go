package courier_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

func refusal(why hubv1.Frame_Refusal) func(*asked) []byte {
	return func(*asked) []byte { return bus.Refuse(why, nil) }
}

func acceptUntil(revoked <-chan struct{}) func(peer.ID, *x509.Certificate) error {
	return func(peer.ID, *x509.Certificate) error {
		select {
		case <-revoked:
			return errors.New("revoked")
		default:
			return nil
		}
	}
}

func TestAnswersThatTheConnectorDidNotSealForThisQuestionAreRefused(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	w.answered()
	var earlier []byte
	f.answer.Store(func(a *asked) []byte { earlier = fine(a); return bytes.Clone(earlier) })
	w.answered()
	other := w.connector("p9")
	for name, c := range map[string]struct {
		answer func(*asked) []byte
		want   reason.Reason
	}{
		"garbage":          {func(*asked) []byte { return []byte("HTTP/1.1 200 OK") }, reason.SealRefused},
		"nothing":          {func(*asked) []byte { return []byte{} }, reason.SealRefused},
		"unsealed":         {func(*asked) []byte { raw, _ := proto.Marshal(&hubv1.Answer{Response: []byte("x")}); return raw }, reason.SealRefused},
		"altered":          {func(a *asked) []byte { b := fine(a); b[len(b)-1] ^= 1; return b }, reason.SealRefused},
		"cut short":        {func(a *asked) []byte { b := fine(a); return b[:len(b)-1] }, reason.SealRefused},
		"an earlier one":   {func(*asked) []byte { return bytes.Clone(earlier) }, reason.SealRefused},
		"another exchange": {func(a *asked) []byte { return a.seal(&hubv1.Answer{}, func(h *bus.Header) { h.ExchangeID[0]++ }) }, reason.SealRefused},
		"another contract": {func(a *asked) []byte { return a.seal(&hubv1.Answer{}, func(h *bus.Header) { h.Digest[0]++ }) }, reason.SealRefused},
		"another subject":  {func(a *asked) []byte { return a.seal(&hubv1.Answer{}, func(h *bus.Header) { h.Subject += "x" }) }, reason.SealRefused},
		"another reply":    {func(a *asked) []byte { return a.seal(&hubv1.Answer{}, func(h *bus.Header) { h.Reply += "x" }) }, reason.SealRefused},
		"expired": {func(a *asked) []byte {
			return a.seal(&hubv1.Answer{}, func(h *bus.Header) { h.Expires = w.clock.now().Add(-bus.MaxSkew - time.Second) })
		}, reason.SealRefused},
		"by another process": {func(a *asked) []byte {
			forger := *a
			forger.pair = w.pairOf(other, a)
			return fine(&forger)
		}, reason.SealRefused},
		"no answer inside":      {func(a *asked) []byte { return a.pair.Seal(nil, &a.header, []byte{0xff}) }, reason.AnswerMalformed},
		"a refusal of the seal": {refusal(hubv1.Frame_REFUSAL_SEAL), reason.SealRefused},
		"an unknown refusal":    {refusal(77), reason.SealRefused},
		"overloaded":            {refusal(hubv1.Frame_REFUSAL_OVERLOADED), reason.Overloaded},
		"key unknown, no words": {refusal(hubv1.Frame_REFUSAL_KEY_UNKNOWN), reason.SealRefused},
		"key unknown for ever": {func(*asked) []byte {
			return bus.Refuse(hubv1.Frame_REFUSAL_KEY_UNKNOWN, f.words(false))
		}, reason.SealRefused},
		"key unknown, another's words": {func(*asked) []byte {
			return bus.Refuse(hubv1.Frame_REFUSAL_KEY_UNKNOWN, other.words(false))
		}, reason.SealRefused},
	} {
		f.answer.Store(c.answer)
		_, err := w.ask(patience)
		require.ErrorIs(t, err, c.want, name)
		f.answer.Store(fine)
		w.answered()
		require.Equal(t, 1, w.Online(service, country, bustest.ProviderID), "%s: nobody was let in", name)
	}
}

// pairOf is what another connector would share with the gateway that sent a call.
func (w *world) pairOf(other *connector, a *asked) *bus.Pair {
	pair, err := other.key.Pair(a.pair.Party)
	if err != nil {
		panic(err)
	}
	return pair
}

func TestALateAnswerIsNobodysAnswer(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	w.answered()
	f.answer.Store(silent)
	_, err := w.ask(60 * time.Millisecond)
	require.ErrorIs(t, err, reason.DeadlineExceeded)
	late := await(t, f.asked, "not asked")
	f.answer.Store(func(a *asked) []byte {
		_ = f.nc.Publish(late.reply, fine(late))
		return fine(a)
	})
	for range 3 {
		require.Contains(t, string(w.answered().GetResponse()), "answer of p1")
	}
}

func TestWhoRunsTheBusCannotAnswerOrLearnAnything(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	w.answered()
	operator := w.operator()
	overheard, err := operator.SubscribeSync("lt.call.>")
	require.NoError(t, err)
	answers, err := operator.SubscribeSync("_GW.>")
	require.NoError(t, err)
	require.NoError(t, operator.Flush())
	w.answered()
	for _, sub := range []*nats.Subscription{overheard, answers} {
		msg, err := sub.NextMsg(patience)
		require.NoError(t, err)
		for _, secret := range []string{"request", "HT-KS", "answer of"} {
			require.NotContains(t, string(msg.Data), secret)
		}
	}
	// What was said before is played again as the answer to the next question.
	var earlier []byte
	f.answer.Store(func(a *asked) []byte { earlier = fine(a); return bytes.Clone(earlier) })
	w.answered()
	f.answer.Store(silent)
	for _, forged := range [][]byte{earlier, []byte("x"), bus.Refuse(hubv1.Frame_REFUSAL_SEAL, nil)} {
		done := make(chan error, 1)
		go func() { _, err := w.ask(patience); done <- err }()
		a := await(t, f.asked, "not asked")
		require.NoError(t, operator.Publish(a.reply, forged))
		require.ErrorIs(t, await(t, done, "no answer"), reason.SealRefused)
	}
	// What comes after the answer, or for nobody, changes nothing.
	f.answer.Store(func(a *asked) []byte {
		require.NoError(t, operator.Flush())
		defer func() {
			for _, reply := range []string{a.reply, a.reply + "0", a.reply[:len(a.reply)-1] + "!", a.reply + ".x"} {
				require.NoError(t, operator.Publish(reply, []byte("x")))
			}
		}()
		require.NoError(t, f.nc.Publish(a.reply, fine(a)))
		require.NoError(t, f.nc.Flush())
		return nil
	})
	for range 5 {
		w.answered()
		await(t, f.asked, "not asked")
	}
}

func TestAnAnnouncementThatIsNotBelievedLetsNobodyIn(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1")
	change := func(how func(*bus.KeyConfig)) []byte {
		f.rekey(how)
		return f.words(false)
	}
	for name, words := range map[string][]byte{
		"nothing":           nil,
		"garbage":           []byte("hello"),
		"another authority": change(func(c *bus.KeyConfig) { c.Certificate = bustest.NewCA(t).Issue(bustest.ProviderID) }),
		"a gateway": change(func(c *bus.KeyConfig) {
			c.Role, c.Instance, c.Offers = hubv1.AnnouncedKey_ROLE_GATEWAY, "", nil
		}),
		"of the future": change(func(c *bus.KeyConfig) { c.Now = c.Now.Add(time.Hour) }),
		"of the past":   change(func(c *bus.KeyConfig) { c.Now = c.Now.Add(-2 * time.Hour) }),
		"of a service that it may not speak of": change(func(c *bus.KeyConfig) {
			c.Offers = []*hubv1.Offer{{Service: "sample.v1.MoneyService", Jurisdiction: country}, {Service: service, Jurisdiction: "42"}, {}, {Service: "*", Jurisdiction: ">"}}
		}),
	} {
		f.say(words)
		w.refused(reason.RegistryOffline)
		require.Zero(t, w.Online("sample.v1.MoneyService", country, bustest.ProviderID), name)
		require.Zero(t, w.Online(service, "42", bustest.ProviderID), name)
	}
	f.rekey()
	f.join(1)
	w.answered()
}

func TestAnOldAnnouncementDoesNotUndoANewerOne(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	oldWords := f.words(false)
	f.rekey()
	f.join(1)
	w.answered()
	f.say(oldWords)
	w.answered()
	f.say(f.words(true))
	w.online(0)
	f.say(oldWords)
	w.refused(reason.RegistryOffline)
	f.join(1)
	w.answered()
}

func TestAProviderCannotFillTheGatewayWithProcesses(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p0").join(1)
	key := f.key
	for i := range 300 {
		f.rekey(func(c *bus.KeyConfig) { c.Instance = fmt.Sprintf("x%d", i) })
		f.say(f.words(false))
	}
	f.key = key
	w.online(256)
	f.say(f.words(false))
	require.Equal(t, 256, w.Online(service, country, bustest.ProviderID))
}
