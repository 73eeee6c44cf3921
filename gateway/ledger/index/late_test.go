package index_test

import (
	"context"
	"iter"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// counting is a journal that counts what is read of it.
type counting struct {
	*fake
	read atomic.Int64
}

func (c *counting) Scan(ctx context.Context, from, to uint64) iter.Seq2[index.Entry, error] {
	return func(yield func(index.Entry, error) bool) {
		for e, err := range c.fake.Scan(ctx, from, to) {
			c.read.Add(1)
			if !yield(e, err) {
				return
			}
		}
	}
}

func (c *counting) Get(ctx context.Context, seq uint64) (index.Entry, error) {
	c.read.Add(1)
	return c.fake.Get(ctx, seq)
}

func TestATimeIsFoundWithFewLooksThoughSomeRecordsCameALittleLate(t *testing.T) {
	j := &counting{fake: newJournal()}
	for i := range 3000 { // one a second, each tenth three seconds late
		at := epoch.Add(time.Duration(i) * time.Second)
		if i%10 == 9 {
			at = at.Add(-3 * time.Second)
		}
		b, err := proto.Marshal(&hubv1.LedgerRecord{Time: timestamppb.New(at)})
		require.NoError(t, err)
		j.add(index.Entry{Payload: b})
	}
	x := open(t, index.Config{Path: filepath.Join(t.TempDir(), "index.db"), Source: j, BlockSize: 2048})
	require.NoError(t, x.CatchUp(t.Context(), nil))
	for _, middle := range []int{1000, 2500} { // in a full block, and in the one in memory
		q := index.Query{To: epoch.Add(time.Duration(middle) * time.Second), Limit: 10}
		want := brute(j.fake, q, x.Indexed())[:10]
		j.read.Store(0)
		page, err := x.Search(t.Context(), q)
		require.NoError(t, err)
		for i, h := range page.Hits {
			require.Equal(t, want[i], h.Seq)
		}
		require.Len(t, page.Hits, 10)
		require.Less(t, j.read.Load(), int64(200))
	}
}
