package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/ledgertest"
	"github.com/lienthong/lienthong/gateway/ledger/notary"
	"github.com/lienthong/lienthong/proto/journal"
)

// second is what a busy hub records between two checkpoints. The notary sees the ledger grow by so many at a time.
const second = 20_000

// notarise adds the ledger to its transparency log as a hub does that never rests.
func (b *bench) notarise(ctx context.Context) (err error) {
	j, err := b.openJournal()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	n, err := notary.Open(ctx, notary.Config{
		Dir: b.path().Log(), Origin: ledger.LogOrigin(ledgertest.Origin), KeyFile: b.path().LogKey(), PublicFile: b.path().LogPub(),
		HeadFile: b.head() + ".checkpoint", Source: newGrowing(j), Interval: time.Nanosecond, Log: b.log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	m, before := start(), n.Published()
	if err := b.runNotary(ctx, n, j.Durable()); err != nil {
		return wrong("transparency log", err)
	}
	b.took(m.stage(stageNotary, int(n.Published()-before)))
	return nil
}

const stageNotary = "transparency log"

// runNotary runs it until so many records are published.
func (b *bench) runNotary(ctx context.Context, n *notary.Notary, total uint64) error {
	within, stop := context.WithCancel(ctx)
	tasks, within := errgroup.WithContext(within)
	tasks.Go(func() error { return n.Run(within) })
	tasks.Go(func() error {
		defer stop()
		progress := b.progress(stageNotary)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n.Published() < total {
			select {
			case <-within.Done():
				return ctx.Err()
			case <-tick.C:
			}
			if err := n.Err(); err != nil {
				return err
			}
			progress(n.Published(), total)
		}
		return nil
	})
	return tasks.Wait()
}

// digests is the journal as the notary reads it.
type digests struct{ *journal.Journal }

// Digests yields what the leaves of the transparency log are.
func (d digests) Digests(ctx context.Context, from, to uint64) iter.Seq2[[32]byte, error] {
	return digestsOf(d.Reader().Scan(ctx, from, to))
}

func digestsOf(entries iter.Seq2[journal.Entry, error]) iter.Seq2[[32]byte, error] {
	return func(yield func([32]byte, error) bool) {
		for entry, err := range entries {
			if !yield(entry.Digest, err) {
				return
			}
		}
	}
}

// growing is a journal that becomes longer by a second's records each time that its end was reached.
type growing struct {
	digests
	shown atomic.Uint64
}

func newGrowing(j *journal.Journal) *growing {
	g := &growing{digests: digests{j}}
	g.shown.Store(second)
	return g
}

// Durable is how many records were shown.
func (g *growing) Durable() uint64 { return min(g.shown.Load(), g.Journal.Durable()) }

// Watch shows more, until all are.
func (g *growing) Watch(ctx context.Context, after uint64) error {
	if after < g.Journal.Durable() {
		g.shown.Store(after + second)
		return nil
	}
	return g.Journal.Watch(ctx, after)
}

// index makes the index of the whole ledger.
func (b *bench) index(ctx context.Context) (err error) {
	j, err := b.openJournal()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	stored, err := ledger.OpenStored(b.path())
	if err != nil {
		return err
	}
	x, err := index.Open(ctx, index.Config{Path: b.path().Index(), Source: stored, Log: b.log})
	if err != nil {
		return err
	}
	m, before := start(), x.Indexed()
	err = x.CatchUp(ctx, b.progress(stageIndex))
	if err == nil && x.Indexed() != j.Durable() {
		err = fmt.Errorf("it has %d records and the journal %d", x.Indexed(), j.Durable())
	}
	s := m.stage(stageIndex, int(x.Indexed()-before))
	if err = errors.Join(err, x.Close()); err != nil {
		return wrong("index", err)
	}
	b.took(s)
	return nil
}

const stageIndex = "index"
