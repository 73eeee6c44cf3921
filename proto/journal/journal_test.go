package journal

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// small is a journal with the smallest segments in a directory of the test's own.
func small(t testing.TB) Config {
	dir := t.TempDir()
	return Config{Dir: filepath.Join(dir, "journal"), Head: filepath.Join(dir, "head"), SegmentSize: MinSegmentSize,
		Patience: 20 * time.Second}
}

// lazyDisk syncs nothing: for tests that open journals by the thousand.
type lazyDisk struct{ Disk }

type lazyFile struct{ File }

func (d lazyDisk) Create(path string) (File, error) {
	f, err := d.Disk.Create(path)
	return lazyFile{f}, err
}

func (d lazyDisk) Open(path string) (File, error) {
	f, err := d.Disk.Open(path)
	return lazyFile{f}, err
}

func (lazyDisk) SyncDir(string) error { return nil }
func (lazyFile) Datasync() error      { return nil }
func (lazyFile) Sync() error          { return nil }

func open(t testing.TB, cfg Config) (*Journal, *Recovery) {
	t.Helper()
	j, rec, err := Open(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j, rec
}

// fill appends records from several goroutines and returns the payload of each sequence number.
func fill(t testing.TB, j *Journal, n, appenders int) map[uint64]string {
	t.Helper()
	var mu sync.Mutex
	kept := map[uint64]string{}
	var wg sync.WaitGroup
	for a := range appenders {
		wg.Go(func() {
			for i := range n / appenders {
				p := fmt.Sprintf("record %d of appender %d %s", i, a, bytes.Repeat([]byte{'x'}, i%700))
				seq, err := j.Append([]byte(p))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				kept[seq] = p
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return kept
}

// read returns everything a reader yields, as text by sequence number, and checks that digests add up.
func read(t testing.TB, r *Reader) map[uint64]string {
	t.Helper()
	got := map[uint64]string{}
	first, _ := r.Bounds()
	prev := Digest{}
	for e, err := range r.Scan(context.Background(), first, 1<<63) {
		require.NoError(t, err)
		if e.Seq > first || first == 0 {
			require.Equal(t, prev, e.Prev)
		}
		prev = e.Digest
		if e.Void {
			require.Equal(t, SumVoid(e.Seq, e.Prev), e.Digest)
			continue
		}
		require.Equal(t, Sum(e.Salt, e.Seq, e.Prev, e.Payload), e.Digest)
		got[e.Seq] = string(e.Payload)
	}
	return got
}

func TestWhatWasAppendedIsReadBackInOrder(t *testing.T) {
	cfg := small(t)
	j, rec := open(t, cfg)
	require.Zero(t, rec.Next)
	kept := fill(t, j, 6000, 30)
	require.EqualValues(t, 6000, j.Durable())
	require.Len(t, kept, 6000)
	require.Equal(t, kept, read(t, j.Reader()))
	beside, err := OpenReader(cfg.Dir)
	require.NoError(t, err)
	require.Equal(t, kept, read(t, beside))

	require.NoError(t, j.Close())
	j, rec = open(t, cfg)
	require.EqualValues(t, 6000, rec.Next)
	require.Nil(t, rec.Cut)
	seq, err := j.Append([]byte("after"))
	require.NoError(t, err)
	require.EqualValues(t, 6000, seq)
	kept[6000] = "after"
	require.Equal(t, kept, read(t, j.Reader()))
	for seq, p := range kept {
		e, err := j.Reader().Get(t.Context(), seq)
		require.NoError(t, err)
		require.Equal(t, p, string(e.Payload))
		if seq%7 == 0 {
			break
		}
	}
}
