package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/proto/journal"
)

const (
	indexBlock = 256 // records of a block: small, so that most of a small ledger lies in the file
	indexAsked = 12  // dossiers that are searched for after each edit
)

// editedIndex is an index of a ledger, whose file is edited. It can be made again, so that an edit need not be found:
// it must not make a search wrong.
type editedIndex struct {
	path   string // of the file
	data   []byte // as it was made
	source still
	truth  map[string]uint64 // positions of ends of exchanges, by dossier
	asked  []string
}

// newEditedIndex makes the index of a ledger that nobody writes.
func newEditedIndex(ctx context.Context, home parts.Dir, path string) (*editedIndex, error) {
	a, err := readAccount(ctx, journalDirs(home)...)
	if err != nil {
		return nil, err
	}
	r, err := journal.OpenReader(journalDirs(home)...)
	if err != nil {
		return nil, err
	}
	x := &editedIndex{path: path, source: still{r}, truth: map[string]uint64{}}
	for dossier := range a.cases {
		if f := a.ofCase(dossier); len(f.ended) == 1 {
			x.truth[dossier] = f.ended[0]
			x.asked = append(x.asked, dossier)
		}
	}
	slices.Sort(x.asked)
	if err := x.with(ctx, func(*index.Index) error { return nil }); err != nil {
		return nil, err
	}
	x.data, err = os.ReadFile(path)
	return x, err
}

// with opens the index, lets it catch up, and closes it again.
func (x *editedIndex) with(ctx context.Context, do func(*index.Index) error) error {
	ix, err := index.Open(ctx, index.Config{Path: x.path, Source: x.source, BlockSize: indexBlock, Retry: 10 * time.Millisecond})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- ix.Run(running) }()
	if !until(ctx, func() bool { return ix.Indexed() == x.source.Durable() }) {
		err = fmt.Errorf("the index stays at %d of %d: %w", ix.Indexed(), x.source.Durable(), ix.Err())
	} else {
		err = do(ix)
	}
	stop()
	return errors.Join(err, <-done, ix.Close())
}

// edit edits the file once and searches.
func (x *editedIndex) edit(ctx context.Context, j *judge, chance *rand.Rand) error {
	e := &edit{target: target{path: "ledger/index.db", kind: "index"}}
	changed, err := (&editor{}).apply(e, bytes.Clone(x.data), chance)
	if err != nil {
		return err
	}
	e.lo, e.hi = differs(x.data, changed)
	files, err := filepath.Glob(x.path + "*")
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	if !e.gone {
		if err := os.WriteFile(x.path, changed, 0o600); err != nil {
			return err
		}
	}
	j.result.Answers++
	j.result.tell("edits of an index", 1)
	if err := x.with(ctx, func(ix *index.Index) error { return x.search(ctx, ix, chance) }); err != nil {
		j.add(unfound, "%v: %v", e, err)
		return nil
	}
	j.result.Records++
	return nil
}

// search compares what the index finds with what the journal has. An index may say that it is being made again.
func (x *editedIndex) search(ctx context.Context, ix *index.Index, chance *rand.Rand) error {
	for range indexAsked {
		dossier := x.asked[chance.IntN(len(x.asked))]
		var page index.Page
		var err error
		if !until(ctx, func() bool {
			page, err = ix.Search(ctx, index.Query{Case: dossier, Kinds: []index.Kind{index.KindExchange}})
			return err == nil && page.Covered == x.source.Durable()
		}) {
			return fmt.Errorf("a search is not answered: %w", err)
		}
		if len(page.Hits) != 1 || page.Hits[0].Seq != x.truth[dossier] {
			return fmt.Errorf("dossier %s stands at %d, and %d entries were found", dossier, x.truth[dossier], len(page.Hits))
		}
	}
	return nil
}

// still is the journal of a hub that was stopped, as the index reads it.
type still struct{ *journal.Reader }

// First is the first position.
func (s still) First() uint64 { first, _ := s.Bounds(); return first }

// Durable is the position behind the last.
func (s still) Durable() uint64 { _, next := s.Bounds(); return next }

// Watch waits for what does not come.
func (s still) Watch(ctx context.Context, after uint64) error {
	if s.Durable() > after {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// Scan reads in order.
func (s still) Scan(ctx context.Context, from, to uint64) iter.Seq2[index.Entry, error] {
	return func(yield func(index.Entry, error) bool) {
		for e, err := range s.Reader.Scan(ctx, from, to) {
			if !yield(asIndexed(e), err) {
				return
			}
		}
	}
}

// Get reads one.
func (s still) Get(ctx context.Context, seq uint64) (index.Entry, error) {
	e, err := s.Reader.Get(ctx, seq)
	return asIndexed(e), err
}

func asIndexed(e journal.Entry) index.Entry {
	return index.Entry{Seq: e.Seq, Void: e.Void, Digest: e.Digest, Payload: e.Payload}
}
