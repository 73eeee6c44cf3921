package index

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Hit is a record that was found.
type Hit struct {
	// Seq is its position.
	Seq uint64
	// Record is what the journal has there. A record that does not read has no event.
	Record *hubv1.LedgerRecord
}

// Page is a part of what was found.
type Page struct {
	// Hits are the newest first, unless Query.OldestFirst.
	Hits []Hit
	// Next is the cursor of the next page; empty when there is none by now.
	Next string
	// Covered is how many positions of the journal were searched: all below it. What came later is not in the page.
	Covered uint64
}

// maxMends is how many damaged blocks one search has made again. More are the index's end.
const maxMends = 4

// Search finds records. It fails with ErrQuery or ErrCursor for what can never be answered. Damage to the index that
// it comes upon is mended first.
func (x *Index) Search(ctx context.Context, q Query) (Page, error) {
	if err := q.check(); err != nil {
		return Page{}, err
	}
	s := &search{x: x, q: &q, conditions: q.conditions(), limit: q.Limit}
	if s.limit == 0 {
		s.limit = defaultLimit
	}
	if err := s.begin(); err != nil {
		return Page{}, err
	}
	var page Page
	err := x.withMending(ctx, func() (err error) {
		page, err = s.page(ctx)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	return page, nil
}

// withMending runs something that reads the index, and again when damage was mended.
func (x *Index) withMending(ctx context.Context, read func() error) error {
	x.gate.RLock()
	defer x.gate.RUnlock()
	for mends := 0; ; mends++ {
		if x.condemned.Load() {
			return errors.New("ledger index is damaged and being made again: ask again in a minute")
		}
		err := read()
		var d *damage
		if !errors.As(err, &d) {
			return err
		}
		if mends == maxMends {
			x.condemn(d)
			return err
		}
		if err := x.mend(ctx, d); err != nil {
			return err
		}
	}
}

// search is one search on its way.
type search struct {
	x          *Index
	q          *Query
	conditions []condition
	limit      int
	from, to   uint64 // positions that are left to search: from ≤ seq < to

	view   view
	record terms
}

// view is what the index has when the search begins.
type view struct {
	blocks []*sealed
	live   *live
	n      int // positions of the live block
	end    uint64
}

func (x *Index) view() view {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return view{x.blocks, x.live, x.live.n, x.live.start() + uint64(x.live.n)}
}

// begin finds the positions to search.
func (s *search) begin() error {
	s.from, s.to = s.q.After, ^uint64(0)
	if s.q.Cursor == "" {
		return nil
	}
	seq, err := s.q.after()
	if err != nil {
		return err
	}
	if s.q.OldestFirst {
		s.from = seq + 1
	} else {
		s.to = seq
	}
	return nil
}

// page collects hits block by block, and one more to know whether there is a next page.
func (s *search) page(ctx context.Context) (Page, error) {
	s.view = s.x.view()
	from, to := max(s.from, s.x.cfg.Source.First()), min(s.to, s.view.end)
	var hits []Hit
	for i := range s.blocks() {
		if err := ctx.Err(); err != nil {
			return Page{}, err
		}
		start := s.blockStart(i)
		if start >= to || start+uint64(s.x.cfg.BlockSize) <= from {
			continue
		}
		found, err := s.block(ctx, i, int(max(from, start)-start), int(min(to-start, uint64(s.x.cfg.BlockSize))))
		if err != nil {
			return Page{}, err
		}
		if hits, err = s.collect(ctx, start, found, hits); err != nil {
			return Page{}, err
		}
		if len(hits) > s.limit {
			break
		}
	}
	page := Page{Hits: hits, Covered: s.view.end}
	if len(hits) > s.limit {
		page.Hits = hits[:s.limit]
		page.Next = s.q.cursor(hits[s.limit-1].Seq)
	}
	return page, nil
}

// blocks yields the numbers of the blocks, the live one included, in the order of the search.
func (s *search) blocks() func(func(int) bool) {
	n := len(s.view.blocks) + 1
	return func(yield func(int) bool) {
		for i := range n {
			if !s.q.OldestFirst {
				i = n - 1 - i
			}
			if !yield(i) {
				return
			}
		}
	}
}

func (s *search) blockStart(i int) uint64 {
	if i < len(s.view.blocks) {
		return s.view.blocks[i].start()
	}
	return s.view.live.start()
}

// block returns the ordinals of a block that may match, of those from ≤ ordinal < to.
func (s *search) block(ctx context.Context, i, from, to int) (set, error) {
	if i == len(s.view.blocks) {
		return s.liveBlock(from, min(to, s.view.n)), nil
	}
	b := s.view.blocks[i]
	from, to, err := s.narrow(ctx, b, from, to)
	if err != nil || from >= to {
		return nil, err
	}
	found := newSet(b.size)
	found.addRange(from, to)
	for _, c := range s.conditions {
		have := newSet(b.size)
		for _, span := range c.all() {
			if err := s.x.find(ctx, b, c.col, span, have); err != nil {
				return nil, err
			}
		}
		if !found.keep(have) {
			return nil, nil
		}
	}
	return found, nil
}

// narrow leaves the ordinals whose time may be in the query's range. What is kept of times are the latest so far: a
// record's own is that or earlier, by as much as the block says at most.
func (s *search) narrow(ctx context.Context, b *sealed, from, to int) (int, int, error) {
	q := s.q
	if (!q.From.IsZero() && b.latest < nanos(q.From)) || (!q.To.IsZero() && b.earliest >= nanos(q.To)) {
		return 0, 0, nil
	}
	if !q.From.IsZero() && b.earliest < nanos(q.From) {
		o, err := s.x.notBefore(ctx, b, nanos(q.From))
		if err != nil {
			return 0, 0, err
		}
		from = max(from, o)
	}
	if end := after(q.To, b.late); !q.To.IsZero() && b.latest >= end {
		o, err := s.x.notBefore(ctx, b, end)
		if err != nil {
			return 0, 0, err
		}
		to = min(to, o)
	}
	return from, to, nil
}

// all are the condition's spans, those of keys too.
func (c *condition) all() []span {
	if c.keys == nil {
		return c.spans
	}
	spans := make([]span, len(c.keys))
	for i, k := range c.keys {
		spans[i] = keySpan(k)
	}
	return spans
}

// liveBlock is block for the one in memory.
func (s *search) liveBlock(from, to int) set {
	s.x.mu.RLock()
	defer s.x.mu.RUnlock()
	b := s.view.live
	from, to = s.narrowLive(b, from, to)
	if from >= to {
		return nil
	}
	found := newSet(b.size)
	found.addRange(from, to)
	for _, c := range s.conditions {
		have := newSet(b.size)
		for _, k := range c.keys {
			b.findKey(c.col, k, have)
		}
		for _, span := range c.spans {
			b.find(c.col, span, have)
		}
		if !found.keep(have) {
			return nil
		}
	}
	return found
}

// narrowLive is narrow for the block in memory.
func (s *search) narrowLive(b *live, from, to int) (int, int) {
	if !s.q.From.IsZero() {
		o, _ := slices.BinarySearch(b.times, nanos(s.q.From))
		from = max(from, o)
	}
	if !s.q.To.IsZero() {
		o, _ := slices.BinarySearch(b.times, after(s.q.To, b.late))
		to = min(to, o)
	}
	return from, to
}

// after is that much after a time, or the end of all times.
func after(t time.Time, late int64) int64 {
	if at := nanos(t); at <= math.MaxInt64-late {
		return at + late
	}
	return math.MaxInt64
}
