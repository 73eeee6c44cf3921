package courier_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// silent lets a test answer by itself.
func silent(*asked) []byte { return nil }

func TestAQuestionIsCarriedWholeAndItsAnswerBack(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	f.answer.Store(silent)
	q := w.question()
	q.Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	got := make(chan *hubv1.Answer, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		answer, _ := w.Ask(ctx, q)
		got <- answer
	}()
	a := await(t, f.asked, "not asked")
	require.True(t, proto.Equal(q.Envelope, a.call.GetEnvelope()))
	require.Equal(t, q.Request, a.call.GetRequest())
	require.Equal(t, q.Exchange, a.header.ExchangeID)
	require.Equal(t, q.Digest, a.header.Digest)
	require.LessOrEqual(t, a.call.GetTimeoutMs(), uint32(4980))
	require.Greater(t, a.call.GetTimeoutMs(), uint32(3000))
	want := &hubv1.Answer{Response: []byte("x"), Matched: 2, Subjects: []*hubv1.DataSubject{{Value: "1"}}}
	require.NoError(t, f.nc.Publish(a.reply, a.seal(want)))
	require.True(t, proto.Equal(want, await(t, got, "no answer")))
}

func TestNobodyThereIsRegistryOfflineSoon(t *testing.T) {
	w := newWorld(t)
	began := time.Now()
	w.refused(reason.RegistryOffline)
	require.Less(t, time.Since(began), 2*time.Second)
	require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond, "one that is just coming is waited for")
}

func TestARegistryThatComesWhileItIsWaitedForAnswers(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1")
	hellos := make(chan string, 64)
	_, err := f.nc.ChanSubscribe(bus.Hello, nil)
	require.Error(t, err)
	sub, err := f.nc.SubscribeSync(bus.Hello)
	require.NoError(t, err)
	require.NoError(t, f.nc.Flush())
	f.wg.Go(func() {
		for {
			msg, err := sub.NextMsg(patience)
			if err != nil {
				return
			}
			hellos <- string(msg.Data)
			if len(hellos) == 1 {
				f.say(f.words(false))
			}
		}
	})
	w.answered()
	subject, err := bus.KeySubject(country, service)
	require.NoError(t, err)
	require.Equal(t, subject, await(t, hellos, "it was not called for"), "only those are called who can help")
}

func TestOnlyTheProviderIsAsked(t *testing.T) {
	w := newWorld(t)
	other := peer.ID{Agency: "G22", System: "registry-people"}
	f := w.connector("p1")
	f.id = other
	f.rekey()
	f.say(f.words(false))
	require.Eventually(t, func() bool { return w.Online(service, country, other) == 1 }, patience, time.Millisecond)
	require.Zero(t, w.Online(service, country, bustest.ProviderID))
	w.refused(reason.RegistryOffline)
	w.connector("p2").join(1)
	for range 10 {
		require.Contains(t, string(w.answered().GetResponse()), "answer of p2")
	}
}

func TestWhoeverIsNotAcceptedIsNotAskedAnyMore(t *testing.T) {
	revoked := make(chan struct{})
	w := newWorld(t, func(c *courier.Config) {
		accept := c.Accept
		require.Nil(t, accept)
		c.Accept = acceptUntil(revoked)
	})
	w.connector("p1").join(1)
	w.answered()
	close(revoked)
	w.online(0)
	w.refused(reason.RegistryOffline)
	f := w.connector("p2")
	f.say(f.words(false))
	w.refused(reason.RegistryOffline)
}

func TestTheBusAwayIsBusOfflineAndItsReturnIsNoticed(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	w.answered()
	w.stopBus()
	require.Eventually(t, func() bool { return !w.Connected() }, patience, time.Millisecond)
	began := time.Now()
	w.refused(reason.BusOffline)
	require.Less(t, time.Since(began), time.Second, "it does not wait for what is not there")
	w.startBus()
	require.Eventually(t, func() bool { return w.Connected() && f.nc.IsConnected() }, patience, time.Millisecond)
	f.join(1)
	w.answered()
}

func TestACourierOpensWithoutABusAndFindsItLater(t *testing.T) {
	w := newWorld(t)
	w.stopBus()
	second := w.open()
	require.False(t, second.Connected())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := second.Ask(ctx, w.question())
	require.ErrorIs(t, err, reason.BusOffline)
	w.startBus()
	require.Eventually(t, second.Connected, patience, time.Millisecond)
}

func TestAQuestionEndsAtItsDeadlineAndTheConnectorIsTold(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	w.answered()
	f.answer.Store(silent)
	_, err := w.ask(100 * time.Millisecond)
	require.ErrorIs(t, err, reason.DeadlineExceeded)
	a := await(t, f.asked, "not asked")
	require.Equal(t, a.header.ExchangeID, await(t, f.cancels, "not told"))

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	done := make(chan error, 1)
	go func() { _, err := w.Ask(ctx, w.question()); done <- err }()
	a = await(t, f.asked, "not asked")
	cancel()
	require.ErrorIs(t, await(t, done, "not cancelled"), reason.Cancelled)
	require.Equal(t, a.header.ExchangeID, await(t, f.cancels, "not told"))
}

func TestAQuestionWithoutTimeIsNotSent(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	w.answered()
	f.answer.Store(silent)
	_, err := w.ask(bus.Margin)
	require.ErrorIs(t, err, reason.DeadlineExceeded)
	_, err = w.Ask(t.Context(), w.question())
	require.Equal(t, reason.Internal, reason.Of(err).Reason, "a question without a deadline is a mistake of ours")
	require.Empty(t, f.asked)
}

func TestAQuestionThatTheBusWouldNotCarryIsTooLarge(t *testing.T) {
	w := newWorld(t)
	w.connector("p1").join(1)
	q := w.question()
	q.Request = make([]byte, bus.MaxFrame)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := w.Ask(ctx, q)
	require.ErrorIs(t, err, reason.RequestTooLarge)
	w.answered()
}

func TestQuestionsGoToTheLeastBusy(t *testing.T) {
	w := newWorld(t)
	stuck, free := w.connector("p1").join(1), w.connector("p2").join(2)
	stuck.answer.Store(silent)
	free.answer.Store(silent)
	done := make(chan error, 2)
	for range 2 {
		go func() { _, err := w.ask(patience); done <- err }()
	}
	a := await(t, stuck.asked, "both went to one")
	b := await(t, free.asked, "both went to one")
	release := func(one *asked) {
		require.NoError(t, one.from.nc.Publish(one.reply, fine(one)))
		require.NoError(t, await(t, done, "not answered"))
	}
	release(b)
	free.answer.Store(fine)
	for range 20 {
		require.Contains(t, string(w.answered().GetResponse()), "answer of p2")
	}
	release(a)
}

func TestALeavingConnectorIsAskedNoMore(t *testing.T) {
	w := newWorld(t)
	leaving := w.connector("p1").join(1)
	w.connector("p2").join(2)
	leaving.say(leaving.words(true))
	w.online(1)
	for range 10 {
		require.Contains(t, string(w.answered().GetResponse()), "answer of p2")
	}
}

func TestAConnectorThatIsGoneOrLeavesIsPassedOver(t *testing.T) {
	for name, leave := range map[string]func(*connector){
		"gone": func(f *connector) {
			n := f.server.NumClients()
			f.nc.Close()
			require.Eventually(t, func() bool { return f.server.NumClients() < n }, patience, time.Millisecond)
		},
		"leaves": func(f *connector) { f.answer.Store(refusal(hubv1.Frame_REFUSAL_LEAVING)) },
	} {
		w := newWorld(t)
		w.connector("p1").join(1)
		gone := w.connector("p2").join(2)
		for range 4 {
			w.answered()
		}
		leave(gone)
		for range 10 {
			require.Contains(t, string(w.answered().GetResponse()), "answer of p1", name)
		}
		w.online(1)
	}
}

func TestAConnectorThatFallsSilentIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.connector("p1").join(1)
	w.clock.advance(bus.Silence + time.Second)
	w.online(0)
	w.connector("p2").join(1)
	require.Contains(t, string(w.answered().GetResponse()), "answer of p2")
}
