package notary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// Tessera's treeState.lock. Tessera panics in a goroutine of its own when it cannot open it.
const treeStateLock = treeState + ".lock"

// never is longer than any log is open.
const never = time.Duration(math.MaxInt64)

// grow adds the leaves up to a journal of the given length, in batches, of which it begins none after the deadline
// but the first.
func (n *Notary) grow(ctx context.Context, to uint64, deadline time.Time) error {
	for first := true; n.size < to && (first || time.Now().Before(deadline)); first = false {
		if err := n.adopt(ctx); err != nil {
			return err
		}
		if n.size >= to {
			break
		}
		count := min(to-n.size, uint64(n.cfg.Batch))
		entries, err := n.entries(ctx, n.size, n.size+count)
		if err != nil {
			return err
		}
		if err := n.add(ctx, entries); err != nil {
			return fmt.Errorf("add leaves %d to %d: %w", n.size, n.size+count-1, err)
		}
		for _, e := range entries {
			if err := n.grown.Append(e.LeafHash(), nil); err != nil {
				return err
			}
		}
		old := n.size
		n.size += count
		n.tidy(old, n.size)
	}
	return nil
}

// adopt makes sure that the tree is the one that was left, and takes over leaves that are in it already: those of a
// batch that was reported as failed after it was written. They must be the journal's.
func (n *Notary) adopt(ctx context.Context) error {
	t, err := n.store.tree()
	if errors.Is(err, fs.ErrNotExist) && n.size == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if t.Size == n.size {
		return n.own(t)
	}
	if t.Size < n.size || t.Size > n.cfg.Source.Durable() {
		return &Fault{File: treeState, Leaf: -1, What: fmt.Sprintf(
			"the tree has %d leaves, not %d: something else changed it", t.Size, n.size)}
	}
	grown, err := n.compare(ctx, t, n.signed)
	if err != nil {
		return err
	}
	if err := n.compareLeaves(ctx, n.size, t.Size); err != nil {
		return err
	}
	n.size, n.grown = t.Size, grown
	return n.mend(ctx, n.size)
}

// own makes sure that a tree as the files say it is that which the journal's records make.
func (n *Notary) own(t tree) error {
	root, err := rootOf(n.grown)
	if err != nil {
		return err
	}
	if t.Size != n.grown.End() || !bytes.Equal(root, t.Root) {
		return fmt.Errorf("%w: %w", ErrDisagrees, &Fault{File: treeState, Leaf: -1, What: fmt.Sprintf(
			"is not the tree of the journal's first %d records: files of the log were damaged or changed; run lienthong "+
				"ledger check, or move the directories tile and %s away, and the log is built again", n.grown.End(), stateDir)})
	}
	return nil
}

// entries makes the leaves [from, to).
func (n *Notary) entries(ctx context.Context, from, to uint64) ([]*tessera.Entry, error) {
	entries := make([]*tessera.Entry, 0, to-from)
	data := make([]byte, 0, hashSize*(to-from)) // one block for all: each leaf is a piece of it
	for digest, err := range n.cfg.Source.Digests(ctx, from, to) {
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		if uint64(len(entries)) == to-from {
			break
		}
		data = append(data, digest[:]...)
		entries = append(entries, tessera.NewEntry(data[len(data)-hashSize:len(data):len(data)]))
	}
	if uint64(len(entries)) != to-from {
		return nil, fmt.Errorf("read journal: it gave %d of the records %d to %d", len(entries), from, to-1)
	}
	return entries, nil
}

// add appends one batch. It uses an appender for this batch alone, whose batch size is the batch's own: so the last
// entry sends all of them on at once, in order, from this goroutine. An appender that lives longer sends by timer,
// too, and can put two parts of a batch in the wrong order, which a log keeps for ever. It is the driver's own
// appender: Tessera's wrapping costs a span, a metric and six allocations per leaf.
func (n *Notary) add(ctx context.Context, entries []*tessera.Entry) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the log's directory cannot be used: %v", p) // Tessera panics when it cannot lock
		}
	}()
	// Not the caller's context: a batch that has begun is waited for.
	if n.stuck {
		return errStuck
	}
	batch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	appender, err := n.appender(batch, uint(len(entries)))
	if err != nil {
		return err
	}
	futures := make([]tessera.IndexFuture, len(entries))
	last := len(entries) - 1
	for i, e := range entries[:last] {
		futures[i] = appender.Add(batch, e)
	}
	if err := n.lockable(); err != nil {
		return err
	}
	futures[last] = appender.Add(batch, entries[last])
	return n.await(ctx, futures)
}

func (n *Notary) appender(ctx context.Context, size uint) (*tessera.Appender, error) {
	driver, err := posix.New(ctx, posix.Config{Path: n.cfg.Dir})
	if err != nil {
		return nil, err
	}
	opts := tessera.NewAppendOptions().
		WithCheckpointSigner(mute{n.signer}).
		WithBatching(size, never).
		WithCheckpointInterval(never).
		WithCheckpointRepublishInterval(0).
		WithGarbageCollectionInterval(0)
	appender, _, err := driver.(*posix.Storage).Appender(ctx, opts)
	return appender, err
}

// lockable tells that Tessera will be able to take its lock. There is no other way to survive a full table of files
// or a disk that became read-only.
func (n *Notary) lockable() error {
	f, err := os.OpenFile(n.store.path(treeStateLock), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// hung is how long a disk may take for a batch before Err says so, and how long Run waits for one when it must end.
const hung = 10 * time.Second

var errStuck = errors.New("the disk of the log does not answer")

// await waits for a whole batch and checks that each leaf is where it belongs.
func (n *Notary) await(ctx context.Context, futures []tessera.IndexFuture) error {
	slow := time.AfterFunc(hung, func() { n.fail(fmt.Errorf("the disk of the log has not answered for %v", hung)) })
	defer slow.Stop()
	done := make(chan error, 1)
	go func() { done <- n.placed(futures) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(hung):
		n.stuck = true // and may wake up: no other batch may be written beside it
		return errStuck
	}
}

func (n *Notary) placed(futures []tessera.IndexFuture) error {
	for i, future := range futures {
		got, err := future()
		if err != nil {
			return err
		}
		if want := n.size + uint64(i); got.Index != want {
			n.cfg.Log.Error("a leaf is in the wrong place", slog.Uint64("index", got.Index), slog.Uint64("record", want))
			return fmt.Errorf("%w: record %d became leaf %d", ErrDisagrees, want, got.Index)
		}
	}
	return nil
}

// mute keeps Tessera from publishing by itself: publish does it, which first makes sure that it may.
type mute struct{ note.Signer }

// Sign refuses.
func (mute) Sign([]byte) ([]byte, error) {
	return nil, errors.New("checkpoints are published elsewhere")
}
