package meter_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/meter"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// keep has answers of four kinds counted and stored.
func keep(t *testing.T) *gateway {
	path := fresh(t)
	for range 2 { // two gateways add up
		g := start(t, path, meter.Config{})
		for range 3 {
			g.Keep("a", "H27/one-stop", "G01", "2026-05-30")
		}
		g.Keep("a", "H27/other", "G01", "2026-06-01")
		g.Keep("a", "H271/one-stop", "G01", "2026-05-30")
		g.Keep("b", "H27/one-stop", "G01", "2026-05-30")
		g.Keep("b", "H27/one-stop", "G01", "") // need not be destroyed
		g.close(t)
	}
	return start(t, path, meter.Config{})
}

func overdue(t *testing.T, g *gateway, now time.Time) (lines []string) {
	all, err := meter.Overdue(t.Context(), g.db, now)
	require.NoError(t, err)
	for _, o := range all {
		lines = append(lines, o.GetAgreement()+" "+o.GetConsumer()+" "+o.GetProvider()+" "+o.GetKeepUntil()+" "+time.Duration(o.GetAnswers()).String())
	}
	return lines
}

func confirm(t *testing.T, g *gateway, agreement, agency, through string) (n int64) {
	_, err := g.db.Change(t.Context(), state.Actor{ID: peer.ID{Agency: agency, System: "one-stop"}}, func(tx *state.Tx) (err error) {
		n, err = meter.Confirm(t.Context(), tx, agreement, agency, through, "wiped")
		return err
	})
	require.NoError(t, err)
	return n
}

func TestAnswersAreOverdueTheDayAfterInHanoi(t *testing.T) {
	t.Parallel()
	g := keep(t)
	require.Empty(t, overdue(t, g, time.Date(2026, 5, 30, 16, 59, 59, 0, time.UTC)))
	early := []string{"a H27/one-stop G01 2026-05-30 6ns", "a H271/one-stop G01 2026-05-30 2ns", "b H27/one-stop G01 2026-05-30 2ns"}
	require.Equal(t, early, overdue(t, g, time.Date(2026, 5, 30, 17, 0, 0, 0, time.UTC)))
	require.Equal(t, append(early, "a H27/other G01 2026-06-01 2ns"), overdue(t, g, time.Date(2026, 6, 1, 17, 0, 0, 0, time.UTC)))
}

func TestAnAgencyConfirmsWhatItsSystemsHadToDestroyByThen(t *testing.T) {
	t.Parallel()
	g := keep(t)
	june := time.Date(2026, 6, 10, 0, 0, 0, 0, time.UTC)
	require.EqualValues(t, 6, confirm(t, g, "a", "H27", "2026-05-31"))
	require.Equal(t, []string{"a H271/one-stop G01 2026-05-30 2ns", "b H27/one-stop G01 2026-05-30 2ns", "a H27/other G01 2026-06-01 2ns"}, overdue(t, g, june))
	require.EqualValues(t, 0, confirm(t, g, "a", "H27", "2026-05-31"), "they are confirmed once")
	require.EqualValues(t, 2, confirm(t, g, "a", "H27", "2026-06-01"))
	history, err := g.db.History(t.Context(), hubv1.Change_KIND_DESTRUCTION, "a", 10)
	require.NoError(t, err)
	require.Len(t, history, 3)
	require.Equal(t, "H27 destroyed 6 answers that it might keep until 2026-05-31: wiped", history[2].GetText())
}

func TestAnswersThatComeAfterAConfirmationAreNotConfirmedByIt(t *testing.T) {
	t.Parallel()
	g := keep(t)
	require.EqualValues(t, 6, confirm(t, g, "a", "H27", "2026-05-30"))
	g.Keep("a", "H27/one-stop", "G01", "2026-05-30")
	g.crash()
	require.NoError(t, g.Close(context.Background()))
	require.Contains(t, overdue(t, g, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)), "a H27/one-stop G01 2026-05-30 1ns")
}

func TestAnswersAreStoredWithinASecondOrTwo(t *testing.T) {
	t.Parallel()
	g := start(t, fresh(t), meter.Config{})
	g.Keep("a", "H27/one-stop", "G01", "2026-05-30")
	require.Eventually(t, func() bool { return count(t, g, "retention") == 1 }, 5*time.Second, 10*time.Millisecond)
}
