package guard_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/gateway/guard"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/store"
)

const patience = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a guard over a real state, at a time that the test moves.
type world struct {
	*guard.Guard
	t    testing.TB
	path string
	db   *state.DB
	rand *rand.Rand

	mu     sync.Mutex
	clock  time.Time
	alarms []guard.Alarm
	made   []state.Made
}

func newWorld(t testing.TB) *world {
	w := &world{
		t: t, path: filepath.Join(t.TempDir(), "hub.db"), rand: rand.New(rand.NewPCG(1, 2)),
		clock: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC),
	}
	w.db = w.open()
	w.Guard = w.start()
	return w
}

func (w *world) open() *state.DB {
	db, err := state.Open(w.t.Context(), state.Config{Config: store.Config{Path: w.path}, Now: w.now})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, db.Close()) })
	return db
}

// start starts one more guard over the state.
func (w *world) start(change ...func(*guard.Config)) *guard.Guard {
	cfg := guard.Config{
		State: w.db, Process: "gw1", By: state.Actor{ID: peer.ID{Agency: "G06", System: "gateway"}}, Now: w.now,
		Alarm:   func(a guard.Alarm) { w.mu.Lock(); defer w.mu.Unlock(); w.alarms = append(w.alarms, a) },
		Changed: func(m state.Made) { w.mu.Lock(); defer w.mu.Unlock(); w.made = append(w.made, m) },
	}
	for _, f := range change {
		f(&cfg)
	}
	g, err := guard.Open(w.t.Context(), cfg)
	require.NoError(w.t, err)
	return g
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *world) step(g *guard.Guard) { require.NoError(w.t, g.Step(w.t.Context())) }

func (w *world) raised() []guard.Alarm {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.alarms
}

// change changes the state as an operator does.
func (w *world) change(do func(*state.Tx) error) error {
	_, err := w.db.Change(w.t.Context(), state.Actor{ID: peer.ID{Agency: "G06", System: "gateway"}}, do)
	return err
}

func (w *world) release(agency, purpose, officer string) error {
	return w.change(func(tx *state.Tx) error { return guard.Release(w.t.Context(), tx, agency, purpose, officer) })
}

func person(number int64) *hubv1.DataSubject {
	return &hubv1.DataSubject{Kind: hubv1.Subject_SUBJECT_PERSONAL_ID, Value: fmt.Sprintf("%012d", number)}
}

// ask asks for a person, who is found or not, and reports whether it was let through.
func ask(g *guard.Guard, agency, purpose, officer string, number int64, found bool) bool {
	if g.Check(agency, purpose, officer) != nil {
		return false
	}
	var matched, missed uint32 = 1, 0
	if !found {
		matched, missed = 0, 1
	}
	g.Count(agency, purpose, officer, matched, missed, []*hubv1.DataSubject{person(number)})
	return true
}

// guess asks for a random number, which is one person's in so many.
func (w *world) guess(agency, purpose, officer string, oneIn int) bool {
	return ask(w.Guard, agency, purpose, officer, w.rand.Int64N(1e12), w.rand.IntN(oneIn) == 0)
}

// miss asks for so many numbers that nobody has.
func (w *world) miss(g *guard.Guard, agency, purpose, officer string, times int) {
	for range times {
		ask(g, agency, purpose, officer, w.rand.Int64N(1e12), false)
	}
}

func stopped(t testing.TB, g *guard.Guard, agency, purpose, officer string) {
	t.Helper()
	require.ErrorIs(t, g.Check(agency, purpose, officer), reason.EnumerationStopped)
}

func free(t testing.TB, g *guard.Guard, agency, purpose, officer string) {
	t.Helper()
	require.NoError(t, g.Check(agency, purpose, officer))
}
