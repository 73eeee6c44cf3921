package meter_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/meter"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestTwoGatewaysTogetherUseAQuotaUpAndNeverExceedIt(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]agreement.Limits{
		"second":      {PerSecond: 1000},
		"few":         {PerSecond: 7},
		"day":         {PerDay: 2000},
		"few a day":   {PerDay: 3},
		"officer":     {PerOfficerPerDay: 300},
		"one officer": {PerOfficerPerDay: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, path := at(noon), fresh(t)
			one, two := start(t, path, meter.Config{Now: c.now}), start(t, path, meter.Config{Now: c.now})
			limit := max(limits.PerSecond, limits.PerDay, limits.PerOfficerPerDay)
			let := flood(t, limited(limits), c.now, one, two)
			require.LessOrEqual(t, let, limit)
			require.GreaterOrEqual(t, let, (limit*95+99)/100)
		})
	}
}

func TestASecondIsNotExceededWhileItTurns(t *testing.T) {
	t.Parallel()
	path := fresh(t)
	one, two := start(t, path, meter.Config{}), start(t, path, meter.Config{})
	const limit = 200
	use, let := limited(agreement.Limits{PerSecond: limit}), map[int64]int{}
	type took struct {
		second int64
		ok     bool
	}
	results := make(chan took, 64)
	end := time.Now().Add(1200 * time.Millisecond)
	for i := range 4 {
		go func() {
			for time.Now().Before(end) {
				u := use
				u.Now = time.Now()
				err := []*gateway{one, two}[i%2].Take(context.Background(), u)
				results <- took{u.Now.Unix(), err == nil}
			}
			results <- took{}
		}()
	}
	for running := 4; running > 0; {
		switch r := <-results; {
		case r.second == 0:
			running--
		case r.ok:
			let[r.second]++
		}
	}
	total := 0
	for _, n := range let {
		total += n
	}
	require.LessOrEqual(t, total, limit*len(let))
	require.Greater(t, total, 0)
}

func TestARefusalSaysWhenTheWindowEnds(t *testing.T) {
	t.Parallel()
	c := at(noon.Add(300 * time.Millisecond))
	g := start(t, fresh(t), meter.Config{Now: c.now})
	for name, want := range map[string]struct {
		limits agreement.Limits
		end    time.Time
	}{
		"second":  {agreement.Limits{PerSecond: 1}, noon.Add(time.Second)},
		"day":     {agreement.Limits{PerDay: 1}, time.Date(2026, 6, 1, 17, 0, 0, 0, time.UTC)},
		"officer": {agreement.Limits{PerOfficerPerDay: 1}, time.Date(2026, 6, 1, 17, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := limited(want.limits)
			u.Limits.Agreement, u.Now = name, c.now()
			require.NoError(t, g.Take(t.Context(), u))
			err := g.Take(t.Context(), u)
			require.ErrorIs(t, err, reason.QuotaExceeded)
			require.True(t, want.end.Equal(until(t, err)), until(t, err))
		})
	}
}

func TestTheDayTurnsAtMidnightInHanoi(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2026, 6, 1, 17, 0, 0, 0, time.UTC)
	c := at(midnight.Add(-time.Millisecond))
	g := start(t, fresh(t), meter.Config{Now: c.now})
	u := limited(agreement.Limits{PerDay: 40})
	require.EqualValues(t, 40, flood(t, u, c.now, g))
	c.set(midnight)
	require.EqualValues(t, 40, flood(t, u, c.now, g))
	u.Now = midnight.Add(-time.Millisecond) // began before, comes after
	require.ErrorIs(t, g.Take(t.Context(), u), reason.QuotaExceeded)
}

func TestACrashLosesAtMostABlock(t *testing.T) {
	t.Parallel()
	c, path := at(noon), fresh(t)
	use := limited(agreement.Limits{PerDay: 1000})
	use.Now = noon
	one := start(t, path, meter.Config{Now: c.now})
	require.NoError(t, one.Take(t.Context(), use))
	one.crash()
	two := start(t, path, meter.Config{Now: c.now})
	require.GreaterOrEqual(t, flood(t, use, c.now, two), int64(950-1))
}

func TestAGatewayThatStopsGivesItsBlockBack(t *testing.T) {
	t.Parallel()
	c, path := at(noon), fresh(t)
	use := limited(agreement.Limits{PerDay: 1000, PerOfficerPerDay: 500})
	use.Now = noon
	one := start(t, path, meter.Config{Now: c.now})
	require.NoError(t, one.Take(t.Context(), use))
	one.close(t)
	two := start(t, path, meter.Config{Now: c.now})
	require.EqualValues(t, 499, flood(t, use, c.now, two))
	use.Officer = "binh.tt"
	require.EqualValues(t, 500, flood(t, use, c.now, two))
}

func TestAnIdleGatewayGivesItsBlockBack(t *testing.T) {
	t.Parallel()
	c, path := at(noon), fresh(t)
	use := limited(agreement.Limits{PerDay: 100})
	use.Now = noon
	one, two := start(t, path, meter.Config{Now: c.now}), start(t, path, meter.Config{Now: c.now})
	require.NoError(t, one.Take(t.Context(), use))
	c.forward(2 * time.Second)
	require.Eventually(t, func() bool {
		var used int64
		require.NoError(t, two.db.Read.QueryRow(`SELECT used FROM quota`).Scan(&used))
		return used == 1
	}, 5*time.Second, 10*time.Millisecond)
	require.EqualValues(t, 99, flood(t, use, c.now, two))
}

func TestACallThatALaterBoundRefusesUsesUpNoEarlierOne(t *testing.T) {
	t.Parallel()
	c := at(noon)
	g := start(t, fresh(t), meter.Config{Now: c.now})
	u := limited(agreement.Limits{PerSecond: 2, PerDay: 2, PerOfficerPerDay: 1, Times: 1, Within: time.Hour})
	require.NoError(t, g.Take(t.Context(), about(u, noon, "1")))
	for range 5 {
		require.ErrorIs(t, g.Take(t.Context(), about(u, noon, "2")), reason.QuotaExceeded)
	}
	u.Officer = "binh.tt"
	for range 5 {
		require.ErrorIs(t, g.Take(t.Context(), about(u, noon, "1")), reason.FrequencyExceeded)
	}
	require.NoError(t, g.Take(t.Context(), about(u, noon, "2")))
}

func TestAnotherLimitCountsWhatWasUsedUnderTheOldOne(t *testing.T) {
	t.Parallel()
	c := at(noon)
	g := start(t, fresh(t), meter.Config{Now: c.now})
	require.EqualValues(t, 100, flood(t, limited(agreement.Limits{PerDay: 100}), c.now, g))
	require.EqualValues(t, 50, flood(t, limited(agreement.Limits{PerDay: 150}), c.now, g))
	require.EqualValues(t, 0, flood(t, limited(agreement.Limits{PerDay: 120}), c.now, g))
}

func TestABlockOfAHigherLimitIsNotUsedUnderALowerOne(t *testing.T) {
	t.Parallel()
	c := at(noon)
	g := start(t, fresh(t), meter.Config{Now: c.now})
	u := limited(agreement.Limits{PerDay: 200})
	u.Now = noon
	require.NoError(t, g.Take(t.Context(), u)) // leases ten
	require.EqualValues(t, 4, flood(t, limited(agreement.Limits{PerDay: 5}), c.now, g))
}

func TestCallsAreDeniedWhileSQLCannotLease(t *testing.T) {
	t.Parallel()
	c := at(noon)
	g := start(t, fresh(t), meter.Config{Now: c.now, LeaseWithin: 30 * time.Millisecond})
	tx, err := g.db.Write.Begin() // holds the only writer
	require.NoError(t, err)
	u := limited(agreement.Limits{PerDay: 10})
	u.Now = noon
	require.ErrorIs(t, g.Take(t.Context(), u), reason.PolicyStale)
	require.NoError(t, tx.Rollback())
	require.Eventually(t, func() bool { return g.Take(t.Context(), u) == nil }, 5*time.Second, time.Millisecond)
}

func TestACallerThatIsGoneDoesNotWaitForALease(t *testing.T) {
	t.Parallel()
	g := start(t, fresh(t), meter.Config{Now: at(noon).now})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tx, err := g.db.Write.Begin()
	require.NoError(t, err)
	u := limited(agreement.Limits{PerDay: 10})
	u.Now = noon
	require.ErrorIs(t, g.Take(ctx, u), context.Canceled)
	require.NoError(t, tx.Rollback())
}

func TestOfficersOfTwoAgenciesAreTwo(t *testing.T) {
	t.Parallel()
	g := start(t, fresh(t), meter.Config{Now: at(noon).now})
	for i := range 3 {
		u := limited(agreement.Limits{PerOfficerPerDay: 1})
		u.Now, u.Agency = noon, fmt.Sprint("H2", i)
		require.NoError(t, g.Take(t.Context(), u))
		require.ErrorIs(t, g.Take(t.Context(), u), reason.QuotaExceeded)
	}
}
