package ledger

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger/ledgertest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func TestIntentsAndNoticesComeBeforeTheirExchange(t *testing.T) {
	for _, c := range []struct {
		record *hubv1.LedgerRecord
		before bool
	}{
		{&hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Intent{Intent: &hubv1.Intent{Officer: "x"}}}, true},
		{&hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Notice{Notice: &hubv1.Notice{}}}, true},
		{&hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Exchange{Exchange: &hubv1.Exchange{Officer: "x"}}}, false},
		{&hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Access{Access: &hubv1.Access{}}}, false},
		{&hubv1.LedgerRecord{}, false},
	} {
		c.record.Time, c.record.Origin = timestamppb.Now(), "G06/gateway"
		raw, err := proto.Marshal(c.record)
		require.NoError(t, err)
		require.Equal(t, c.before, comesBefore(raw), "%v", c.record)
		require.False(t, comesBefore(raw[:1]), "what is cut is no intent")
	}
}

func TestEveryGeneratedRecordIsSentOnceAndInOrder(t *testing.T) {
	const records = 5000
	b := &bench{cfg: Config{Records: records, Say: t.Logf}}
	work := make(chan group, records)
	require.NoError(t, b.generate(t.Context(), func([]byte) {}, work, new(atomic.Uint64)))
	close(work)
	var sent, want [][]byte
	for g := range work {
		sent = append(sent, g...)
	}
	for record := range ledgertest.Records(seed, records) {
		want = append(want, append([]byte(nil), record...))
	}
	require.Equal(t, want, sent)
}

func TestGeneratorEndsWhenNobodyTakesRecords(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := &bench{cfg: Config{Records: 5000, Say: t.Logf}}
	require.ErrorIs(t, b.generate(ctx, func([]byte) {}, make(chan group), new(atomic.Uint64)), context.Canceled)
}
