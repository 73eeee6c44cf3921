package service_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// searcher is the index, with a seam before each search.
type searcher struct {
	*index.Index
	mu     sync.Mutex
	before func(context.Context, index.Query) error
	after  func(*index.Page)
}

func (s *searcher) hook(before func(context.Context, index.Query) error, after func(*index.Page)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after = before, after
}

// Search implements service.Searcher.
func (s *searcher) Search(ctx context.Context, q index.Query) (index.Page, error) {
	s.mu.Lock()
	before, after := s.before, s.after
	s.mu.Unlock()
	if before != nil {
		if err := before(ctx, q); err != nil {
			return index.Page{}, err
		}
	}
	page, err := s.Index.Search(ctx, q)
	if after != nil {
		after(&page)
	}
	return page, err
}

// journal keeps records in memory; what is appended is durable at once, unless a test holds it up or lets it fail.
type journal struct {
	mu      sync.Mutex
	entries []index.Entry
	changed chan struct{}
	before  func(*hubv1.Access) error
}

// AppendAccess implements service.Recorder.
func (j *journal) AppendAccess(_ context.Context, record *hubv1.LedgerRecord) error {
	j.mu.Lock()
	before := j.before
	j.mu.Unlock()
	if before != nil {
		if err := before(record.GetAccess()); err != nil {
			return err
		}
	}
	_, err := j.append(record)
	return err
}

func (j *journal) hook(before func(*hubv1.Access) error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.before = before
}

func (j *journal) append(record *hubv1.LedgerRecord) (uint64, error) {
	payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(record)
	if err != nil {
		return 0, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	seq := uint64(len(j.entries))
	j.entries = append(j.entries, index.Entry{Seq: seq, Payload: payload, Digest: sha256.Sum256(fmt.Appendf(nil, "%d", seq))})
	close(j.changed)
	j.changed = make(chan struct{})
	return seq, nil
}

func (j *journal) all() []index.Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[:len(j.entries):len(j.entries)]
}

// accesses are those that were recorded so far.
func (j *journal) accesses(t testing.TB) (all []*hubv1.Access) {
	for _, e := range j.all() {
		var record hubv1.LedgerRecord
		require.NoError(t, proto.Unmarshal(e.Payload, &record))
		if record.GetAccess() != nil {
			all = append(all, record.GetAccess())
		}
	}
	return all
}

// last is the last Access that was recorded.
func (j *journal) last(t testing.TB) *hubv1.Access {
	all := j.accesses(t)
	require.NotEmpty(t, all)
	return all[len(all)-1]
}

func (j *journal) First() uint64 { return 0 }

func (j *journal) Durable() uint64 { return uint64(len(j.all())) }

func (j *journal) Watch(ctx context.Context, after uint64) error {
	for {
		j.mu.Lock()
		n, changed := uint64(len(j.entries)), j.changed
		j.mu.Unlock()
		if n > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (j *journal) Scan(_ context.Context, from, to uint64) iter.Seq2[index.Entry, error] {
	return func(yield func(index.Entry, error) bool) {
		for _, e := range j.all()[from:to] {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (j *journal) Get(_ context.Context, seq uint64) (index.Entry, error) {
	all := j.all()
	if seq >= uint64(len(all)) {
		return index.Entry{}, errors.New("no such position")
	}
	return all[seq], nil
}

// lockedBuffer is a buffer that several may write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
