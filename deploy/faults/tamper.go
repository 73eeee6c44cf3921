package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
)

const (
	tamperSegments = 3  // that the ledger has, at least, to which edits are made
	oneIndex       = 20 // one edit in so many is of the index
)

// tamper makes random edits, one at a time, to a copy of a ledger that a hub has written, and has each found.
func (w *world) tamper(ctx context.Context, edits int) (*result, error) {
	r := &result{Run: "tamper"}
	d, err := w.newEditor(ctx)
	if err != nil {
		return nil, err
	}
	x, err := newEditedIndex(ctx, parts.Dir(d.pristine), d.pristine+".index.db")
	if err != nil {
		return nil, err
	}
	chance := w.chance(r.Run, 0)
	for round := range edits {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if r.Rounds++; round%oneIndex == 0 {
			if err := x.edit(ctx, &judge{result: r, round: round}, chance); err != nil {
				return r, fmt.Errorf("edit %d: %w", round, err)
			}
			continue
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
	if s := d.segments[e.target.path]; s != nil && slices.ContainsFunc(found, func(p place) bool { return s.names(e, p) }) {
		j.result.Records++
		j.result.tell("edits found at their batch, not at their byte", 1)
		return
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
