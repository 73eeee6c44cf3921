package hubtest_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lienthong/lienthong/gateway/client"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

// long is the run of make versions, without the race detector and with nothing beside it; the small one has fewer changes
// and looks at no clock.
var long = flag.Bool("long", false, "change agreements 1,000 times, under 200 calls/s at least")

// longChanges and fewChanges are how often agreements change while they are used, rate how many calls a second there are
// at least in the long run, and several how many agreements take turns.
const (
	longChanges = 1000
	fewChanges  = 200
	rate        = 200
	several     = 20
)

// turning is one of several agreements, each for a purpose of its own, that releases one field in odd versions and
// another in even ones.
func turning(i, version int) string {
	text := residence(version, fmt.Sprintf("  - {name: GetResidence, fields: [%s.province_code]}\n", [2]string{"permanent", "current"}[version%2]))
	text = strings.Replace(text, "H27-G01-population", fmt.Sprintf("H27-turning-%d", i), 1)
	text = strings.Replace(text, "CT-TT", fmt.Sprintf("T-%d", i), 1)
	return strings.Replace(text, "HT-KS", fmt.Sprintf("U-%d", i), 1)
}

// released are the lists of fields that the two kinds of versions release, as records name them.
var released = [2]string{"permanent.province_code,result.code,result.next", "current.province_code,result.code,result.next"}

// seen is an answer that came while versions changed.
type seen struct {
	exchange string
	fields   int // index into released
}

// TestNoExchangeMixesTwoVersions changes agreements again and again while they are used. Each answer must have the field
// of the version that its record names, and no other.
func TestNoExchangeMixesTwoVersions(t *testing.T) {
	t.Parallel()
	changes := fewChanges
	if *long {
		changes = longChanges
	}
	hub := small(t)
	var first []string
	for i := range several {
		first = append(first, turning(i, 1))
	}
	hub.Agree(t, first...)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	answers := make(chan seen, 1<<20)
	var callers sync.WaitGroup
	for range 4 {
		conn := hub.Dial(t, "H27/one-stop")
		callers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				s, err := askTurning(conn, i%several)
				if err != nil {
					t.Error(err)
					return
				}
				answers <- s
			}
		})
	}
	began := time.Now()
	for i := range changes {
		hub.Agree(t, turning(i%several, 2+i/several))
	}
	took := time.Since(began)
	stop()
	callers.Wait()
	close(answers)
	perSecond := float64(len(answers)) / took.Seconds()
	t.Logf("%d changes, %d calls, %.0f calls/s", changes, len(answers), perSecond)
	require.Greater(t, len(answers), 2*changes, "too few calls to show anything")
	if *long {
		require.GreaterOrEqual(t, perSecond, float64(rate), "too few calls a second")
	}

	byExchange := map[string]seen{}
	for s := range answers {
		byExchange[s.exchange] = s
	}
	versions := map[string]bool{}
	for _, e := range hub.Exchanges(t) {
		id, err := uuid.FromBytes(e.GetId())
		require.NoError(t, err)
		s, ok := byExchange[id.String()]
		require.True(t, ok, "a record of an exchange that nobody had")
		delete(byExchange, id.String())
		versions[fmt.Sprint(e.GetAgreement(), e.GetAgreementVersion())] = true
		require.EqualValues(t, e.GetAgreementVersion()%2, s.fields, "version %d released %s", e.GetAgreementVersion(), released[s.fields])
		require.Equal(t, released[s.fields], e.GetReleased(), "the record names what was released")
	}
	require.Empty(t, byExchange, "answers without a record")
	require.Greater(t, len(versions), changes/4, "too few versions decided anything")
}

// askTurning asks under one of the agreements, and says which version's field came.
func askTurning(conn *grpc.ClientConn, i int) (seen, error) {
	var header metadata.MD
	words := client.Words{Purpose: fmt.Sprintf("T-%d", i), Case: desk.Case, Officer: desk.Officer}
	answer, err := populationv1.NewPopulationServiceClient(conn).GetResidence(client.With(context.Background(), words),
		&populationv1.GetResidenceRequest{PersonalId: "042187001234"}, grpc.Header(&header))
	if err != nil {
		return seen{}, fmt.Errorf("refused: %w", err)
	}
	s := seen{exchange: client.ReceiptOf(header).Exchange}
	permanent, current := answer.GetPermanent().GetProvinceCode() != "", answer.GetCurrent().GetProvinceCode() != ""
	if permanent == current {
		return s, fmt.Errorf("exchange %s has the fields of two versions, or of none", s.exchange)
	}
	if current {
		s.fields = 1
	}
	return s, nil
}
