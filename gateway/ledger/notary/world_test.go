package notary_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"iter"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/gateway/ledger/notary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal is a ledger's journal in memory.
type journal struct {
	mu      sync.Mutex
	grown   chan struct{} // closed when it grows
	digests [][32]byte
	broken  error
}

func newJournal(records int) *journal {
	j := &journal{grown: make(chan struct{})}
	j.append(records)
	return j
}

// append adds records; each has a digest of its own.
func (j *journal) append(records int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for range records {
		j.digests = append(j.digests, sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(len(j.digests)))))
	}
	close(j.grown)
	j.grown = make(chan struct{})
}

// show makes these digests the journal's.
func (j *journal) show(digests [][32]byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.digests = digests
	close(j.grown)
	j.grown = make(chan struct{})
}

// fail makes the journal unreadable, or readable again.
func (j *journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.broken = err
}

func (j *journal) rewrite(seq int) { j.digests[seq][7] ^= 1 }

func (j *journal) Durable() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return uint64(len(j.digests))
}

func (j *journal) Watch(ctx context.Context, after uint64) error {
	for {
		j.mu.Lock()
		have, grown := uint64(len(j.digests)), j.grown
		j.mu.Unlock()
		if have > after {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (j *journal) Digests(ctx context.Context, from, to uint64) iter.Seq2[[32]byte, error] {
	j.mu.Lock()
	all, broken := j.digests, j.broken
	j.mu.Unlock()
	return func(yield func([32]byte, error) bool) {
		if broken != nil {
			yield([32]byte{}, broken)
			return
		}
		if to > uint64(len(all)) {
			yield([32]byte{}, errors.New("not durable yet"))
			return
		}
		for _, d := range all[from:to] {
			if !yield(d, nil) {
				return
			}
		}
	}
}

const origin = "lienthong/G06/gateway"

func config(dir string, j *journal) notary.Config {
	return notary.Config{
		Dir: filepath.Join(dir, "log"), Origin: origin,
		KeyFile: filepath.Join(dir, "log.key"), PublicFile: filepath.Join(dir, "log.pub"),
		HeadFile: filepath.Join(dir, "head"),
		Source:   j, Interval: time.Millisecond, Log: slog.New(slog.DiscardHandler),
	}
}

// keep opens a log and runs it until the test stops it.
func keep(t testing.TB, cfg notary.Config) (n *notary.Notary, stop func()) {
	t.Helper()
	n, err := notary.Open(t.Context(), cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		assert.NoError(t, <-done)
		assert.NoError(t, n.Close())
	})
	t.Cleanup(stop)
	return n, stop
}

// filled makes a log of everything in the journal and closes it.
func filled(t testing.TB, cfg notary.Config) {
	t.Helper()
	for {
		n, stop := keep(t, cfg)
		stop()
		if n.Published() == cfg.Source.Durable() {
			return
		}
	}
}

// published waits until the log covers the journal.
func published(t testing.TB, n *notary.Notary, j *journal) {
	t.Helper()
	require.Eventually(t, func() bool { return n.Published() == j.Durable() }, 10*time.Second, time.Millisecond)
}

// How long a test waits for what must happen, and how often it looks.
const (
	wait = 10 * time.Second
	tick = time.Millisecond
)

func contextFor(t testing.TB) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx, cancel
}
