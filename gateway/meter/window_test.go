package meter

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/store"
)

// Gateways hear calls late, twice and in any order, and agree all the same.
func TestTheLastCallsAreKeptInWhateverOrderTheyCome(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		times := rapid.Int64Range(1, 5).Draw(rt, "times")
		heard := rapid.SliceOfN(rapid.Int64Range(1, 30), 1, 40).Draw(rt, "heard")
		var w window
		for _, h := range heard {
			w.add(call{stamp: stamp(h), times: times, until: h})
		}
		slices.Sort(heard)
		want := slices.Compact(slices.Clone(heard))
		want = want[max(0, len(want)-int(times)):]
		require.Len(rt, w.stamps, len(want))
		for i := range want {
			require.EqualValues(rt, want[i], w.stamps[i])
		}
		require.Equal(rt, heard[len(heard)-1], w.until)
	})
}

func TestSubjectsOfTwoAgreementsOrKindsHaveTwoKeys(t *testing.T) {
	t.Parallel()
	var w windows
	w.init([]byte("secret"))
	m := w.macs.New().(*mac)
	seen := map[key]bool{}
	for _, agreement := range []string{"a", "ab", ""} {
		for _, kind := range []hubv1.Subject{1, 2} {
			for _, value := range []string{"1", "b1", "11"} {
				seen[m.key(agreement, &hubv1.DataSubject{Kind: kind, Value: value})] = true
			}
		}
	}
	require.Len(t, seen, 18)
	before := m.key("a", &hubv1.DataSubject{Kind: 1, Value: "1"})
	w.init([]byte("another"))
	require.NotEqual(t, before, w.macs.New().(*mac).key("a", &hubv1.DataSubject{Kind: 1, Value: "1"}))
}

func openMeter(t *testing.T, now func() time.Time) *Meter {
	return openMeterAt(t, filepath.Join(t.TempDir(), "hub.db"), Config{Now: now})
}

func openMeterAt(t *testing.T, path string, cfg Config) *Meter {
	db, err := state.Open(t.Context(), state.Config{Config: store.Config{Path: path}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	cfg.DB = db
	m, err := Open(t.Context(), cfg)
	require.NoError(t, err)
	return m
}

// broken is a link that loses all words.
type broken struct{}

func (broken) Send(byte, []byte) error           { return errors.New("bus is down") }
func (broken) Handle(byte, func(payload []byte)) {}

func TestWhatTheLinkLosesIsReadInSQL(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	one, two := openMeterAt(t, path, Config{Link: broken{}}), openMeterAt(t, path, Config{Link: broken{}})
	u := Use{
		Limits: &agreement.Limits{Agreement: "a", Times: 1, Within: time.Hour}, Now: time.Now(),
		Subjects: []*hubv1.DataSubject{{Kind: 1, Value: "1"}},
	}
	require.NoError(t, one.Take(t.Context(), u))
	require.NoError(t, one.Close(t.Context()))
	two.heal(t.Context())
	require.ErrorIs(t, two.Take(t.Context(), u), reason.FrequencyExceeded)
}

func TestWhatCountsNoMoreIsRemoved(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 5, 0, 0, 0, time.UTC)
	m := openMeter(t, func() time.Time { return now })
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() { defer close(ran); m.lessor.run(ctx) }()
	u := Use{
		Limits: &agreement.Limits{Agreement: "a", PerSecond: 5, PerDay: 5, PerOfficerPerDay: 5, Times: 1, Within: time.Hour},
		Agency: "H27", Officer: "an.nv", Subjects: []*hubv1.DataSubject{{Kind: 1, Value: "1"}}, Now: now,
	}
	require.NoError(t, m.Take(t.Context(), u))
	cancel()
	<-ran
	require.NoError(t, m.Close(t.Context()))
	require.Equal(t, []int{3, 1}, rows(t, m))
	require.NoError(t, m.clean(t.Context()))
	require.Equal(t, []int{3, 1}, rows(t, m))
	now = now.Add(30 * time.Minute)
	require.NoError(t, m.clean(t.Context()))
	require.Equal(t, []int{2, 1}, rows(t, m))
	now = now.Add(72 * time.Hour)
	require.NoError(t, m.clean(t.Context()))
	require.Equal(t, []int{0, 0}, rows(t, m))
	require.Empty(t, m.accounts)
	for i := range m.windows.shards {
		require.Empty(t, m.windows.shards[i].of)
	}
}

// rows says how many there are of quotas and of calls.
func rows(t *testing.T, m *Meter) []int {
	var quotas, calls int
	require.NoError(t, m.cfg.DB.Read.QueryRow(`SELECT (SELECT COUNT(*) FROM quota), (SELECT COUNT(*) FROM frequency)`).Scan(&quotas, &calls))
	return []int{quotas, calls}
}

func TestWhatCannotBeStoredIsStoredLater(t *testing.T) {
	t.Parallel()
	m := openMeter(t, time.Now)
	u := Use{
		Limits: &agreement.Limits{Agreement: "a", Times: 1, Within: time.Hour}, Now: time.Now(),
		Subjects: []*hubv1.DataSubject{{Kind: 1, Value: "1"}, {Kind: 1, Value: "2"}},
	}
	require.NoError(t, m.Take(t.Context(), u))
	m.Keep("a", "H27/one-stop", "G01", "2026-05-30")
	tx, err := m.cfg.DB.Write.Begin()
	require.NoError(t, err)
	gone, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.Error(t, m.Close(gone))
	require.NoError(t, tx.Rollback())
	require.NoError(t, m.Close(t.Context()))
	require.Equal(t, []int{0, 2}, rows(t, m))
	all, err := Overdue(t.Context(), m.cfg.DB, time.Now())
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.EqualValues(t, 1, all[0].GetAnswers())
}

// A lease of which nobody knows whether it was granted counts as used: the quota loses a block and is not exceeded.
func TestALeaseThatFailsIsAskedForAnew(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 5, 0, 0, 0, time.UTC)
	m := openMeter(t, func() time.Time { return now })
	b := &block{agreement: "a", bound: perDay, limit: 100, window: perDay.start(now.Unix())}
	b.ask(&m.lessor)
	queue, _ := m.lessor.due()
	require.Len(t, queue, 1)
	queue[0].fill()
	require.NoError(t, m.cfg.DB.InTx(t.Context(), func(tx *sql.Tx) error { return queue[0].take(t.Context(), tx) }))
	require.EqualValues(t, 5, queue[0].got)
	queue[0].answer(&m.lessor, errors.New("connection lost at commit"))
	require.Zero(t, b.left)
	require.False(t, b.asking)
	b.ask(&m.lessor)
	queue, _ = m.lessor.due()
	require.NoError(t, m.lessor.settle(t.Context(), queue, nil))
	require.EqualValues(t, 5, b.left)
	var used int64
	require.NoError(t, m.cfg.DB.Read.QueryRow(`SELECT used FROM quota`).Scan(&used))
	require.EqualValues(t, 10, used)
}

func TestTheNextSecondIsLeasedAhead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 5, 0, 0, 800e6, time.UTC)
	m := openMeter(t, func() time.Time { return now })
	b := m.account("a").second
	b.limit, b.window = 100, now.Unix()
	m.lookAhead()
	m.lookAhead() // once is enough
	queue, _ := m.lessor.due()
	require.Len(t, queue, 1)
	require.NoError(t, m.lessor.settle(t.Context(), queue, nil))
	require.Zero(t, b.left)
	u := Use{Limits: &agreement.Limits{Agreement: "a", PerSecond: 100}, Now: now.Add(200 * time.Millisecond)}
	require.NoError(t, m.Take(t.Context(), u), "without waiting: nobody leases here")
	require.EqualValues(t, 4, b.left)
}
