package main

import (
	"context"
	"iter"
	"math"
	"os"
	"path/filepath"
	"sync"

	"github.com/transparency-dev/tessera/api/layout"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/proto/journal"
)

const (
	shelfBits = 16      // digests that are kept in one piece: 2 MiB
	maxKept   = 1 << 24 // digests that are kept in memory at all: 512 MiB; those behind are read again
	entrySize = 2 + 32  // of a bundle of the log: length and digest
)

// leaves are the digests of the journal's records, as the check of the journal found them, so that the log is compared
// with them without reading the journal again.
type leaves struct {
	path ledger.Path
	dirs []string

	mu      sync.Mutex
	shelves map[uint64]*[1 << shelfBits]journal.Digest

	bundle []byte // the one that was read last
	index  uint64 // its number
}

func newLeaves(path ledger.Path) *leaves {
	return &leaves{path: path, dirs: path.Segments(), shelves: map[uint64]*[1 << shelfBits]journal.Digest{}}
}

// keep remembers one digest. It is called by several goroutines, with positions of their own.
func (l *leaves) keep(seq uint64, digest journal.Digest) error {
	if seq >= maxKept {
		return nil
	}
	l.mu.Lock()
	shelf := l.shelves[seq>>shelfBits]
	if shelf == nil {
		shelf = new([1 << shelfBits]journal.Digest)
		l.shelves[seq>>shelfBits] = shelf
	}
	l.mu.Unlock()
	shelf[seq%(1<<shelfBits)] = digest
	return nil
}

// all yields the digests of all positions from 0: those before next from memory, and those that came while the journal
// was checked from the journal. Where the journal has none, because it was removed after its time or is damaged, the
// log's own stands in, so that the rest of the log can be checked.
func (l *leaves) all(ctx context.Context, next uint64) iter.Seq2[[32]byte, error] {
	return func(yield func([32]byte, error) bool) {
		kept := min(next, maxKept)
		for seq := range kept {
			digest := journal.Digest{}
			if shelf := l.shelves[seq>>shelfBits]; shelf != nil {
				digest = shelf[seq%(1<<shelfBits)]
			}
			if digest == (journal.Digest{}) {
				digest = l.published(seq)
			}
			if !yield(digest, nil) {
				return
			}
		}
		r, err := journal.OpenReader(l.dirs...)
		if err != nil { // what is wrong was said when the journal was checked
			return
		}
		for e, err := range r.Scan(ctx, kept, math.MaxUint64) {
			if err != nil || !yield(e.Digest, nil) {
				return
			}
		}
	}
}

// published is what the log has at a position; zeros if it has nothing there.
func (l *leaves) published(seq uint64) (digest journal.Digest) {
	if index := seq / layout.EntryBundleWidth; l.bundle == nil || l.index != index {
		l.bundle, l.index = l.readBundle(index), index
	}
	if at := int(seq % layout.EntryBundleWidth); len(l.bundle) >= (at+1)*entrySize {
		copy(digest[:], l.bundle[at*entrySize+2:])
	}
	return digest
}

// readBundle reads a bundle of the log, or as much as there is of the last one.
func (l *leaves) readBundle(index uint64) []byte {
	path := filepath.Join(l.path.Log(), filepath.FromSlash(layout.EntriesPath(index, 0)))
	if data, err := os.ReadFile(path); err == nil {
		return data
	}
	bundle := []byte{}
	parts, _ := filepath.Glob(path + ".p/*")
	for _, part := range parts {
		if data, err := os.ReadFile(part); err == nil && len(data) > len(bundle) {
			bundle = data
		}
	}
	return bundle
}
