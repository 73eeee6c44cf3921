package tally_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/gateway/tally"
	"github.com/lienthong/lienthong/proto/bus"
)

const patience = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var key = bytes.Repeat([]byte{7}, tally.KeySize)

// newBus starts a NATS server in this process and returns how to connect to it.
func newBus(t testing.TB) func() *nats.Conn {
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(patience))
	return func() *nats.Conn {
		nc, err := nats.Connect("", nats.InProcessServer(s))
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		return nc
	}
}

func open(t testing.TB, cfg tally.Config) *tally.Bus {
	if cfg.Key == nil {
		cfg.Key = key
	}
	b, err := tally.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// listen collects what a process hears of a kind.
func listen(b *tally.Bus, kind byte) <-chan string {
	heard := make(chan string, 1000)
	b.Handle(kind, func(payload []byte) { heard <- string(payload) })
	return heard
}

func next(t testing.TB, heard <-chan string) string {
	t.Helper()
	select {
	case s := <-heard:
		return s
	case <-time.After(patience):
		t.Fatal("nothing was heard")
		return ""
	}
}

func TestAllOthersHearAndOneselfDoesNot(t *testing.T) {
	connect := newBus(t)
	a, b, c := open(t, tally.Config{NC: connect(), Process: "a"}), open(t, tally.Config{NC: connect(), Process: "b"}), open(t, tally.Config{NC: connect(), Process: "c"})
	self, guard, meter, other := listen(a, 1), listen(b, 1), listen(b, 2), listen(c, 1)
	require.NoError(t, a.Send(1, []byte("one")))
	require.NoError(t, a.Send(2, []byte("two")))
	require.Equal(t, "one", next(t, guard))
	require.Equal(t, "two", next(t, meter))
	require.Equal(t, "one", next(t, other))
	require.NoError(t, c.Send(1, []byte("three")))
	require.Equal(t, "three", next(t, guard))
	require.Equal(t, "three", next(t, self))
	require.Empty(t, self)
	require.Equal(t, []string{"a", "c"}, b.Stats().Others)
	require.Equal(t, tally.Stats{Sent: 2, Taken: 1, Others: []string{"c"}}, a.Stats())
}

func TestWhoRunsTheBusReadsNothing(t *testing.T) {
	connect := newBus(t)
	spy := connect()
	words, err := spy.SubscribeSync(">")
	require.NoError(t, err)
	require.NoError(t, spy.Flush())
	a := open(t, tally.Config{NC: connect(), Process: "gateway-of-hanoi"})
	secret := []byte("G24/KCB/officer.tran asked 21 times")
	for range 2 {
		require.NoError(t, a.Send(1, secret))
	}
	one, err := words.NextMsg(patience)
	require.NoError(t, err)
	two, err := words.NextMsg(patience)
	require.NoError(t, err)
	for _, hidden := range []string{"G24", "officer", "gateway-of-hanoi"} {
		require.NotContains(t, string(one.Data), hidden)
	}
	require.NotEqual(t, one.Data[17:], two.Data[17:], "the same words look different")
}

func TestWhatIsPlayedAgainForgedOrAlteredIsRefused(t *testing.T) {
	connect := newBus(t)
	operator := connect()
	words, err := operator.SubscribeSync(bus.Tallies)
	require.NoError(t, err)
	require.NoError(t, operator.Flush())
	a, b := open(t, tally.Config{NC: connect()}), open(t, tally.Config{NC: connect()})
	stranger := open(t, tally.Config{NC: connect(), Key: bytes.Repeat([]byte{8}, tally.KeySize)})
	heard := listen(b, 1)
	require.NoError(t, a.Send(1, []byte("one")))
	require.Equal(t, "one", next(t, heard))
	word, err := words.NextMsg(patience)
	require.NoError(t, err)
	publish := func(data []byte) { require.NoError(t, operator.Publish(bus.Tallies, data)) }
	publish(word.Data)
	for i := range word.Data {
		altered := bytes.Clone(word.Data)
		altered[i] ^= 1
		publish(altered)
		publish(word.Data[:i])
	}
	publish(append(bytes.Clone(word.Data), 0))
	require.NoError(t, stranger.Send(1, []byte("forged")))
	require.NoError(t, operator.Flush())
	require.Eventually(t, func() bool { return b.Stats().Refused == uint64(3+2*len(word.Data)) }, patience, time.Millisecond)
	require.Empty(t, heard)
	require.NoError(t, a.Send(1, []byte("two")))
	require.Equal(t, "two", next(t, heard), "forgeries keep nobody from being heard")
}

func TestAGatewayThatStartsBelievesNothingFromBefore(t *testing.T) {
	connect := newBus(t)
	operator := connect()
	words, err := operator.SubscribeSync(bus.Tallies)
	require.NoError(t, err)
	require.NoError(t, operator.Flush())
	start := time.Now()
	a := open(t, tally.Config{NC: connect(), Now: func() time.Time { return start }})
	require.NoError(t, a.Send(1, []byte("one")))
	word, err := words.NextMsg(patience)
	require.NoError(t, err)
	b := open(t, tally.Config{NC: connect(), Now: func() time.Time { return start.Add(time.Second) }})
	heard := listen(b, 1)
	require.NoError(t, operator.Publish(bus.Tallies, word.Data))
	require.NoError(t, operator.Flush())
	require.Eventually(t, func() bool { return b.Stats().Refused == 1 }, patience, time.Millisecond)
	require.Empty(t, heard)
}

func TestManySendersAtOnceAreAllHeardInOrder(t *testing.T) {
	connect := newBus(t)
	a, b := open(t, tally.Config{NC: connect()}), open(t, tally.Config{NC: connect()})
	heard := listen(b, 1)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 50 {
				require.NoError(t, a.Send(1, fmt.Append(nil, i, j)))
			}
		})
	}
	wait.Wait()
	for range 400 {
		next(t, heard)
	}
	require.Zero(t, b.Stats().Refused)
}

func TestWhatCannotBeSentIsSaid(t *testing.T) {
	connect := newBus(t)
	nc := connect()
	a := open(t, tally.Config{NC: nc})
	require.ErrorIs(t, a.Send(1, make([]byte, tally.MaxPayload+1)), tally.ErrTooLong)
	require.NoError(t, a.Send(1, make([]byte, tally.MaxPayload)))
	_, err := tally.Open(t.Context(), tally.Config{NC: nc, Key: key[1:]})
	require.Error(t, err)
	_, err = tally.Open(t.Context(), tally.Config{NC: nc, Key: key, Process: string(make([]byte, 65))})
	require.Error(t, err)
	nc.Close()
	require.ErrorIs(t, a.Send(1, nil), tally.ErrClosed)
}
