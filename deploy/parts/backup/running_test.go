package backup_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/deploy/parts/backup"
	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/notary"
	"github.com/lienthong/lienthong/proto/journal"
)

// busy is a journal with its log below a hub's directory, to which records are added all the time.
type busy struct {
	dir     string
	journal *journal.Journal
	public  string        // the log's key
	more    chan struct{} // a record is added for each
	stop    func()
}

// follow is the journal as the notary reads it.
type follow struct {
	*journal.Journal
	reader *journal.Reader
}

func (f follow) Digests(ctx context.Context, from, to uint64) iter.Seq2[[32]byte, error] {
	return digestsOf(f.reader.Scan(ctx, from, to))
}

func digestsOf(entries iter.Seq2[journal.Entry, error]) iter.Seq2[[32]byte, error] {
	return func(yield func([32]byte, error) bool) {
		for e, err := range entries {
			if !yield(e.Digest, err) {
				return
			}
		}
	}
}

// keepBusy opens them with the smallest segments, so that new ones begin all the time.
func keepBusy(t *testing.T) *busy {
	t.Helper()
	b := &busy{dir: t.TempDir(), more: make(chan struct{}, 1000)}
	put(t, b.dir, map[string]string{"ca.pem": "a certificate"})
	path := ledger.Path(filepath.Join(b.dir, "ledger"))
	head := filepath.Join(b.dir, "ledger.head")
	put(t, string(path), map[string]string{"keys.json": "{}"})
	var err error
	b.journal, _, err = journal.Open(journal.Config{Dir: path.Journal(), Head: head, SegmentSize: journal.MinSegmentSize})
	require.NoError(t, err)
	n, err := notary.Open(t.Context(), notary.Config{
		Dir: path.Log(), Origin: "lienthong/G06/gateway", KeyFile: path.LogKey(), PublicFile: path.LogPub(), HeadFile: head + ".checkpoint",
		Source: follow{b.journal, b.journal.Reader()}, Interval: 10 * time.Millisecond,
	})
	require.NoError(t, err)
	b.public = n.Verifier()
	ctx, cancel := context.WithCancel(t.Context())
	tasks := new(errgroup.Group)
	tasks.Go(func() error { return n.Run(ctx) })
	for i := range 4 {
		tasks.Go(func() error {
			payload := bytes.Repeat([]byte{byte('a' + i)}, 20_000) // a segment is full after fifty
			for range b.more {
				_, err := b.journal.Append(payload)
				if err != nil {
					return err
				}
				payload[0]++
			}
			return nil
		})
	}
	b.stop = sync.OnceFunc(func() {
		close(b.more)
		cancel()
		require.NoError(t, tasks.Wait())
		require.NoError(t, n.Close())
		require.NoError(t, b.journal.Close())
	})
	t.Cleanup(b.stop)
	return b
}

// add has n records added, by and by.
func (b *busy) add(n int) {
	for range n {
		b.more <- struct{}{}
	}
}

// whole checks a restored ledger with the journal's and the log's own checks, as the command does.
func whole(public string) func(context.Context, string, string) (uint64, error) {
	return func(ctx context.Context, dir, head string) (uint64, error) {
		path := ledger.Path(dir)
		j, err := journal.Check(ctx, []string{path.Journal(), path.Archive()}, journal.CheckOptions{Head: head}, nil)
		if err != nil {
			return 0, err
		}
		if len(j.Faults) > 0 {
			return 0, j.Faults[0]
		}
		r, err := journal.OpenReader(path.Journal(), path.Archive())
		if err != nil {
			return 0, err
		}
		key, err := note.NewVerifier(public)
		if err != nil {
			return 0, err
		}
		l, err := notary.Check(ctx, notary.CheckConfig{Dir: path.Log(), Key: key, Digests: digestsOf(r.Scan(ctx, 0, math.MaxUint64))})
		if err != nil {
			return 0, err
		}
		if !l.OK() {
			return 0, l.Faults[0]
		}
		return j.Next, nil
	}
}

func TestBackupsOfABusyLedgerHoldAndHaveAllThatWasAcknowledgedBefore(t *testing.T) {
	b := keepBusy(t)
	for round := range 6 {
		b.add(150) // three segments
		require.NoError(t, b.journal.Watch(t.Context(), b.journal.Durable()+uint64(5*round)))
		if round == 3 {
			ledger := ledger.Path(filepath.Join(b.dir, "ledger"))
			moved, err := journal.Archive(t.Context(), ledger.Journal(), ledger.Archive(), journal.Limit{}, "test")
			require.NoError(t, err)
			require.NotZero(t, moved.Segments)
		}
		before := b.journal.Durable()
		data, m := written(t, backup.Config{Dir: b.dir})
		require.True(t, m.Running)
		to := filepath.Join(t.TempDir(), fmt.Sprint(round))
		done, err := restored(t, data, backup.RestoreConfig{Dir: to, Check: whole(b.public)})
		require.NoError(t, err)
		require.GreaterOrEqual(t, done.Records, before)
	}
}

func TestAStoppedLedgerIsContinuedFromItsBackup(t *testing.T) {
	b := keepBusy(t)
	b.add(200)
	b.stop()
	next := b.journal.Durable()
	data, m := written(t, backup.Config{Dir: b.dir})
	require.False(t, m.Running)
	to := filepath.Join(t.TempDir(), "restored")
	done, err := restored(t, data, backup.RestoreConfig{Dir: to, Complete: true, Check: whole(b.public)})
	require.NoError(t, err)
	require.Equal(t, next, done.Records)

	path := ledger.Path(filepath.Join(to, "ledger"))
	j, found, err := journal.Open(journal.Config{Dir: path.Journal(), Head: filepath.Join(to, "ledger.head"), SegmentSize: journal.MinSegmentSize})
	require.NoError(t, err)
	require.Nil(t, found.Cut)
	n, err := notary.Open(t.Context(), notary.Config{
		Dir: path.Log(), Origin: "lienthong/G06/gateway", KeyFile: path.LogKey(), PublicFile: path.LogPub(),
		HeadFile: filepath.Join(to, "ledger.head.checkpoint"), Source: follow{j, j.Reader()},
	})
	require.NoError(t, err)
	seq, err := j.Append([]byte("the next"))
	require.NoError(t, err)
	require.Equal(t, next, seq)
	require.NoError(t, n.Close())
	require.NoError(t, j.Close())
}

// The records that came while a backup was made are in it up to some moment: its journal opens.
func TestAJournalCopiedWhileItGrowsOpens(t *testing.T) {
	b := keepBusy(t)
	b.add(200)
	require.NoError(t, b.journal.Watch(t.Context(), 50))
	data, _ := written(t, backup.Config{Dir: b.dir})
	b.stop()
	to := filepath.Join(t.TempDir(), "restored")
	done, err := restored(t, data, backup.RestoreConfig{Dir: to, Check: whole(b.public)})
	require.NoError(t, err)
	j, _, err := journal.Open(journal.Config{
		Dir: filepath.Join(done.Aside, "journal"), Head: filepath.Join(done.Aside, "head"), SegmentSize: journal.MinSegmentSize,
	})
	require.NoError(t, err)
	require.NoError(t, j.Close())
}
