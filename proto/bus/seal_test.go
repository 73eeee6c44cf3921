package bus_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
)

func TestWhatIsSealedIsOpenedAndSaysWhatItIsBoundTo(t *testing.T) {
	l := newLine(t)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "plain")
		words := rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "announcement")
		h := l.header()
		copy(h.ExchangeID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "exchange"))
		copy(h.Digest[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest"))
		sender, receiver := l.gateway, l.connector
		if rapid.Bool().Draw(t, "answer") {
			sender, receiver = receiver, sender
		}
		prefix := []byte("before")
		data := bus.Introduce(sender.Seal(prefix, &h, plain), words)
		require.Equal(t, prefix, data[:len(prefix)])
		data = data[len(prefix):]
		if len(plain) > 8 {
			require.NotContains(t, string(data), string(plain))
		}
		got, gotHeader, err := open(receiver, data, h.Subject, h.Reply, l.now)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, got))
		require.Equal(t, h.ExchangeID, gotHeader.ExchangeID)
		require.Equal(t, h.Digest, gotHeader.Digest)
		require.Equal(t, h.Expires.UnixMilli(), gotHeader.Expires.UnixMilli())
	})
}

func TestAFrameWithAnyBitFlippedIsRefused(t *testing.T) {
	l := newLine(t)
	h := l.header()
	data := l.gateway.Seal(nil, &h, []byte("question"))
	for bit := range 8 * len(data) {
		altered := bytes.Clone(data)
		altered[bit/8] ^= 1 << (bit % 8)
		_, _, err := open(l.connector, altered, h.Subject, h.Reply, l.now)
		require.Error(t, err, "bit %d", bit)
		require.Condition(t, func() bool {
			return errors.Is(err, bus.ErrFrame) || errors.Is(err, bus.ErrSeal) || errors.Is(err, bus.ErrExpired)
		}, "%v", err)
	}
	_, _, err := open(l.connector, data, h.Subject, h.Reply, l.now)
	require.NoError(t, err, "forgeries do not use up the true one")
}

func TestAnIntroducedFrameIsTheSameFrame(t *testing.T) {
	l := newLine(t)
	h := l.header()
	bare := l.gateway.Seal(nil, &h, []byte("question"))
	introduced := bus.Introduce(bytes.Clone(bare), []byte("words"))
	plain, _, err := open(l.connector, introduced, h.Subject, h.Reply, l.now)
	require.NoError(t, err)
	require.Equal(t, "question", string(plain))
	_, _, err = open(l.connector, bare, h.Subject, h.Reply, l.now)
	require.ErrorIs(t, err, bus.ErrReplayed, "the bare one cannot be played after it")
}

func TestAFrameIsForOnePlaceOnly(t *testing.T) {
	l, stranger := newLine(t), newLine(t)
	h := l.header()
	for name, try := range map[string]func(data []byte) error{
		"another subject": func(data []byte) error {
			_, _, err := open(l.connector, data, h.Subject+"x", h.Reply, l.now)
			return err
		},
		"another reply": func(data []byte) error {
			_, _, err := open(l.connector, data, h.Subject, "_GW.g2.x.1", l.now)
			return err
		},
		"subject and reply divided elsewhere": func(data []byte) error {
			_, _, err := open(l.connector, data, h.Subject+"_", h.Reply[1:], l.now)
			return err
		},
		"no reply": func(data []byte) error {
			_, _, err := open(l.connector, data, h.Subject, "", l.now)
			return err
		},
		"back to its sender": func(data []byte) error {
			_, _, err := open(l.gateway, data, h.Subject, h.Reply, l.now)
			return err
		},
		"another receiver": func(data []byte) error {
			_, _, err := open(stranger.connector, data, h.Subject, h.Reply, l.now)
			return err
		},
		"as a refusal": func(data []byte) error {
			_, _, err := open(l.connector, append(bytes.Clone(data), 9<<3, 1), h.Subject, h.Reply, l.now)
			return err
		},
	} {
		require.ErrorIs(t, try(l.gateway.Seal(nil, &h, []byte("question"))), bus.ErrSeal, name)
	}
}

func TestAFrameThatSaysItIsFromSomebodyElseIsRefused(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	connector := newKey(t, ca, asConnector, now)
	one, other := newKey(t, ca, asGateway, now), newKey(t, ca, asGateway, now)
	fromOne, fromOther := meet(t, ca, connector, one, now), meet(t, ca, connector, other, now)
	h := (&line{now: now}).header()
	f, err := bus.ParseFrame(meet(t, ca, one, connector, now).Seal(nil, &h, []byte("question")))
	require.NoError(t, err)
	f.Sender = other.ID
	_, err = fromOther.Open(nil, &h, &f, now)
	require.ErrorIs(t, err, bus.ErrSeal)
	_, err = fromOne.Open(nil, &h, &f, now)
	require.ErrorIs(t, err, bus.ErrSeal)
}

func TestAFrameIsOpenedOnce(t *testing.T) {
	l := newLine(t)
	h := l.header()
	data := l.gateway.Seal(nil, &h, []byte("question"))
	_, _, err := open(l.connector, data, h.Subject, h.Reply, l.now)
	require.NoError(t, err)
	for range 3 {
		_, _, err = open(l.connector, data, h.Subject, h.Reply, l.now)
		require.ErrorIs(t, err, bus.ErrReplayed)
	}
}

func TestExpiryAllowsForClocksThatDiffer(t *testing.T) {
	l := newLine(t)
	for _, c := range []struct {
		name    string
		expires time.Duration // from the receiver's now
		want    error
	}{
		{"in time", time.Second, nil},
		{"just expired, which a slow clock may call in time", -bus.MaxSkew, nil},
		{"expired by any clock", -bus.MaxSkew - time.Millisecond, bus.ErrExpired},
		{"long life", bus.MaxLife, nil},
		{"long life by a clock ahead", bus.MaxLife + bus.MaxSkew, nil},
		{"longer than any life", bus.MaxLife + bus.MaxSkew + time.Millisecond, bus.ErrExpired},
		{"a thousand years", 292 * 365 * 24 * time.Hour, bus.ErrExpired},
	} {
		h := l.header()
		now := l.now.Truncate(time.Millisecond)
		h.Expires = now.Add(c.expires)
		_, _, err := open(l.connector, l.gateway.Seal(nil, &h, nil), h.Subject, h.Reply, now)
		require.ErrorIs(t, err, c.want, c.name)
	}
}

func TestTimesBeyondReasonAreExpiredAndDoNotPanic(t *testing.T) {
	l := newLine(t)
	h := l.header()
	data := l.gateway.Seal(nil, &h, nil)
	rapid.Check(t, func(t *rapid.T) {
		f, err := bus.ParseFrame(data)
		require.NoError(t, err)
		f.Expires = time.UnixMilli(rapid.Int64().Draw(t, "ms"))
		_, err = l.connector.Open(nil, &h, &f, l.now)
		require.Error(t, err)
	})
}

func TestManySendersAtOnceNeverShareACounter(t *testing.T) {
	l := newLine(t)
	h := l.header()
	const senders, each = 8, 500
	var mu sync.Mutex
	seen := map[uint64]bool{}
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for range each {
				h := h
				data := l.gateway.Seal(nil, &h, []byte("question"))
				f, err := bus.ParseFrame(data)
				_, oerr := l.connector.Open(nil, &h, &f, l.now)
				mu.Lock()
				if err != nil || oerr != nil || seen[f.Counter] {
					t.Errorf("counter %d: %v %v", f.Counter, err, oerr)
				}
				seen[f.Counter] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Len(t, seen, senders*each)
}

func TestAKeyHasOnePairForEachOther(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	gateway, connector := newKey(t, ca, asGateway, now), newKey(t, ca, asConnector, now)
	require.Nil(t, gateway.Known(connector.ID))
	first := meet(t, ca, gateway, connector, now)
	require.Same(t, first, meet(t, ca, gateway, connector, now.Add(time.Second)), "a second one would count from 1 again")
	require.Same(t, first, gateway.Known(connector.ID))
}

func TestGatewaysAndConnectorsDoNotTalkAmongThemselves(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	for _, key := range []*bus.Key{newKey(t, ca, asGateway, now), newKey(t, ca, asConnector, now)} {
		words, err := newKey(t, ca, key.Role, now).Announce(now, false)
		require.NoError(t, err)
		party, err := bus.Verify(words, ca.Roots(), now)
		require.NoError(t, err)
		_, err = key.Pair(party)
		require.Error(t, err)
	}
}

func TestOneIdentityCannotMakeAKeyRememberWithoutEnd(t *testing.T) {
	ca, now := bustest.NewCA(t), time.Now()
	own := newKey(t, ca, asGateway, now)
	words, err := newKey(t, ca, asConnector, now).Announce(now, false)
	require.NoError(t, err)
	party, err := bus.Verify(words, ca.Roots(), now)
	require.NoError(t, err)
	pairs, refused := 0, 0
	for i := range 5000 {
		another := *party
		copy(another.Key[:], fmt.Sprintf("%016d", i))
		if _, err := own.Pair(&another); err == nil {
			pairs++
		} else {
			refused++
		}
	}
	require.Equal(t, 4096, pairs)
	require.Equal(t, 5000-4096, refused)
	another := *party
	another.ID, another.Key = bustest.ConsumerID, bus.KeyID{1}
	_, err = own.Pair(&another)
	require.NoError(t, err, "others are not held to it")
}

func BenchmarkSeal400Bytes(b *testing.B) {
	l := newLine(b)
	h, plain, dst := l.header(), make([]byte, 400), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		dst = l.gateway.Seal(dst[:0], &h, plain)
	}
}

func BenchmarkOpen400Bytes(b *testing.B) {
	l := newLine(b)
	h, plain := l.header(), make([]byte, 400)
	frames := make([][]byte, 1000)
	for i := range frames {
		frames[i] = l.gateway.Seal(nil, &h, plain)
	}
	var dst []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f, err := bus.ParseFrame(frames[i%len(frames)])
		if err != nil {
			b.Fatal(err)
		}
		if plain, err := l.connector.Open(dst[:0], &h, &f, l.now); err == nil {
			dst = plain
		} else if i < len(frames) {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseFrame(b *testing.B) {
	l := newLine(b)
	h := l.header()
	data := l.gateway.Seal(nil, &h, make([]byte, 400))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bus.ParseFrame(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallSubject(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bus.CallSubject("vn", getPerson, "Ab3Ab3Ab3Ab3Ab3Ab3Ab3"); err != nil {
			b.Fatal(err)
		}
	}
}
