package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/transparency-dev/tessera/api/layout"

	"github.com/lienthong/lienthong/deploy/parts"
)

// tamperSegments is how many segments the ledger has, at least, that edits are made to.
const tamperSegments = 3

// tamper makes random edits, one at a time, to a copy of a ledger that a hub has written, and has each found.
func (w *world) tamper(ctx context.Context, edits int) (*result, error) {
	r := &result{Run: "tamper"}
	d, err := w.newEditor(ctx)
	if err != nil {
		return nil, err
	}
	chance := w.chance(r.Run, 0)
	for round := range edits {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		e, err := d.change(chance)
		if err != nil {
			return r, fmt.Errorf("edit %d: %w", round, err)
		}
		r.Answers++
		r.tell("edits of a "+e.target.kind, 1)
		(&judge{result: r, round: round}).edit(ctx, d, e)
		if err := d.restore(e); err != nil {
			return r, fmt.Errorf("edit %d: %w", round, err)
		}
		r.Rounds++
	}
	return r, nil
}

// newEditor has a hub write a ledger, with an older copy on the way, and links a copy of it.
func (w *world) newEditor(ctx context.Context) (*editor, error) {
	dir, err := w.scratch("tamper")
	if err != nil {
		return nil, err
	}
	d := &editor{pristine: filepath.Join(dir, "pristine"), older: filepath.Join(dir, "older"), victim: filepath.Join(dir, "victim"), segments: map[string]*segment{}}
	home, err := w.fresh(ctx, d.pristine)
	if err != nil {
		return nil, err
	}
	if err := w.loadFor(ctx, home, "tamper-older", 300, 1); err != nil {
		return nil, err
	}
	if err := copyAll(ctx, d.pristine, d.older); err != nil {
		return nil, err
	}
	if err := w.loadFor(ctx, home, "tamper", 300, tamperSegments); err != nil {
		return nil, err
	}
	if err := d.find(ctx, home); err != nil {
		return nil, err
	}
	return d, d.healthy(ctx)
}

// loadFor has a hub answer until there are so many answers and segments, and stops it.
func (w *world) loadFor(ctx context.Context, home parts.Dir, name string, answers, segments int) error {
	h, err := w.startHub(ctx, how{dir: home})
	if err != nil {
		return err
	}
	l, err := w.startLoad(h, name)
	if err != nil {
		h.kill()
		return err
	}
	for begun := time.Now(); time.Since(begun) < time.Minute && h.running() && ctx.Err() == nil; wait(ctx, 20*time.Millisecond) {
		have, _ := filepath.Glob(filepath.Join(home.Ledger().Journal(), "0*.seg"))
		if l.count() >= answers && len(have) >= segments {
			break
		}
	}
	l.end()
	return h.stop()
}

// find lists the files that edits are made to, and links them.
func (d *editor) find(ctx context.Context, home parts.Dir) error {
	all, err := readSegments(home)
	if err != nil {
		return err
	}
	_, rep, err := checkLog(ctx, home)
	if err != nil {
		return err
	}
	if err := os.Mkdir(d.victim, 0o700); err != nil {
		return err
	}
	err = filepath.WalkDir(d.pristine, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(d.pristine, path)
		if err != nil || !strings.HasPrefix(rel, "ledger") {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(d.victim, rel), 0o700)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if kind := kindOf(rel); kind != "" && info.Size() > 0 && current(rel, rep.Leaves) {
			d.targets = append(d.targets, target{rel, kind, d.hasOlder(rel, kind)})
		}
		return os.Link(path, filepath.Join(d.victim, rel))
	})
	for _, s := range all {
		rel, _ := filepath.Rel(d.pristine, s.path)
		d.segments[rel] = s
	}
	return err
}

// hasOlder reports whether an older copy says something else. That of a segment may only lack the trailer, and the head
// may always be older: it is written once in a second.
func (d *editor) hasOlder(rel, kind string) bool {
	a, err := os.ReadFile(filepath.Join(d.pristine, rel))
	b, berr := os.ReadFile(filepath.Join(d.older, rel))
	if err != nil || berr != nil || kind == "head" {
		return false
	}
	if kind == "segment" {
		x, err := takeApart(a)
		y, yerr := takeApart(b)
		return err == nil && yerr == nil && x.end != y.end
	}
	return string(a) != string(b)
}

// healthy makes sure that there is nothing to find before the first edit.
func (d *editor) healthy(ctx context.Context) error {
	found, _, err := checkJournal(ctx, parts.Dir(d.victim))
	if err != nil {
		return err
	}
	log, _, err := checkLog(ctx, parts.Dir(d.victim))
	if found = append(found, log...); len(found) > 0 {
		return errors.Join(err, fmt.Errorf("the ledger is damaged before anything was done to it: %v", found[0]))
	}
	return err
}

// edit has one edit found, by the check of its own part alone: journal or transparency log.
func (j *judge) edit(ctx context.Context, d *editor, e *edit) {
	dir := parts.Dir(d.victim)
	var found []place
	var err error
	switch e.target.kind {
	case "segment", "head":
		found, err = findInJournal(ctx, dir)
	default:
		found, _, err = checkLog(ctx, dir)
	}
	if err != nil {
		j.add(undetected, "%v: the check itself failed: %v", e, err)
		return
	}
	if len(found) == 0 {
		j.add(undetected, "%v", e)
		return
	}
	for _, p := range found {
		if d.exact(e, p) {
			j.result.Records++
			return
		}
	}
	j.add(misplaced, "%v: found at %v", e, found)
}

// findInJournal adds to what the journal's check finds an incomplete last batch: it is cut when the journal is opened,
// and was not there when the hub stopped.
func findInJournal(ctx context.Context, dir parts.Dir) ([]place, error) {
	found, rep, err := checkJournal(ctx, dir)
	if err == nil && rep.Tail != nil {
		found = append(found, place{rep.Tail.File, rep.Tail.Offset, int64(rep.Next), "an incomplete last batch"})
	}
	return found, err
}

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
	return from <= p.Offset && p.Offset <= max(to, last)
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
