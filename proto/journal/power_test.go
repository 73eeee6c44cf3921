package journal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/journal"
	"github.com/lienthong/lienthong/proto/journal/journaltest"
)

// cutUnderLoad appends from several goroutines until the power is cut at a random moment, and returns what was
// acknowledged.
func cutUnderLoad(t *testing.T, cfg journal.Config, rng *rand.Rand) (map[uint64][]byte, error) {
	t.Helper()
	d := &journaltest.Volatile{}
	cfg.Disk = d
	j, _, err := journal.Open(cfg)
	require.NoError(t, err)
	acked := map[uint64][]byte{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	enough := make(chan struct{})
	stop := 1 + rng.IntN(60)
	for a := range 4 {
		seed := rng.Uint64()
		wg.Go(func() {
			mine := rand.New(rand.NewPCG(seed, uint64(a)))
			for i := 0; ; i++ {
				p := record(mine, a, i)
				seq, err := j.Append(p)
				if err != nil {
					return
				}
				mu.Lock()
				acked[seq] = p
				if len(acked) == stop {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	err = d.Cut(rng)
	wg.Wait()
	_ = j.Close()
	return acked, err
}

// record is a payload of any size, some with long runs of zeros.
func record(rng *rand.Rand, a, i int) []byte {
	b := fmt.Appendf(nil, "%d %d ", a, i)
	for range rng.IntN(4) {
		b = append(b, bytes.Repeat([]byte{byte(rng.IntN(2) * 255)}, rng.IntN(3000))...)
		b = binary.BigEndian.AppendUint64(b, rng.Uint64())
	}
	return b
}

func TestNoPowerCutTakesWhatWasAcknowledged(t *testing.T) {
	for run := range 15 {
		rng := rand.New(rand.NewPCG(uint64(run), 9))
		cfg := onDisk(t, nil)
		cfg.Head = ""
		acked := map[uint64][]byte{}
		for cut := range 3 {
			more, err := cutUnderLoad(t, cfg, rng)
			require.NoError(t, err)
			for seq, p := range more {
				require.NotContains(t, acked, seq, "a number was used twice")
				acked[seq] = p
			}
			r, err := journal.OpenReader(cfg.Dir)
			require.NoError(t, err, "run %d, cut %d", run, cut)
			for seq, p := range acked {
				e, err := r.Get(t.Context(), seq)
				require.False(t, errors.Is(err, journal.ErrNotYet), "run %d: entry %d was acknowledged and is lost", run, seq)
				require.NoError(t, err)
				require.Equal(t, p, e.Payload)
			}
		}
		intactAfter(t, cfg, 1)
		rep, err := journal.Check(t.Context(), []string{cfg.Dir}, journal.CheckOptions{Head: cfg.Dir + ".head"}, nil)
		require.NoError(t, err)
		require.Empty(t, rep.Faults)
	}
}
