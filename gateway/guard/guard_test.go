package guard_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/guard"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/gateway/tally"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func TestAStopSaysWhomAndWhyAndIsRecordedOnce(t *testing.T) {
	w := newWorld(t)
	w.miss(w.Guard, "H27", "CT-TT", "an.nv", 20)
	free(t, w.Guard, "H27", "CT-TT", "an.nv")
	w.miss(w.Guard, "H27", "CT-TT", "an.nv", 1)
	stopped(t, w.Guard, "H27", "CT-TT", "an.nv")
	w.step(w.Guard)
	w.step(w.Guard)
	want := guard.Stop{Agency: "H27", Purpose: "CT-TT", Officer: "an.nv", Since: w.now(), Misses: 21, Why: guard.Guessing}
	listed, err := guard.List(t.Context(), w.db)
	require.NoError(t, err)
	require.Equal(t, []guard.Stop{want}, listed)
	require.Equal(t, []guard.Stop{want}, w.Stops())
	require.Equal(t, []guard.Alarm{{Agency: "H27", Purpose: "CT-TT", Officer: "an.nv", Why: guard.Guessing, Misses: 21, At: w.now()}}, w.raised())
	history, err := w.db.History(t.Context(), hubv1.Change_KIND_GUARD, "H27/CT-TT/an.nv", 10)
	require.NoError(t, err)
	require.Len(t, history, 1)
	require.Equal(t, "gateway", history[0].GetSystem())
	require.Contains(t, history[0].GetText(), "21 people not found")
	require.Equal(t, []state.Made{{Revision: 1, Numbers: []int64{1}}}, w.made)
}

func TestThreeStoppedOfficersStopTheAgencyOnlyWithinAWindow(t *testing.T) {
	w := newWorld(t)
	for i := range 10 {
		w.miss(w.Guard, "H27", "CT-TT", fmt.Sprint("slow", i), 21)
		w.pass(31 * time.Second)
	}
	free(t, w.Guard, "H27", "CT-TT", "somebody else")
	for i := range 3 {
		w.miss(w.Guard, "H28", "CT-TT", fmt.Sprint("quick", i), 21)
		w.pass(15 * time.Second)
	}
	stopped(t, w.Guard, "H28", "CT-TT", "somebody else")
	stopped(t, w.Guard, "H28", "CT-TT", "")
	free(t, w.Guard, "H28", "KCB", "quick0")
}

func TestAReleasedOfficerIsNotOneOfThree(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.miss(w.Guard, "H27", "CT-TT", fmt.Sprint("officer", i), 21)
		w.step(w.Guard)
		if i == 0 {
			require.NoError(t, w.release("H27", "CT-TT", "officer0"))
			require.NoError(t, w.Reload(t.Context()))
		}
	}
	free(t, w.Guard, "H27", "CT-TT", "somebody else")
	w.miss(w.Guard, "H27", "CT-TT", "officer3", 21)
	stopped(t, w.Guard, "H27", "CT-TT", "somebody else")
}

func TestAReleasedOneBeginsWithACleanWindow(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.miss(w.Guard, "H27", "CT-TT", fmt.Sprint("officer", i), 21)
	}
	w.miss(w.Guard, "H28", "CT-TT", "an.nv", 21)
	w.step(w.Guard)
	require.Len(t, w.Stops(), 5)
	require.NoError(t, w.release("H27", "CT-TT", ""))
	require.NoError(t, w.release("H27", "CT-TT", "officer0"))
	require.NoError(t, w.release("H28", "CT-TT", "an.nv"))
	stopped(t, w.Guard, "H27", "CT-TT", "officer0")
	require.NoError(t, w.Reload(t.Context()))
	stopped(t, w.Guard, "H27", "CT-TT", "officer1")
	for _, agency := range []string{"H27", "H28"} {
		for _, officer := range []string{"officer0", "an.nv"} {
			w.miss(w.Guard, agency, "CT-TT", officer, 20)
			free(t, w.Guard, agency, "CT-TT", officer)
		}
	}
	restarted := w.start()
	stopped(t, restarted, "H27", "CT-TT", "officer1")
	free(t, restarted, "H27", "CT-TT", "officer0")
	require.ErrorIs(t, w.release("H28", "CT-TT", "an.nv"), guard.ErrNotStopped)
	require.ErrorIs(t, w.release("H28", "CT-TT", "nobody"), guard.ErrNotStopped)
	w.miss(w.Guard, "H28", "CT-TT", "an.nv", 1)
	stopped(t, w.Guard, "H28", "CT-TT", "an.nv")
	w.step(w.Guard)
	stopped(t, w.Guard, "H28", "CT-TT", "an.nv")
}

func TestARestartForgetsNeitherStopsNorTheLastMinute(t *testing.T) {
	w := newWorld(t)
	w.miss(w.Guard, "H27", "CT-TT", "an.nv", 21)
	w.miss(w.Guard, "H28", "CT-TT", "binh.tt", 10)
	for i := range 150 {
		ask(w.Guard, "H29", "CT-TT", fmt.Sprint("officer", i), int64(i), false)
		ask(w.Guard, "H30", "CT-TT", "works", int64(i), i%10 != 0)
	}
	w.step(w.Guard)
	w.pass(20 * time.Second)
	w.miss(w.Guard, "H28", "CT-TT", "binh.tt", 5)
	w.step(w.Guard)
	w.pass(30 * time.Second)

	restarted := w.start()
	stopped(t, restarted, "H27", "CT-TT", "an.nv")
	w.miss(restarted, "H28", "CT-TT", "binh.tt", 5)
	free(t, restarted, "H28", "CT-TT", "binh.tt")
	w.miss(restarted, "H28", "CT-TT", "binh.tt", 1)
	stopped(t, restarted, "H28", "CT-TT", "binh.tt")
	for i := range 50 {
		ask(restarted, "H29", "CT-TT", fmt.Sprint("another", i), int64(i), false)
	}
	free(t, restarted, "H29", "CT-TT", "somebody")
	w.miss(restarted, "H29", "CT-TT", "somebody", 1)
	stopped(t, restarted, "H29", "CT-TT", "somebody else")
	w.miss(restarted, "H30", "CT-TT", "works", 10)
	free(t, restarted, "H30", "CT-TT", "works")

	w.pass(11 * time.Second)
	later := w.start()
	w.miss(later, "H28", "CT-TT", "binh.tt", 5)
	w.miss(later, "H29", "CT-TT", "somebody", 20)
	free(t, later, "H29", "CT-TT", "somebody else")
}

func TestWhatWasCountedBeforeAReleaseIsNotRestored(t *testing.T) {
	w := newWorld(t)
	w.miss(w.Guard, "H27", "CT-TT", "an.nv", 21)
	w.miss(w.Guard, "H27", "CT-TT", "binh.tt", 20)
	w.miss(w.Guard, "H28", "CT-TT", "", 21)
	w.step(w.Guard)
	w.pass(2 * time.Second)
	require.NoError(t, w.release("H27", "CT-TT", "an.nv"))
	require.NoError(t, w.release("H28", "CT-TT", ""))
	w.pass(2 * time.Second)
	restarted := w.start()
	w.miss(restarted, "H27", "CT-TT", "an.nv", 20)
	free(t, restarted, "H27", "CT-TT", "an.nv")
	w.miss(restarted, "H28", "CT-TT", "", 20)
	free(t, restarted, "H28", "CT-TT", "")
	w.miss(restarted, "H27", "CT-TT", "binh.tt", 1)
	stopped(t, restarted, "H27", "CT-TT", "binh.tt")
}

func TestSavedCountsGoWhenTheyAreOld(t *testing.T) {
	w := newWorld(t)
	w.miss(w.Guard, "H27", "CT-TT", "an.nv", 5)
	w.step(w.Guard)
	rows := func() (n int) {
		require.NoError(t, w.db.Read.QueryRow(`SELECT COUNT(*) FROM guard_count`).Scan(&n))
		return n
	}
	require.Equal(t, 1, rows())
	w.pass(61 * time.Second)
	w.step(w.Guard)
	require.Zero(t, rows())
}

// newBus starts a NATS server in this process and opens so many ends of tallies on it.
func newBus(t testing.TB, db *state.DB, ends int) (tallies []*tally.Bus) {
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(patience))
	key, err := db.Secret(t.Context(), "tally")
	require.NoError(t, err)
	for range ends {
		nc, err := nats.Connect("", nats.InProcessServer(s))
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		b, err := tally.Open(t.Context(), tally.Config{NC: nc, Key: key})
		require.NoError(t, err)
		tallies = append(tallies, b)
	}
	return tallies
}

// two starts two guards that are joined by a bus.
func (w *world) two() (one, other *guard.Guard) {
	ends := newBus(w.t, w.db, 2)
	for i, g := range []**guard.Guard{&one, &other} {
		*g = w.start(func(c *guard.Config) { c.Tally, c.Process = ends[i], fmt.Sprint("gw", i) })
	}
	return one, other
}

// become waits until somebody is stopped.
func become(t testing.TB, g *guard.Guard, agency, purpose, officer string) {
	t.Helper()
	require.Eventually(t, func() bool { return g.Check(agency, purpose, officer) != nil }, patience, time.Millisecond)
}

func TestTwoGatewaysTripOnTheSum(t *testing.T) {
	w := newWorld(t)
	one, other := w.two()
	w.miss(one, "H27", "CT-TT", "an.nv", 11)
	w.miss(other, "H27", "CT-TT", "an.nv", 10)
	free(t, one, "H27", "CT-TT", "an.nv")
	free(t, other, "H27", "CT-TT", "an.nv")
	require.NoError(t, one.Step(t.Context()))
	become(t, other, "H27", "CT-TT", "an.nv")
	require.NoError(t, other.Step(t.Context()))
	become(t, one, "H27", "CT-TT", "an.nv")
	require.NoError(t, one.Step(t.Context()))
	history, err := w.db.History(t.Context(), hubv1.Change_KIND_GUARD, "H27/CT-TT/an.nv", 10)
	require.NoError(t, err)
	require.Len(t, history, 1, "one stop, whoever noticed it")

	require.NoError(t, w.release("H27", "CT-TT", "an.nv"))
	for _, g := range []*guard.Guard{one, other} {
		require.NoError(t, g.Reload(t.Context()))
		free(t, g, "H27", "CT-TT", "an.nv")
	}
}

func TestGatewaysThatDoNotHearEachOtherStillShareStops(t *testing.T) {
	w := newWorld(t)
	other := w.start(func(c *guard.Config) { c.Process = "gw2" })
	for i := range 2 {
		w.miss(w.Guard, "H27", "CT-TT", fmt.Sprint("officer", i), 21)
	}
	w.step(w.Guard)
	require.NoError(t, other.Reload(t.Context()))
	stopped(t, other, "H27", "CT-TT", "officer0")
	w.miss(other, "H27", "CT-TT", "officer2", 21)
	stopped(t, other, "H27", "CT-TT", "officer3")
	require.NoError(t, other.Step(t.Context()))
	w.step(w.Guard)
	stopped(t, w.Guard, "H27", "CT-TT", "officer3")
}

func TestAStopHoldsThoughSQLCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	broken, cancel := context.WithCancel(t.Context())
	cancel()
	w.miss(w.Guard, "H27", "CT-TT", "an.nv", 21)
	require.Error(t, w.Step(broken))
	other := w.start(func(c *guard.Config) { c.Process = "gw2" })
	w.miss(other, "H28", "CT-TT", "binh.tt", 21)
	require.NoError(t, other.Step(t.Context()))
	require.NoError(t, w.Reload(t.Context()))
	stopped(t, w.Guard, "H28", "CT-TT", "binh.tt")
	stopped(t, w.Guard, "H27", "CT-TT", "an.nv")
	require.Len(t, w.raised(), 2)
	w.step(w.Guard)
	listed, err := guard.List(t.Context(), w.db)
	require.NoError(t, err)
	require.Len(t, listed, 2)
}

func TestAStopThatIsOlderThanItsReleaseDoesNotComeBack(t *testing.T) {
	w := newWorld(t)
	late := w.start(func(c *guard.Config) { c.Process = "gw2" })
	w.miss(w.Guard, "H27", "CT-TT", "an.nv", 21)
	w.miss(late, "H27", "CT-TT", "an.nv", 21)
	w.step(w.Guard)
	w.pass(time.Second)
	require.NoError(t, w.release("H27", "CT-TT", "an.nv"))
	stopped(t, late, "H27", "CT-TT", "an.nv") // it has not been able to write it until now
	w.step(late)
	free(t, late, "H27", "CT-TT", "an.nv")
	w.step(w.Guard)
	free(t, w.Guard, "H27", "CT-TT", "an.nv")
	w.miss(late, "H27", "CT-TT", "an.nv", 21)
	w.step(late)
	w.step(w.Guard)
	stopped(t, w.Guard, "H27", "CT-TT", "an.nv")
}

func TestWhatCouldNotBeSavedIsSavedTheNextTime(t *testing.T) {
	w := newWorld(t)
	broken, cancel := context.WithCancel(t.Context())
	cancel()
	w.miss(w.Guard, "H27", "CT-TT", "an.nv", 7)
	require.Error(t, w.Step(broken))
	w.miss(w.Guard, "H27", "CT-TT", "an.nv", 7)
	w.step(w.Guard)
	restarted := w.start()
	w.miss(restarted, "H27", "CT-TT", "an.nv", 6)
	free(t, restarted, "H27", "CT-TT", "an.nv")
	w.miss(restarted, "H27", "CT-TT", "an.nv", 1)
	stopped(t, restarted, "H27", "CT-TT", "an.nv")
}

func TestARunningGuardRaisesAlarmsAndTellsOthersWithinASecond(t *testing.T) {
	w := newWorld(t)
	one, other := w.two()
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for _, g := range []*guard.Guard{one, other} {
		wait.Go(func() { require.NoError(t, g.Run(ctx)) })
	}
	begin := time.Now()
	w.miss(one, "H27", "CT-TT", "an.nv", 21)
	become(t, other, "H27", "CT-TT", "an.nv")
	require.Eventually(t, func() bool { return len(w.raised()) > 0 }, patience, time.Millisecond)
	t.Logf("the other gateway and the alarm after %v", time.Since(begin))
	require.Less(t, time.Since(begin), time.Second)
	require.Eventually(t, func() bool { listed, err := guard.List(t.Context(), w.db); return err == nil && len(listed) == 1 }, patience, time.Millisecond)
	require.NoError(t, w.release("H27", "CT-TT", "an.nv"))
	require.Eventually(t, func() bool {
		return one.Check("H27", "CT-TT", "an.nv") == nil && other.Check("H27", "CT-TT", "an.nv") == nil
	},
		patience, 5*time.Millisecond, "released without a bell")
	w.miss(one, "H28", "CT-TT", "binh.tt", 20)
	cancel()
	wait.Wait()
	restarted := w.start()
	w.miss(restarted, "H28", "CT-TT", "binh.tt", 1)
	stopped(t, restarted, "H28", "CT-TT", "binh.tt")
}

func TestManyCountAtOnce(t *testing.T) {
	w := newWorld(t)
	one, other := w.two()
	var wait sync.WaitGroup
	for i := range 8 {
		g := []*guard.Guard{one, other}[i%2]
		wait.Go(func() {
			for j := range 500 {
				ask(g, fmt.Sprint("H", j%5), "CT-TT", fmt.Sprint("officer", j%7), int64(j), j%3 != 0)
			}
		})
		wait.Go(func() {
			for range 5 {
				_, _ = g.Stops(), g.Reload(t.Context())
			}
		})
	}
	wait.Wait()
	for range 2 {
		require.NoError(t, one.Step(t.Context()))
		require.NoError(t, other.Step(t.Context()))
	}
}
