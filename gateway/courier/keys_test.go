package courier_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/bus"
)

func TestACourierThatIsNotKnownIntroducesItselfOnce(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	for range 5 {
		w.answered()
	}
	require.EqualValues(t, 1, f.unknown.Load())
	require.NoError(t, w.Rotate())
	for range 5 {
		w.answered()
	}
	require.EqualValues(t, 2, f.unknown.Load(), "and once with each new key")
}

func TestEachOfTwoConnectorsGetsToKnowTheGateway(t *testing.T) {
	w := newWorld(t)
	one, other := w.connector("p1").join(1), w.connector("p2").join(2)
	for range 6 {
		w.answered()
	}
	require.EqualValues(t, 1, one.unknown.Load())
	require.EqualValues(t, 1, other.unknown.Load())
}

func TestAConnectorsNewKeyIsTakenUpFromItsRefusal(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	w.answered()
	w.clock.advance(bus.Heartbeat)
	f.rekey() // without a word
	w.answered()
}

func TestANewKeyOfTheGatewayLosesNoAnswerUnderWay(t *testing.T) {
	w := newWorld(t)
	f := w.connector("p1").join(1)
	f.answer.Store(silent)
	type outcome struct {
		response []byte
		err      error
	}
	done := make(chan outcome, 1)
	go func() {
		answer, err := w.ask(patience)
		done <- outcome{answer.GetResponse(), err}
	}()
	a := await(t, f.asked, "not asked")
	require.NoError(t, w.Rotate())
	require.NoError(t, f.nc.Publish(a.reply, fine(a)))
	got := await(t, done, "no answer")
	require.NoError(t, got.err)
	f.answer.Store(fine)
	w.answered()
}

func TestKeysThatChangeUnderLoadLoseNoCall(t *testing.T) {
	w := newWorld(t)
	connectors := []*connector{w.connector("p1").join(1), w.connector("p2").join(2)}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := w.ask(patience); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 20 {
		if err := w.Rotate(); err != nil {
			t.Error(err)
		}
		for _, f := range connectors {
			f.say(f.words(false))
		}
	}
	stop()
	wg.Wait()
}
