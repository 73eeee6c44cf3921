package index_test

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func randomVolumeQuery(t *rapid.T, until time.Time) index.VolumeQuery {
	q := index.VolumeQuery{By: index.VolumeBy{Time: one(t, []time.Duration{0, time.Minute, time.Hour, 24 * time.Hour}),
		Consumer: rapid.Bool().Draw(t, "consumer"), Provider: rapid.Bool().Draw(t, "provider"),
		Method: rapid.Bool().Draw(t, "method"), Outcome: rapid.Bool().Draw(t, "outcome"),
		Zone: one(t, []*time.Location{nil, time.FixedZone("Hà Nội", 7*3600), time.FixedZone("Kathmandu", 20700)})}}
	if rapid.Bool().Draw(t, "filtered") {
		q.Consumer, q.Provider, q.Scope.Consumer = one(t, agencies), one(t, agencies), one(t, agencies)
		q.Method = one(t, []string{"", "Get", "a.v1.People", "a.v1.People/Get"})
	}
	if rapid.Bool().Draw(t, "from") {
		q.From = randomTime(t, until)
	}
	if to := randomTime(t, until); to.After(q.From) {
		q.To = to
	}
	return q
}

// bucket is what volumes are added up by.
type bucket struct {
	start                      int64
	consumer, provider, method string
	outcome                    hubv1.Exchange_Outcome
}

// bruteVolumes counts every record below n.
func bruteVolumes(j *fake, q index.VolumeQuery, n uint64) (all []*hubv1.Volume) {
	filter := index.Query{Consumer: q.Consumer, Provider: q.Provider, Method: q.Method, Scope: q.Scope}
	sums := map[bucket]*hubv1.Volume{}
	for seq := j.first; seq < n; seq++ {
		r := j.decoded[seq]
		count, minute := counted(r)
		if count == 0 || !wants(&filter, r) || minute.Before(q.From) || !q.To.IsZero() && !minute.Before(q.To) {
			continue
		}
		k := bucketOf(&q.By, factsOf(r), minute)
		v := sums[k]
		if v == nil {
			v = &hubv1.Volume{Consumer: k.consumer, Provider: k.provider, Method: k.method, Outcome: k.outcome}
			if q.By.Time > 0 {
				v.Start = &timestamppb.Timestamp{Seconds: k.start}
			}
			sums[k], all = v, append(all, v)
		}
		v.Count += count
		if e := r.GetExchange(); e != nil {
			v.RequestBytes += uint64(e.GetRequestBytes())
			v.AnswerBytes += uint64(e.GetAnswerBytes())
			v.TotalUs += uint64(e.GetTotalUs())
			addLatency(v, uint64(e.GetTotalUs()))
		}
	}
	return all
}

// counted is how many exchanges a record tells of, and the minute in which they count.
func counted(r *hubv1.LedgerRecord) (uint64, time.Time) {
	at := r.GetTime().AsTime()
	if r.GetExchange() != nil {
		return 1, at.Truncate(time.Minute)
	}
	refused := r.GetNotice().GetRefusals()
	if refused.GetConsumerAgency() == "" || refused.GetMethod() != "" {
		return 0, at // no exchange began
	}
	if refused.GetFirst() != nil {
		at = refused.GetFirst().AsTime()
	}
	return refused.GetCount(), at.Truncate(time.Minute)
}

func bucketOf(by *index.VolumeBy, f facts, minute time.Time) (k bucket) {
	zone := by.Zone
	if zone == nil {
		zone = time.UTC
	}
	local := minute.In(zone)
	switch by.Time {
	case time.Minute:
		k.start = minute.Unix()
	case time.Hour:
		k.start = time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), 0, 0, 0, zone).Unix()
	case 24 * time.Hour:
		k.start = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone).Unix()
	}
	if by.Consumer && f.agency != "" {
		k.consumer = f.agency + "/" + f.system
	}
	if by.Provider {
		k.provider = f.provider
	}
	if by.Method {
		k.method = f.method
	}
	if by.Outcome {
		k.outcome = f.outcome
	}
	return k
}

func addLatency(v *hubv1.Volume, us uint64) {
	bucket := 0
	for uint64(1)<<bucket < us {
		bucket++
	}
	for len(v.Latency) <= bucket {
		v.Latency = append(v.Latency, 0)
	}
	v.Latency[bucket]++
}

// requireVolumes compares volumes, and that they are in order of time, then of size.
func requireVolumes(t require.TestingT, want, got []*hubv1.Volume) {
	require.True(t, slices.IsSortedFunc(got, func(a, b *hubv1.Volume) int {
		return cmp.Or(cmp.Compare(a.GetStart().GetSeconds(), b.GetStart().GetSeconds()), cmp.Compare(b.GetCount(), a.GetCount()))
	}))
	require.Equal(t, texts(want), texts(got))
}

func texts(volumes []*hubv1.Volume) []string {
	all := []string{}
	for _, v := range volumes {
		b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(v)
		all = append(all, string(b))
	}
	slices.SortFunc(all, strings.Compare)
	return all
}

func TestNoBucketIsMissingAnExchange(t *testing.T) {
	j := plausible(1, 500, 0)
	x := open(t, small(t.TempDir(), j))
	require.NoError(t, x.CatchUp(t.Context(), nil))
	all, err := x.Volumes(t.Context(), index.VolumeQuery{})
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.LessOrEqual(t, len(all[0].GetLatency()), bits.UintSize)
	exchanges := brute(j, index.Query{Kinds: []index.Kind{index.KindExchange}}, x.Indexed())
	var counted uint64
	for _, n := range all[0].GetLatency() {
		counted += n
	}
	require.EqualValues(t, len(exchanges), counted)
}

func TestMoreVolumesThanAreWantedAreNoAnswer(t *testing.T) {
	x := open(t, small(t.TempDir(), plausible(1, 500, 0))) // sealed blocks and a live one
	require.NoError(t, x.CatchUp(t.Context(), nil))
	q := index.VolumeQuery{By: index.VolumeBy{Time: time.Minute, Consumer: true, Method: true}}
	all, err := x.Volumes(t.Context(), q)
	require.NoError(t, err)
	require.Greater(t, len(all), 2)
	q.Max = len(all)
	same, err := x.Volumes(t.Context(), q)
	require.NoError(t, err)
	requireVolumes(t, all, same)
	for q.Max = range len(all) {
		if q.Max == 0 { // any number
			continue
		}
		_, err = x.Volumes(t.Context(), q)
		require.ErrorIs(t, err, index.ErrTooMany)
	}
}
