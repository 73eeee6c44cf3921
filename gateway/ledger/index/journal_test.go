package index_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/ledgertest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

var background = context.Background()

// fake is a journal in memory.
type fake struct {
	mu      sync.Mutex
	entries []index.Entry
	first   uint64
	broken  error
	more    chan struct{}
	decoded []*hubv1.LedgerRecord // nil where there is none to decode; of the first few only
}

func newJournal() *fake { return &fake{more: make(chan struct{})} }

// plausible returns a journal of n records of a plausible hub, every void-th position of which is void.
func plausible(seed uint64, n, void int) *fake {
	j := newJournal()
	for r := range ledgertest.Records(seed, n) {
		if void > 0 && len(j.entries)%void == void-1 {
			j.void()
		}
		j.append(r)
	}
	return j
}

func (j *fake) append(payload []byte) {
	j.add(index.Entry{Payload: append([]byte(nil), payload...)})
}

func (j *fake) void() { j.add(index.Entry{Void: true}) }

func (j *fake) add(e index.Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var before [32]byte
	if n := len(j.entries); n > 0 {
		before = j.entries[n-1].Digest
	}
	e.Seq = uint64(len(j.entries))
	e.Digest = sha256.Sum256(append(before[:], e.Payload...))
	j.entries = append(j.entries, e)
	if len(j.decoded) < 5000 {
		j.decoded = append(j.decoded, decode(e))
	}
	close(j.more)
	j.more = make(chan struct{})
}

func decode(e index.Entry) *hubv1.LedgerRecord {
	r := &hubv1.LedgerRecord{}
	if e.Void || proto.Unmarshal(e.Payload, r) != nil {
		return nil
	}
	return r
}

func (j *fake) First() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first
}

func (j *fake) Durable() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return uint64(len(j.entries))
}

func (j *fake) Watch(ctx context.Context, after uint64) error {
	for {
		j.mu.Lock()
		n, more := uint64(len(j.entries)), j.more
		j.mu.Unlock()
		if n > after {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (j *fake) Scan(ctx context.Context, from, to uint64) iter.Seq2[index.Entry, error] {
	return func(yield func(index.Entry, error) bool) {
		var buf []byte
		for seq := from; seq < to; seq++ {
			e, err := j.Get(ctx, seq)
			if err != nil {
				yield(e, err)
				return
			}
			buf = append(buf[:0], e.Payload...) // is overwritten by the next one, as the real journal's is
			if e.Payload = buf; !yield(e, nil) {
				return
			}
		}
	}
}

func (j *fake) Get(ctx context.Context, seq uint64) (index.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return index.Entry{}, ctx.Err()
	case j.broken != nil:
		return index.Entry{}, j.broken
	case seq < j.first || seq >= uint64(len(j.entries)):
		return index.Entry{}, errors.New("no such position")
	}
	return j.entries[seq], nil
}

// cut returns the journal's first n positions.
func (j *fake) cut(n int) *fake {
	return &fake{entries: j.entries[:n:n], decoded: j.decoded[:n:n], more: make(chan struct{})}
}

// open opens an index and closes it with the test.
func open(t testing.TB, cfg index.Config) *index.Index {
	t.Helper()
	x, err := index.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}
