package exchange_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	"github.com/lienthong/lienthong/gateway/meter"
	"github.com/lienthong/lienthong/gateway/policy"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// watcher is a guard and a meter that say what they are told to, and remember what they were told.
type watcher struct {
	stop, full error
	decoy      bool
	counted    [2]uint32
	subjects   []*hubv1.DataSubject
	used       []meter.Use
	kept       []string
}

func (w *watcher) Check(agency, purpose, officer string) error { return w.stop }

func (w *watcher) Count(agency, purpose, officer string, matched, missed uint32, subjects []*hubv1.DataSubject) bool {
	w.counted[0], w.counted[1], w.subjects = w.counted[0]+matched, w.counted[1]+missed, subjects
	return w.decoy
}

func (w *watcher) Take(_ context.Context, u meter.Use) error {
	w.used = append(w.used, u)
	return w.full
}

func (w *watcher) Keep(agreement, consumer, provider, day string) {
	w.kept = append(w.kept, strings.Join([]string{agreement, consumer, provider, day}, " "))
}

// newWatched is a fixture whose hub is watched, under an agreement with more in it.
func newWatched(t *testing.T, more string) (*fixture, *watcher) {
	f, w := newFixture(t), new(watcher)
	f.policy = exchangetest.Policy(t, strings.Replace(exchangetest.Agreement, "provider: G01", "provider: G01\n"+more, 1))
	f.Hub = exchange.New(exchange.Config{
		Origin: "G06/gateway", Recorder: &f.recorder, Guard: w, Meter: w,
		Policy: func(time.Time) (*policy.Policy, error) { return f.policy, f.stale },
		Carrier: exchangetest.Carrier(func(ctx context.Context, q *courier.Question) (*hubv1.Answer, error) {
			return f.carrier(ctx, q)
		}),
	})
	return f, w
}

func TestAPolicyThatNobodyCouldReadDecidesNothing(t *testing.T) {
	f := newFixture(t)
	f.stale = reason.PolicyStale
	require.Equal(t, reason.PolicyStale, f.refused(t, t.Context(), question(t)).Reason)
	require.Equal(t, hubv1.Exchange_OUTCOME_FAILED, f.recorder.Kept()[0].GetOutcome())
}

func TestWhoWasStoppedForGuessingIsRefusedBeforeAnybodyIsAsked(t *testing.T) {
	f, w := newWatched(t, "quota: {per_day: 5}")
	w.stop = reason.EnumerationStopped
	f.carrier = func(context.Context, *courier.Question) (*hubv1.Answer, error) {
		t.Error("it was asked")
		return nil, reason.Internal
	}
	require.Equal(t, reason.EnumerationStopped, f.refused(t, t.Context(), question(t)).Reason)
	require.Equal(t, hubv1.Exchange_OUTCOME_REFUSED, f.recorder.Kept()[0].GetOutcome())
	require.Empty(t, w.used, "what is stopped uses no quota")
}

func TestAQuotaIsTakenOfBeforeAnybodyIsAsked(t *testing.T) {
	f, w := newWatched(t, "quota: {per_day: 5}\nfrequency: {times: 1, hours: 24}")
	until := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	w.full = reason.QuotaExceeded.Until(until)
	fault := f.refused(t, t.Context(), question(t))
	require.Equal(t, reason.QuotaExceeded, fault.Reason)
	require.True(t, fault.Until.Equal(until))
	require.Len(t, w.used, 1)
	require.EqualValues(t, 5, w.used[0].Limits.PerDay)
	require.Equal(t, "042187001234", w.used[0].Subjects[0].GetValue(), "whom it is about, for the frequency")
	require.Zero(t, w.counted, "nobody was asked")
}

func TestALimitWithoutAMeterLetsNothingPass(t *testing.T) {
	f := newFixture(t)
	f.policy = exchangetest.Policy(t, strings.Replace(exchangetest.Agreement, "provider: G01", "provider: G01\nquota: {per_day: 5}", 1))
	require.Equal(t, reason.QuotaExceeded, f.refused(t, t.Context(), question(t)).Reason)
}

func TestMissesAreCountedAlsoWhereTheAnswerIsRefused(t *testing.T) {
	f, w := newWatched(t, "")
	w.decoy = true
	f.carrier = func(context.Context, *courier.Question) (*hubv1.Answer, error) {
		return &hubv1.Answer{Status: 7, Reason: string(reason.ConditionNotMet), Matched: 1, Missed: 2}, nil
	}
	require.Equal(t, reason.ConditionNotMet, f.refused(t, t.Context(), question(t)).Reason, "which a connector may say")
	require.Equal(t, [2]uint32{1, 2}, w.counted)
	require.Equal(t, "042187001234", w.subjects[0].GetValue())
	require.True(t, f.recorder.Kept()[0].GetDecoy())
}

func TestAnAnswerSaysHowLongItMayBeKept(t *testing.T) {
	f, w := newWatched(t, "data_life_days: 30")
	reply, err := f.Do(t.Context(), question(t))
	require.NoError(t, err)
	last := f.recorder.Kept()[0]
	require.Equal(t, reply.Keep, last.GetKeepUntil().AsTime().In(time.FixedZone("", 7*60*60)).Format(time.DateOnly))
	require.WithinDuration(t, time.Now().Add(30*24*time.Hour), last.GetKeepUntil().AsTime(), 25*time.Hour)
	require.Equal(t, []string{"H27-G01 H27/one-stop G01 " + reply.Keep}, w.kept)
	f.carrier = exchangetest.Fails("PERSON_NOT_FOUND", "")
	f.refused(t, t.Context(), question(t))
	require.Len(t, w.kept, 1, "what was not answered is not kept")
}

func TestTheReleaseOfSensitiveFieldsStandsInTheRecord(t *testing.T) {
	f := newFixture(t)
	f.policy = exchangetest.Policy(t, strings.Replace(exchangetest.Agreement, "person.birth_date", "person.birth_date, person.religion", 1))
	_, err := f.Do(t.Context(), question(t))
	require.NoError(t, err)
	require.True(t, f.recorder.Kept()[0].GetSensitive())
	require.EqualValues(t, 7, f.recorder.Kept()[0].GetPolicyRevision())
	plain := question(t)
	plain.Fields = "person.birth_date"
	_, err = f.Do(t.Context(), plain)
	require.NoError(t, err)
	require.False(t, f.recorder.Kept()[1].GetSensitive())
}

func TestTheConditionOverTheAnswerGoesWithTheQuestion(t *testing.T) {
	f, _ := newWatched(t, "")
	text := strings.Replace(exchangetest.Agreement, "provider: G01", "provider: G01\nanswer_condition: answer.person.birth_date != ''", 1)
	f.policy = exchangetest.Policy(t, text[:strings.Index(text, "  - name: RegisterParcel")])
	answer := f.carrier
	f.carrier = func(ctx context.Context, q *courier.Question) (*hubv1.Answer, error) {
		require.Equal(t, "answer.person.birth_date != ''", q.Envelope.GetAnswerCondition())
		return answer(ctx, q)
	}
	_, err := f.Do(t.Context(), question(t))
	require.NoError(t, err)
}

func TestAServiceThatIsNotOfficialIsNotAsked(t *testing.T) {
	f := newFixture(t)
	m, ok := f.policy.Catalog.Method(question(t).Method)
	require.True(t, ok)
	m.Service.State = catalog.Suspended
	require.Equal(t, reason.ServiceNotOfficial, f.refused(t, t.Context(), question(t)).Reason)
	require.Equal(t, hubv1.Exchange_OUTCOME_REFUSED, f.recorder.Kept()[0].GetOutcome())
	stranger := question(t)
	stranger.Caller = as(exchangetest.Stranger)
	require.Equal(t, reason.NoAgreement, f.refused(t, t.Context(), stranger).Reason, "who has no agreement learns nothing else")
}
