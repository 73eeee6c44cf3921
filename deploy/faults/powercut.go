package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
)

// diskSize is the size of a hub's disk in bytes.
const diskSize = 192 << 20

// powerCut takes a hub's power away while it answers, and looks what is left: a copy of its disk at one instant, without
// what only the page cache knew.
func (w *world) powerCut(ctx context.Context, rounds int, plants ...string) (*result, error) {
	r := &result{Run: "powercut"}
	dir, err := w.scratch("powercut")
	if err != nil {
		return nil, err
	}
	template, err := w.diskTemplate(ctx, dir)
	if err != nil {
		return nil, err
	}
	for round := range rounds {
		if err := w.cutOnce(ctx, r, round, dir, template, plants); err != nil {
			return r, fmt.Errorf("round %d: %w", round, err)
		}
		r.Rounds++
		if len(plants) > 0 && r.has(unrecorded, notStarted, damaged, leaked) {
			break // that is what the round was for
		}
	}
	return r, nil
}

// diskTemplate makes a disk with a hub's directory on it.
func (w *world) diskTemplate(ctx context.Context, dir string) (*image, error) {
	disk, err := makeImage(ctx, filepath.Join(dir, "template.img"), diskSize)
	if err != nil {
		return nil, err
	}
	at := filepath.Join(dir, "disk")
	undo, err := disk.mount(ctx, w, at)
	if err != nil {
		return nil, err
	}
	_, err = w.fresh(ctx, filepath.Join(at, "hub"))
	return disk, errors.Join(err, undo())
}

// cutOnce is one power cut.
func (w *world) cutOnce(ctx context.Context, r *result, round int, dir string, template *image, plants []string) error {
	chance := w.chance(r.Run, round)
	before, err := template.copy(ctx, filepath.Join(dir, "before.img"))
	if err != nil {
		return err
	}
	at := filepath.Join(dir, "disk")
	undo, err := before.mount(ctx, w, at)
	if err != nil {
		return err
	}
	home := parts.Dir(filepath.Join(at, "hub"))
	h, err := w.startHub(ctx, how{dir: home, plants: plants})
	if err != nil {
		return errors.Join(err, undo())
	}
	load, err := w.startLoad(h, fmt.Sprintf("cut-%d", round))
	if err != nil {
		h.kill()
		return errors.Join(err, undo())
	}
	wait(ctx, 50*time.Millisecond+time.Duration(chance.Int64N(int64(1500*time.Millisecond))))
	after, err := cut(ctx, h, before, filepath.Join(dir, "after.img"))
	notes := load.end()
	if err = errors.Join(err, undo()); err != nil {
		return err
	}
	defer os.Remove(after.path)
	if undo, err = after.mount(ctx, w, at); err != nil {
		return err
	}
	return errors.Join(w.recover(ctx, r, round, home, notes), undo())
}

// cut freezes the hub, copies its disk, and ends it.
func cut(ctx context.Context, h *hub, disk *image, to string) (*image, error) {
	defer h.kill()
	if err := h.freeze(ctx); err != nil {
		return nil, err
	}
	return disk.copy(ctx, to)
}

// recover starts the hub on what is left, without doing anything to it by hand, asks it once, stops it, and compares
// its ledger with the notes.
func (w *world) recover(ctx context.Context, r *result, round int, home parts.Dir, notes []*note) error {
	j := &judge{result: r, round: round}
	h, err := w.startHub(ctx, how{dir: home})
	if errors.Is(err, errNotReady) {
		j.add(notStarted, "%v", err)
		return nil
	}
	if err != nil {
		return err
	}
	after, err := w.askOnce(h, fmt.Sprintf("%s-%d-after", r.Run, round))
	if err == nil && !after.answered() {
		j.add(stuck, "after the start the hub does not answer: %+v", after.Refusal)
	}
	if err == nil {
		err = w.searches(ctx, j, h, notes)
	}
	if err = errors.Join(err, h.stop()); err != nil {
		return err
	}
	return j.ledger(ctx, home, append(notes, after))
}

// askOnce makes one call.
func (w *world) askOnce(h *hub, name string) (*note, error) {
	l := &load{world: w}
	var err error
	if l.reads, err = dial(h, desk); err != nil {
		return nil, err
	}
	defer func() { _ = l.reads.Close() }()
	return l.ask(name, false), nil
}

// wait waits so long, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
