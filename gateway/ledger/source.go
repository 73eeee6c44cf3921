package ledger

import (
	"context"
	"iter"
	"time"

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

// shown is a journal as the index reads it: with hashes of data subjects by which people are found.
type shown struct {
	reader   *journal.Reader
	blinding *blinding
}

// First is the first position that is kept.
func (s shown) First() uint64 {
	first, _ := s.reader.Bounds()
	return first
}

// Scan yields records in order.
func (s shown) Scan(ctx context.Context, from, to uint64) iter.Seq2[index.Entry, error] {
	return func(yield func(index.Entry, error) bool) {
		var payload []byte
		for entry, err := range s.reader.Scan(ctx, from, to) {
			payload = append(payload[:0], entry.Payload...) // what the journal yields is the journal's
			entry.Payload = payload
			if !yield(s.entry(entry), err) {
				return
			}
		}
	}
}

// Get reads one record.
func (s shown) Get(ctx context.Context, seq uint64) (index.Entry, error) {
	entry, err := s.reader.Get(ctx, seq)
	return s.entry(entry), err
}

func (s shown) entry(e journal.Entry) index.Entry {
	eachHash(e.Payload, s.blinding.show)
	return index.Entry{Seq: e.Seq, Void: e.Void, Digest: e.Digest, Payload: e.Payload}
}

// entries is the ledger's own journal as the index reads it.
type entries struct {
	*journal.Journal
	shown
}

// Stored is a ledger's journal that nobody writes to, as the index reads it.
type Stored struct{ shown }

// OpenStored opens the journal of a ledger that does not run. It needs the ledger's keys: an index made without them
// would find nobody.
func OpenStored(path Path) (*Stored, error) {
	s, err := openSecrets(path.Keys(), false, time.Time{})
	if err != nil {
		return nil, err
	}
	b, err := newBlinding(newKeyed(s.Receipt))
	if err != nil {
		return nil, err
	}
	r, err := journal.OpenReader(path.Segments()...)
	return &Stored{shown{r, b}}, err
}

// Hide hides the hashes of data subjects in a record, in place on its canonical bytes, as the ledger itself would have
// kept it.
func (s *Stored) Hide(record []byte) { eachHash(record, s.blinding.hideOne) }

// Durable is how many positions there are.
func (s *Stored) Durable() uint64 {
	_, next := s.reader.Bounds()
	return next
}

// Watch waits for what never comes.
func (s *Stored) Watch(ctx context.Context, after uint64) error {
	if s.Durable() > after {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}
