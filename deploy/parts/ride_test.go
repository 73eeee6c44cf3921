package parts_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

func total(counts []int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func TestTwoCopiesOfARegistryShareTheLoad(t *testing.T) {
	r := newRide(t)
	one, other := r.join(1), r.join(2)
	stop := r.load(8, patience)
	require.Eventually(t, func() bool { return one.asked.Load()+other.asked.Load() > 400 }, patience, time.Millisecond)
	answered, failed := stop()
	require.Zero(t, total(failed))
	require.EqualValues(t, total(answered), one.asked.Load()+other.asked.Load(), "no question is asked twice")
	for _, c := range []*copied{one, other} {
		require.Greater(t, c.asked.Load(), int64(total(answered)/4))
	}
}

func TestACopyThatLeavesUnderLoadLosesNoCall(t *testing.T) {
	r := newRide(t)
	stays := r.join(1)
	stop := r.load(8, patience)
	for range 3 {
		comes := r.join(2)
		require.Eventually(t, func() bool { return comes.asked.Load() > 50 }, patience, time.Millisecond)
		comes.leave()
		r.online(1)
	}
	before := stays.asked.Load()
	require.Eventually(t, func() bool { return stays.asked.Load() > before+50 }, patience, time.Millisecond)
	_, failed := stop()
	require.Zero(t, total(failed))
}

func TestACopyThatIsKilledUnderLoadLosesNothingButItsCallsUnderWay(t *testing.T) {
	const sides = 8
	r := newRide(t)
	stays, dies := r.join(1), r.join(2)
	stop := r.load(sides, 2*time.Second)
	require.Eventually(t, func() bool { return dies.asked.Load() > 50 }, patience, time.Millisecond)
	dies.wire.kill()
	r.online(1)
	before := stays.asked.Load()
	require.Eventually(t, func() bool { return stays.asked.Load() > before+200 }, patience, time.Millisecond)
	_, failed := stop()
	for _, n := range failed {
		require.LessOrEqual(t, n, 1, "what was under way there, and nothing later")
	}
	require.NoError(t, r.ask(patience))
}

func TestARegistryThatIsOfflineIsSaidSoonAndItsReturnIsNoticed(t *testing.T) {
	r := newRide(t)
	first := r.join(1)
	require.NoError(t, r.ask(patience))
	first.leave()
	began := time.Now()
	require.ErrorIs(t, r.ask(patience), reason.RegistryOffline)
	require.Less(t, time.Since(began), 2*time.Second)
	r.join(1)
	require.NoError(t, r.ask(patience))
}

func TestACancelledQuestionStopsTheRegistry(t *testing.T) {
	r := newRide(t)
	c := r.join(1)
	require.NoError(t, r.ask(patience))
	hold := make(chan struct{})
	defer close(hold)
	c.hold.Store(&hold)
	require.ErrorIs(t, r.ask(100*time.Millisecond), reason.DeadlineExceeded)
	c.hold.Store(nil)
	require.NoError(t, r.ask(patience))
}

func TestWhatIsOverheardCannotBePlayedAgain(t *testing.T) {
	r := newRide(t)
	one, sibling := r.join(1), r.join(2)
	operator := r.operator()
	calls, err := operator.SubscribeSync(bus.AllCalls)
	require.NoError(t, err)
	require.NoError(t, operator.Flush())
	for range 6 {
		require.NoError(t, r.ask(patience))
	}
	asked := one.asked.Load() + sibling.asked.Load()
	subjects := map[string]bool{}
	var frames [][]byte
	for range 6 {
		msg, err := calls.NextMsg(patience)
		require.NoError(t, err)
		subjects[msg.Subject] = true
		frames = append(frames, msg.Data)
		require.NotContains(t, string(msg.Data), "042187001234")
		require.NotContains(t, string(msg.Data), "HT-KS")
		refusedHere(t, operator, msg.Subject, msg.Reply, msg.Data)
	}
	require.Len(t, subjects, 2)
	for subject := range subjects {
		for _, frame := range frames {
			refusedHere(t, operator, subject, operator.NewInbox(), frame)
			altered := append([]byte(nil), frame...)
			altered[len(altered)-1] ^= 1
			refusedHere(t, operator, subject, operator.NewInbox(), altered)
		}
		refusedHere(t, operator, subject, operator.NewInbox(), []byte("x"))
		refusedHere(t, operator, subject, operator.NewInbox(), r.forged(subject))
	}
	require.Equal(t, asked, one.asked.Load()+sibling.asked.Load(), "the registry was asked nothing more")
	require.NoError(t, r.ask(patience))
}

// refusedHere publishes a frame whose answer must be a refusal.
func refusedHere(t *testing.T, nc *nats.Conn, subject, reply string, frame []byte) {
	t.Helper()
	sub, err := nc.SubscribeSync(reply)
	require.NoError(t, err)
	defer func() { _ = sub.Unsubscribe() }()
	require.NoError(t, nc.PublishRequest(subject, reply, frame))
	msg, err := sub.NextMsg(patience)
	require.NoError(t, err)
	f, err := bus.ParseFrame(msg.Data)
	require.NoError(t, err)
	require.NotEqual(t, hubv1.Frame_REFUSAL_UNSPECIFIED, f.Refusal)
	require.Empty(t, f.Body)
}

// forged is a call by a system of the same authority that is no gateway.
func (r *ride) forged(subject string) []byte {
	key, err := bus.NewKey(bus.KeyConfig{
		Certificate: r.ca.Issue(bustest.ConsumerID), Role: hubv1.AnnouncedKey_ROLE_GATEWAY, Now: time.Now(),
	})
	require.NoError(r.t, err)
	words, err := key.Announce(time.Now(), false)
	require.NoError(r.t, err)
	listener := r.operator()
	keys, err := listener.SubscribeSync(bus.AllKeys)
	require.NoError(r.t, err)
	require.NoError(r.t, listener.Publish(bus.Hello, nil))
	for {
		msg, err := keys.NextMsg(patience)
		require.NoError(r.t, err)
		party, err := bus.Verify(msg.Data, r.ca.Roots(), time.Now())
		require.NoError(r.t, err)
		if len(subject) < len(party.Instance) || subject[len(subject)-len(party.Instance):] != party.Instance {
			continue
		}
		pair, err := key.Pair(party)
		require.NoError(r.t, err)
		h := bus.Header{Subject: subject, Reply: listener.NewInbox(), Expires: time.Now().Add(time.Second), Digest: r.digest}
		return bus.Introduce(pair.Seal(nil, &h, []byte{}), words)
	}
}

func BenchmarkRoundTripOverTheBus(b *testing.B) {
	r := newRide(b)
	r.join(1)
	if err := r.ask(patience); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := r.ask(patience); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkRoundTripOverTheBusOneCaller(b *testing.B) {
	r := newRide(b)
	r.join(1)
	if err := r.ask(patience); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := r.ask(patience); err != nil {
			b.Fatal(err)
		}
	}
}
