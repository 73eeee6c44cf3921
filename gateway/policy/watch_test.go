package policy_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/gateway/policy"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// enrol is a change of the members.
func enrol(t *testing.T, db *state.DB, account string) {
	membertest.Change(t, db, func(ctx context.Context, tx *state.Tx) error {
		_, err := member.EnrolOfficers(ctx, tx, "H27", []string{account})
		return err
	})
}

func watch(t *testing.T, cfg policy.Config) *policy.Watcher {
	cfg.Log = slog.New(slog.DiscardHandler)
	w, err := policy.Watch(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

func TestAChangeDecidesWhenItRingsOrAtTheNextLook(t *testing.T) {
	db := membertest.State(t, "H27")
	rung, polled := watch(t, policy.Config{DB: db, Poll: time.Hour}), watch(t, policy.Config{DB: db, Poll: 20 * time.Millisecond})
	before := rung.Load()
	enrol(t, db, "an.nv")
	revision, err := db.Revision(t.Context())
	require.NoError(t, err)
	require.NoError(t, polled.Wait(t.Context(), revision), "nobody rang")
	require.Same(t, before, rung.Load(), "nobody rang, and an hour is not over")
	rung.Ring()
	require.NoError(t, rung.Wait(t.Context(), revision))
	require.Less(t, before.Revision, rung.Load().Revision, "the one before is as it was")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.ErrorIs(t, rung.Wait(ctx, revision+1), context.Canceled)
}

func TestAPolicyThatCannotBeReadDecidesForSecondsAndThenNothing(t *testing.T) {
	db := membertest.State(t, "H27")
	looks := new(atomic.Int32)
	w := watch(t, policy.Config{DB: db, Poll: time.Hour, Stale: 10 * time.Second, After: func(context.Context) { looks.Add(1) }})
	now := time.Now()
	_, err := w.Current(now)
	require.NoError(t, err)
	require.NoError(t, w.Err())
	_, err = db.Write.ExecContext(t.Context(), `ALTER TABLE officer RENAME TO officers_elsewhere`)
	require.NoError(t, err)
	_, err = db.Write.ExecContext(t.Context(), `UPDATE revision SET number = number + 1`)
	require.NoError(t, err)
	w.Ring()
	require.Eventually(t, func() bool { return looks.Load() > 0 }, 10*time.Second, time.Millisecond)
	require.Error(t, w.Err())
	_, err = w.Current(now.Add(9 * time.Second))
	require.NoError(t, err, "the one before decides for a while")
	p, err := w.Current(now.Add(11 * time.Second))
	require.ErrorIs(t, err, reason.PolicyStale)
	require.NotNil(t, p.Members, "it is returned all the same, to be named in records")
}

func TestWhatCannotBeReadAtFirstIsNotWatched(t *testing.T) {
	db := membertest.State(t, "H27")
	require.NoError(t, db.Close())
	_, err := policy.Watch(t.Context(), policy.Config{DB: db, Log: slog.New(slog.DiscardHandler)})
	require.Error(t, err)
}
