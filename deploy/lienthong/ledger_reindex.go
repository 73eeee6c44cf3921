package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/proto/journal"
)

// ledgerReindex makes the index again from the journal.
type ledgerReindex struct {
	ledgerPlace
}

// Help is shown below the command's usage.
func (ledgerReindex) Help() string {
	return `The index is what searches read; all that is in it comes from the journal. The hub must be stopped. The new index takes
the old one's place when it is whole.`
}

// Run makes it.
func (c *ledgerReindex) Run(ctx context.Context, top *cli) error {
	path, err := c.find(top)
	if err != nil {
		return err
	}
	if err := stopped(path.Journal()); err != nil {
		return err
	}
	source, err := openStored(path)
	if err != nil {
		return err
	}
	began := time.Now()
	shown := newProgress(top, "making the index", "records")
	err = index.Rebuild(ctx, index.Config{Path: path.Index(), Source: source, Log: top.logger()}, func(done, total uint64) {
		shown.at(int64(done), int64(total))
	})
	shown.end()
	if ctx.Err() != nil {
		return errors.New("stopped; the index is as it was")
	}
	if err != nil {
		return err
	}
	took := time.Since(began)
	if top.JSON {
		return printJSON(map[string]any{"records": source.Durable(), "seconds": took.Seconds()})
	}
	_, err = fmt.Fprintf(stdout, "%d records in %v\n", source.Durable(), took.Round(time.Millisecond))
	return err
}

// stored is a journal that nobody writes to, as the index reads it.
type stored struct {
	*journal.Reader
}

func openStored(path ledger.Path) (stored, error) {
	r, err := journal.OpenReader(newLeaves(path).dirs...)
	return stored{r}, err
}

// First is the first position that is kept.
func (s stored) First() uint64 {
	first, _ := s.Bounds()
	return first
}

// Durable is how many positions there are.
func (s stored) Durable() uint64 {
	_, next := s.Bounds()
	return next
}

// Watch waits for what never comes.
func (s stored) Watch(ctx context.Context, after uint64) error {
	if s.Durable() > after {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// Scan reads positions in order.
func (s stored) Scan(ctx context.Context, from, to uint64) iter.Seq2[index.Entry, error] {
	return func(yield func(index.Entry, error) bool) {
		for e, err := range s.Reader.Scan(ctx, from, to) {
			if !yield(index.Entry{Seq: e.Seq, Void: e.Void, Digest: e.Digest, Payload: e.Payload}, err) {
				return
			}
		}
	}
}

// Get reads one position.
func (s stored) Get(ctx context.Context, seq uint64) (index.Entry, error) {
	e, err := s.Reader.Get(ctx, seq)
	return index.Entry{Seq: e.Seq, Void: e.Void, Digest: e.Digest, Payload: e.Payload}, err
}
