package hubtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/guard"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// guess asks for a number that nobody has, as an officer, and returns the reason of a refusal.
func guess(t *testing.T, conn *grpc.ClientConn, officer string, i int) string {
	t.Helper()
	words := client.Words{Purpose: "BHXH-CD", Case: "G24-1", Officer: officer}
	return ask(within(t), t, conn, population+"GetPerson", words, fmt.Sprintf(`{"personal_id": "0010%08d", "full_name": "Nguyễn Văn An", "birth_date": "1990-01-01"}`, 90_000_000+i)).reason()
}

func TestAnOfficerWhoGuessesIsStoppedAndTheOthersAreNot(t *testing.T) {
	t.Parallel()
	hub := hubtest.Start(t, hubtest.Config{Registries: hubtest.Sandbox("population")})
	person := hub.Sample(t, "married", 1)[0]
	known := fmt.Sprintf(`{"personal_id": %q, "full_name": %q, "birth_date": %q}`, person.Number, person.Name, person.Birth)
	conns := []*grpc.ClientConn{hub.Dial(t, "G24/claims"), hub.Dial(t, "G24/claims"), hub.Dial(t, "G24/claims")}
	stoppedAt := 0
	for i := range 60 { // from several addresses: it is the officer who is counted
		if guess(t, conns[i%len(conns)], "snoop", i) == "ENUMERATION_STOPPED" {
			stoppedAt = i
			break
		}
	}
	require.Greater(t, stoppedAt, 20)
	require.Less(t, stoppedAt, 30, "more than 20 misses in a minute")
	honest := func(officer string) string {
		words := client.Words{Purpose: "BHXH-CD", Case: "G24-1", Officer: officer}
		return ask(within(t), t, conns[0], population+"GetPerson", words, known).reason()
	}
	require.Empty(t, honest("an"), "the rest of the agency goes on")
	require.Equal(t, "ENUMERATION_STOPPED", honest("snoop"), "also when the number is right")
	hubtest.Eventually(t, "the stop is in the ledger, with an alarm", func() bool {
		for _, r := range hub.Records(t) {
			if r.GetChange().GetKind() == hubv1.Change_KIND_GUARD {
				return true
			}
		}
		return false
	})
	_, metrics := hub.Get(t, "/metrics")
	require.Contains(t, metrics, `lienthong_guard_alarms_total{kind="stop"} 1`)
	hub.Change(t, func(ctx context.Context, tx *state.Tx) error {
		return guard.Release(ctx, tx, "G24", "BHXH-CD", "snoop")
	})
	hubtest.Eventually(t, "who was released may ask", func() bool { return honest("snoop") == "" })
}

func TestAnAgencyThatGuessesUnderManyNamesIsStopped(t *testing.T) {
	t.Parallel()
	hub := hubtest.Start(t, hubtest.Config{Registries: hubtest.Sandbox("population")})
	conn := hub.Dial(t, "G24/claims")
	for i := range 260 {
		if guess(t, conn, fmt.Sprintf("name-%d", i), i) == "ENUMERATION_STOPPED" {
			require.Greater(t, i, 200)
			require.Less(t, i, 230)
			return
		}
	}
	t.Fatal("nobody was stopped")
}
