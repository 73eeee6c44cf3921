package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/tessera/api/layout"
)

// exact reports whether a fault was found where the edit was made.
func (d *editor) exact(e *edit, p place) bool {
	rel, err := filepath.Rel(d.victim, p.File)
	if err != nil {
		return false
	}
	s := d.segments[e.target.path]
	switch {
	case rel != e.target.path && (e.with == "" || rel != e.with):
		return s != nil && e.gone && p.Seq >= 0 && uint64(p.Seq) >= s.first // where the deleted one should be
	case s != nil && e.with == "":
		return s.covers(e, p)
	case e.with != "" || e.gone:
		return true
	case e.target.kind == "bundle":
		return p.Seq < 0 || inTile(e, p, 34)
	case e.target.kind == "tile":
		return p.Seq < 0 || inTile(e, p, 32)
	}
	return true
}

// covers reports whether a fault lies in a part of the segment that was edited: header, batch header, record, filler or
// trailer. A forged record may be found by the header of the batch that follows, too.
func (s *segment) covers(e *edit, p place) bool {
	from, to := s.part(e.lo)
	if e.gone {
		return true
	}
	if e.resized { // what ends the file is then looked for in another place
		return p.Offset >= min(from, e.lo-trailerSize)
	}
	_, last := s.part(e.hi - 1)
	if e.forged {
		for _, b := range s.batches {
			if b.from <= e.lo && e.lo < b.to {
				last = b.to + batchHeader
			}
		}
		if e.lo >= s.batches[len(s.batches)-1].from {
			last = int64(len(s.data))
		}
	}
	return from <= p.Offset && p.Offset <= max(to, last) || !e.forged && s.holds(e.lo, e.hi, p.Seq)
}

// holds reports whether a record stands, or a batch begins, with this number in a range of bytes.
func (s *segment) holds(lo, hi, seq int64) bool {
	for _, b := range s.batches {
		if int64(b.first) == seq && b.from < hi && lo < b.from+batchHeader {
			return true
		}
	}
	for _, r := range s.records {
		if int64(r.first) == seq {
			return r.from < hi && lo < r.to
		}
	}
	return false
}

// names reports whether a fault names the batch that was edited first. What was zeroed in a segment that still takes
// records looks like a batch that was never completely written, and is told from one by what follows it.
func (s *segment) names(e *edit, p place) bool {
	for _, b := range s.batches {
		if b.from <= e.lo && e.lo < b.to {
			return !s.sealed && !e.forged && p.Seq == int64(b.first)
		}
	}
	return false
}

// part is the smallest part of the segment that has this byte.
func (s *segment) part(at int64) (from, to int64) {
	from, to = 0, segmentHeader
	if at >= s.end {
		return s.end, int64(len(s.data))
	}
	for _, b := range s.batches {
		if b.from <= at && at < b.to {
			from, to = b.from, b.from+batchHeader
			if at >= to {
				from = to
			}
		}
	}
	for _, r := range s.records {
		switch {
		case r.from <= at && at < r.to:
			return r.from, r.to
		case r.to <= at && r.to >= from && at >= segmentHeader:
			from, to = max(from, r.to), at+1 // what fills the batch, unless it is a header
		}
	}
	return from, to
}

// inTile reports whether a fault is at the leaf whose bytes were edited. Entries of a tile are so many bytes long.
func inTile(e *edit, p place, size int64) bool {
	level, index, ok := tileOf(e.target.path)
	if !ok {
		return false
	}
	first, last := index*256+e.lo/size, index*256+(e.hi-1)/size
	width := int64(1) << (8 * level)
	return first*width <= p.Seq && p.Seq < (last+1)*width || e.how == "truncated" || e.how == "appended to"
}

// current reports whether a file is part of a tree of this size: smaller tiles of the right edge lie about until they
// are swept away, and nobody reads them.
func current(path string, size uint64) bool {
	if !strings.Contains(path, ".p/") {
		return true
	}
	level, index, ok := tileOf(path)
	width := layout.PartialTileSize(uint64(max(level, 0)), uint64(index), size)
	return ok && strings.HasSuffix(path, fmt.Sprintf(".p/%d", width))
}

// tileOf reads level and index in the path of a tile or bundle: C2SP tlog-tiles.
func tileOf(path string) (level, index int64, ok bool) {
	rest := strings.TrimPrefix(path, "ledger/log/tile/")
	kind, rest, _ := strings.Cut(rest, "/")
	if kind != "entries" {
		n, err := strconv.ParseInt(kind, 10, 8)
		if err != nil {
			return 0, 0, false
		}
		level = n
	}
	rest, _, _ = strings.Cut(rest, ".p/")
	for _, three := range strings.Split(rest, "/") {
		n, err := strconv.ParseInt(strings.TrimPrefix(three, "x"), 10, 64)
		if err != nil {
			return 0, 0, false
		}
		index = index*1000 + n
	}
	return level, index, true
}
