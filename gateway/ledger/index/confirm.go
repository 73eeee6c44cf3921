package index

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// collect reads the records of the ordinals that were found, and keeps those that match.
func (s *search) collect(ctx context.Context, start uint64, found set, hits []Hit) ([]Hit, error) {
	next := 0
	if !s.q.OldestFirst {
		next = 64 * len(found)
	}
	for len(hits) <= s.limit {
		var seqs []uint64
		seqs, next = s.some(start, found, next, s.limit+1-len(hits))
		if len(seqs) == 0 {
			return hits, nil
		}
		more, err := s.confirm(ctx, seqs)
		if err != nil {
			return nil, err
		}
		hits = append(hits, more...)
	}
	return hits, nil
}

// some takes up to n of the ordinals that were found, from next on.
func (s *search) some(start uint64, found set, next, n int) ([]uint64, int) {
	var seqs []uint64
	for len(seqs) < n && found != nil {
		var o int
		if s.q.OldestFirst {
			if o = found.first(next); o >= 0 {
				next = o + 1
			}
		} else if o = found.last(next); o >= 0 {
			next = o
		}
		if o < 0 {
			break
		}
		seqs = append(seqs, start+uint64(o))
	}
	return seqs, next
}

// Records that lie close together are read in one go: if there are at least so many, with at most so many times as
// many around them.
const (
	scanFrom   = 8
	scanSpread = 4
)

// confirm reads records, which are in the order of the search, and returns those that match.
func (s *search) confirm(ctx context.Context, seqs []uint64) ([]Hit, error) {
	low, high := min(seqs[0], seqs[len(seqs)-1]), max(seqs[0], seqs[len(seqs)-1])
	if len(seqs) >= scanFrom && high-low < uint64(scanSpread*len(seqs)) {
		return s.scan(ctx, seqs, low, high)
	}
	var hits []Hit
	for _, seq := range seqs {
		entry, err := s.x.cfg.Source.Get(ctx, seq)
		if err != nil {
			return nil, fmt.Errorf("read journal at position %d: %w", seq, err)
		}
		if hit, matches := s.compare(&entry); matches {
			hits = append(hits, hit)
		}
	}
	return hits, nil
}

// scan is confirm for records that lie close together.
func (s *search) scan(ctx context.Context, seqs []uint64, low, high uint64) ([]Hit, error) {
	seqs = slices.Clone(seqs)
	slices.Sort(seqs)
	var hits []Hit
	for entry, err := range s.x.cfg.Source.Scan(ctx, low, high+1) {
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		if entry.Seq != seqs[0] {
			continue
		}
		if hit, matches := s.compare(&entry); matches {
			hits = append(hits, hit)
		}
		if seqs = seqs[1:]; len(seqs) == 0 {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(seqs) > 0 {
		return nil, fmt.Errorf("journal does not give position %d", seqs[0])
	}
	if !s.q.OldestFirst {
		slices.Reverse(hits)
	}
	return hits, nil
}

// compare decides whether a record matches, by its own bytes.
func (s *search) compare(entry *Entry) (Hit, bool) {
	if entry.Void {
		return Hit{}, false
	}
	if s.record.read(entry.Payload) != nil {
		return Hit{entry.Seq, &hubv1.LedgerRecord{}}, s.q.selectsAll()
	}
	if !s.q.matches(&s.record) {
		return Hit{}, false
	}
	record := &hubv1.LedgerRecord{}
	if err := proto.Unmarshal(entry.Payload, record); err != nil {
		s.x.cfg.Log.Error("record does not read", slog.Uint64("seq", entry.Seq))
		record = &hubv1.LedgerRecord{}
	}
	return Hit{Seq: entry.Seq, Record: record}, true
}
