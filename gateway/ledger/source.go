package ledger

import (
	"context"
	"iter"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/proto/journal"
)

// digests is the journal as the notary reads it.
type digests struct {
	*journal.Journal
	reader *journal.Reader
}

// Digests yields what the leaves of the transparency log are.
func (d digests) Digests(ctx context.Context, from, to uint64) iter.Seq2[[32]byte, error] {
	return func(yield func([32]byte, error) bool) {
		for entry, err := range d.reader.Scan(ctx, from, to) {
			if !yield(entry.Digest, err) {
				return
			}
		}
	}
}

// entries is the journal as the index reads it.
type entries struct {
	*journal.Journal
	reader *journal.Reader
}

// First is the first position that is kept.
func (e entries) First() uint64 {
	first, _ := e.reader.Bounds()
	return first
}

// Scan yields records in order.
func (e entries) Scan(ctx context.Context, from, to uint64) iter.Seq2[index.Entry, error] {
	return func(yield func(index.Entry, error) bool) {
		for entry, err := range e.reader.Scan(ctx, from, to) {
			if !yield(indexed(entry), err) {
				return
			}
		}
	}
}

// Get reads one record.
func (e entries) Get(ctx context.Context, seq uint64) (index.Entry, error) {
	entry, err := e.reader.Get(ctx, seq)
	return indexed(entry), err
}

func indexed(e journal.Entry) index.Entry {
	return index.Entry{Seq: e.Seq, Void: e.Void, Digest: e.Digest, Payload: e.Payload}
}
