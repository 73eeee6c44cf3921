package ledgertest_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/ledger/ledgertest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

const few = 20_000

func TestRecordsAreCanonicalAndInOrderOfTime(t *testing.T) {
	last := ledgertest.Start
	for b := range ledgertest.Records(1, few) {
		r := decode(t, b)
		again, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
		require.NoError(t, err)
		require.Equal(t, again, b)
		require.False(t, r.GetTime().AsTime().Before(last))
		last = r.GetTime().AsTime()
	}
}

func TestRecordsAreTheSameForTheSameSeed(t *testing.T) {
	var one, same, other []byte
	for b := range ledgertest.Records(7, few) {
		one = append(one, b...)
	}
	for b := range ledgertest.Records(7, few) {
		same = append(same, b...)
	}
	for b := range ledgertest.Records(8, few) {
		other = append(other, b...)
	}
	require.True(t, bytes.Equal(one, same))
	require.False(t, bytes.Equal(one, other))
}

func TestFieldListsAreRecordedBeforeTheyAreNamedAndIntentsBeforeTheirOutcome(t *testing.T) {
	lists, intents, kinds := map[string]bool{}, map[string]bool{}, map[string]int{}
	for b := range ledgertest.Records(3, few) {
		r := decode(t, b)
		for _, text := range r.GetNotice().GetFields().GetLists() {
			lists[digest(text)] = true
		}
		if i := r.GetIntent(); i != nil {
			kinds["intent"]++
			intents[string(i.GetExchangeId())] = true
		}
		if e := r.GetExchange(); e != nil {
			kinds[e.GetOutcome().String()]++
			if d := e.GetReleasedDigest(); d != nil {
				require.True(t, lists[string(d)])
			}
			if kinds["write "+e.GetMethod()]++; e.GetMethod() == "registry.civilstatus.v1.CivilStatusService/RegisterBirth" &&
				e.GetOutcome() == hubv1.Exchange_OUTCOME_ANSWERED {
				require.True(t, intents[string(e.GetId())])
			}
		}
		if r.GetAccess() != nil {
			kinds["access"]++
		}
	}
	for _, kind := range []string{"intent", "access", "OUTCOME_ANSWERED", "OUTCOME_REFUSED", "OUTCOME_FAILED", "OUTCOME_TIMED_OUT"} {
		require.Positive(t, kinds[kind], kind)
	}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return string(sum[:])
}

func decode(t *testing.T, b []byte) *hubv1.LedgerRecord {
	t.Helper()
	r := &hubv1.LedgerRecord{}
	require.NoError(t, proto.Unmarshal(b, r))
	return r
}

func BenchmarkRecords(b *testing.B) {
	size := 0
	for r := range ledgertest.Records(1, b.N) {
		size += len(r)
	}
	b.ReportMetric(float64(size)/float64(b.N), "B/record")
}
