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
	open map[exchange.ID]openIntent
}

// openIntent is where the record of an intent stands.
type openIntent struct {
	seq       uint64
	uncertain bool // whether it stands there was not known when its exchange went on
}

func (i *intents) begin(id exchange.ID) { i.at(id, openIntent{}) }

// at notes where an intent stands.
func (i *intents) at(id exchange.ID, where openIntent) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.open == nil {
		i.open = map[exchange.ID]openIntent{}
	}
	i.open[id] = where
}

func (i *intents) find(id exchange.ID) (where openIntent, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	where, ok = i.open[id]
	return where, ok
}

func (i *intents) has(id exchange.ID) bool {
	_, ok := i.find(id)
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
	last, err := l.newest(ctx, first, next, func(*hubv1.LedgerRecord) bool { return true })
	if err != nil {
		return left{}, fmt.Errorf("look for what was left open: %w", err)
	}
	if last == nil {
		return left{}, nil
	}
	l.clock.start(last.record.GetTime().AsTime())
	if last.record.GetNotice().GetClosed() != nil {
		return left{clean: true}, nil
	}
	from, err := l.lookFrom(ctx, first, next)
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
	all := left{}
	for id, seq := range open {
		all.intents = append(all.intents, leftIntent{id, seq})
	}
	return all, nil
}

// lookFrom is from where on what is left open can stand. Start-ups that ended before they had recorded everything do
// not count, however late they were; and an intent may have been left by a device that was away for long and then
// worked for a moment, so that what was there before counts as well.
func (l *Ledger) lookFrom(ctx context.Context, first, next uint64) (uint64, error) {
	from := next
	for range 2 {
		newest, err := l.newest(ctx, first, from, func(r *hubv1.LedgerRecord) bool {
			return r.GetNotice().GetOpened() == nil && r.GetNotice().GetInDoubt() == nil
		})
		if err != nil {
			return 0, err
		}
		if newest == nil {
			return first, nil
		}
		if from, err = l.firstSince(ctx, first, newest.seq, newest.time.Add(-looksBack)); err != nil {
			return 0, err
		}
	}
	return from, nil
}

// found is a record of the journal.
type found struct {
	seq    uint64
	time   time.Time // the journal's
	record *hubv1.LedgerRecord
}

// newest is the newest record of a kind before next; nil if there is none.
func (l *Ledger) newest(ctx context.Context, first, next uint64, is func(*hubv1.LedgerRecord) bool) (*found, error) {
	for seq := next; seq > first; seq-- {
		entry, err := l.reader.Get(ctx, seq-1)
		if err != nil {
			return nil, err
		}
		if entry.Void {
			continue
		}
		record := new(hubv1.LedgerRecord)
		if err := proto.Unmarshal(entry.Payload, record); err != nil {
			return nil, fmt.Errorf("record %s: %w", l.position(entry.Seq), err)
		}
		if is(record) {
			return &found{entry.Seq, entry.Time, record}, nil
		}
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
