package meter_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/meter"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is a moment in the middle of a day in Hà Nội.
var noon = time.Date(2026, 6, 1, 5, 0, 0, 0, time.UTC)

// clock is a clock that tests set.
type clock struct{ ms atomic.Int64 }

func at(t time.Time) *clock {
	c := new(clock)
	c.set(t)
	return c
}

func (c *clock) set(t time.Time)         { c.ms.Store(t.UnixMilli()) }
func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *clock) forward(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func open(t testing.TB, path string) *state.DB {
	db, err := state.Open(context.Background(), state.Config{Config: store.Config{Path: path}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// gateway is a running meter.
type gateway struct {
	*meter.Meter
	db   *state.DB
	once sync.Once
	stop func()
}

// crash ends it without Close.
func (g *gateway) crash() { g.once.Do(g.stop) }

// close ends it as a gateway that is stopped does.
func (g *gateway) close(t testing.TB) {
	g.crash()
	require.NoError(t, g.Close(context.Background()))
}

func start(t testing.TB, path string, cfg meter.Config) *gateway {
	db := open(t, path)
	cfg.DB, cfg.Log = db, slog.New(slog.NewTextHandler(io.Discard, nil))
	m, err := meter.Open(context.Background(), cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	g := &gateway{Meter: m, db: db, stop: func() {
		cancel()
		require.NoError(t, <-ended)
	}}
	t.Cleanup(g.crash)
	return g
}

func fresh(t testing.TB) string { return filepath.Join(t.TempDir(), "hub.db") }

// flood calls from many goroutines through all gateways until each of them is refused, and says how often it was let.
func flood(t testing.TB, use meter.Use, now func() time.Time, gateways ...*gateway) int64 {
	const callers = 16
	var let atomic.Int64
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			for {
				u := use
				u.Now = now()
				err := gateways[i%len(gateways)].Take(context.Background(), u)
				if err != nil {
					if !errors.Is(err, reason.QuotaExceeded) {
						t.Errorf("refused for another reason: %v", err)
					}
					return
				}
				let.Add(1)
			}
		})
	}
	wait.Wait()
	return let.Load()
}

func until(t require.TestingT, err error) time.Time {
	var f *reason.Fault
	require.ErrorAs(t, err, &f)
	return f.Until
}

func limited(l agreement.Limits) meter.Use {
	l.Agreement = "H27-G01-population"
	return meter.Use{Limits: &l, Agency: "H27", System: "one-stop", Officer: "an.nv"}
}

func about(u meter.Use, now time.Time, numbers ...string) meter.Use {
	u.Now, u.Subjects = now, nil
	for _, n := range numbers {
		u.Subjects = append(u.Subjects, &hubv1.DataSubject{Kind: 1, Value: n})
	}
	return u
}
