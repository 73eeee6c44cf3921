package ledger

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/proto/bus"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// intents are those of this run that have no outcome yet. Its zero value is ready.
type intents struct {
	mu   sync.Mutex
	open map[exchange.ID]struct{}
}

func (i *intents) begin(id exchange.ID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.open == nil {
		i.open = map[exchange.ID]struct{}{}
	}
	i.open[id] = struct{}{}
}

func (i *intents) has(id exchange.ID) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, ok := i.open[id]
	return ok
}

func (i *intents) end(ids ...exchange.ID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, id := range ids {
		delete(i.open, id)
	}
}

func (i *intents) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.open)
}

func (i *intents) none() bool { return i.count() == 0 }

// left is what the last run left.
type left struct {
	clean   bool // closed in good order, or new
	intents []leftIntent
}

// leftIntent is an intent without outcome.
type leftIntent struct {
	id  exchange.ID
	seq uint64
}

// looksBack is how long before its last record a run may have begun what it left open: an exchange lives that long,
// and its record may have waited.
const looksBack = 2 * bus.MaxLife

// leftOpen looks for intents of the last run that have no outcome.
func (l *Ledger) leftOpen(ctx context.Context) (left, error) {
	reader := l.reader
	first, next := reader.Bounds()
	if next == first {
		return left{clean: true}, nil
	}
	last, err := l.lastRecord(ctx, first, next)
	if err != nil {
		return left{}, fmt.Errorf("look for what was left open: %w", err)
	}
	if last == nil {
		return left{}, nil
	}
	l.clock.start(last.GetTime().AsTime())
	if last.GetNotice().GetClosed() != nil {
		return left{clean: true}, nil
	}
	from, err := l.firstSince(ctx, first, next, last.GetTime().AsTime().Add(-looksBack))
	if err != nil {
		return left{}, fmt.Errorf("look for what was left open: %w", err)
	}
	open := map[exchange.ID]uint64{}
	for entry, err := range reader.Scan(ctx, from, next) {
		if err != nil {
			return left{}, fmt.Errorf("look for what was left open: %w", err)
		}
		if err := follow(open, entry.Seq, entry.Payload, entry.Void); err != nil {
			return left{}, fmt.Errorf("record %s: %w", l.position(entry.Seq), err)
		}
	}
	found := left{}
	for id, seq := range open {
		found.intents = append(found.intents, leftIntent{id, seq})
	}
	return found, nil
}

// lastRecord is the newest that is not void; nil if there is none.
func (l *Ledger) lastRecord(ctx context.Context, first, next uint64) (*hubv1.LedgerRecord, error) {
	for seq := next; seq > first; seq-- {
		entry, err := l.reader.Get(ctx, seq-1)
		if err != nil {
			return nil, err
		}
		if entry.Void {
			continue
		}
		record := new(hubv1.LedgerRecord)
		return record, proto.Unmarshal(entry.Payload, record)
	}
	return nil, nil
}

// firstSince finds the first record that was made at a time or later, by the journal's clock, which never goes back.
func (l *Ledger) firstSince(ctx context.Context, first, next uint64, since time.Time) (uint64, error) {
	for first < next {
		middle := first + (next-first)/2
		entry, err := l.reader.Get(ctx, middle)
		if err != nil {
			return 0, err
		}
		if entry.Time.Before(since) {
			first = middle + 1
		} else {
			next = middle
		}
	}
	return first, nil
}

// follow keeps account of what is open.
func follow(open map[exchange.ID]uint64, seq uint64, payload []byte, void bool) error {
	if void {
		return nil
	}
	var record hubv1.LedgerRecord
	if err := proto.Unmarshal(payload, &record); err != nil {
		return err
	}
	switch {
	case record.GetIntent() != nil:
		open[exchange.ID(record.GetIntent().GetExchangeId())] = seq
	case record.GetExchange() != nil:
		delete(open, exchange.ID(record.GetExchange().GetId()))
	case record.GetNotice().GetInDoubt() != nil:
		delete(open, exchange.ID(record.GetNotice().GetInDoubt().GetExchangeId()))
	case record.GetNotice().GetNotAnswered() != nil:
		for _, id := range record.GetNotice().GetNotAnswered().GetExchangeIds() {
			delete(open, exchange.ID(id))
		}
	}
	return nil
}
