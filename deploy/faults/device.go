package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
)

const (
	devicePatience = 500 * time.Millisecond // of the hub with an ill device
	sayLimit       = 15 * time.Second       // for the hub to say what is wrong, and to go on when it is not any more
	fullSize       = "32m"                  // of a disk before it gets full
	littleRoom     = 256 << 10              // that is left on it then, in bytes
	largeSize      = "256m"
)

// device is what the ledger lies on.
type device interface {
	fall(ctx context.Context) error // makes it ill, or lets it become so
	mend(ctx context.Context) error
}

// sickness is one way in which a device fails.
type sickness struct {
	name  string
	hold  time.Duration // how long it is ill, at least
	sharp bool          // from one moment on nothing can be written
	mount func(w *world, ctx context.Context, home parts.Dir) (device, func() error, error)
}

// sicknesses are all of them. Those who hang do so for as long as is asked for.
func sicknesses(hang time.Duration) []sickness {
	return []sickness{
		{"disk full", time.Second, false, mountSmall},
		{string(failing), time.Second, true, ofState(failing)},
		{string(readOnly), time.Second, true, ofState(readOnly)},
		{string(hanging), hang, true, ofState(hanging)},
	}
}

// devices lets the device under the ledger fail in each way, so many times, while the hub answers.
func (w *world) devices(ctx context.Context, rounds int, hang time.Duration, plants ...string) (*result, error) {
	r := &result{Run: "device"}
	dir, err := w.scratch("device")
	if err != nil {
		return nil, err
	}
	all := sicknesses(hang)
	for round := range rounds * len(all) {
		s := all[round%len(all)]
		if err := w.deviceOnce(ctx, r, round, s, filepath.Join(dir, fmt.Sprint(round)), plants); err != nil {
			return r, fmt.Errorf("round %d, %s: %w", round, s.name, err)
		}
		r.Rounds++
		if len(plants) > 0 && r.has(unrecorded, notStarted, damaged, leaked) {
			break
		}
	}
	return r, nil
}

// deviceOnce is one failure and its end.
func (w *world) deviceOnce(ctx context.Context, r *result, round int, s sickness, at string, plants []string) error {
	home, err := w.fresh(ctx, at)
	if err != nil {
		return err
	}
	d, undo, err := s.mount(w, ctx, home)
	if err != nil {
		return err
	}
	h, err := w.startHub(ctx, how{dir: home, patience: devicePatience, plants: plants})
	if err != nil {
		return errors.Join(err, undo())
	}
	before := len(r.Findings)
	j := &judge{result: r, round: round, strict: true}
	notes, err := w.illness(ctx, j, h, s, d, fmt.Sprintf("device-%d", round))
	if err != nil {
		_ = d.mend(ctx)
		h.kill()
		return errors.Join(err, undo())
	}
	if err := h.stop(); err != nil {
		j.add(stuck, "%v", err)
	}
	if err := j.ledger(ctx, home, notes); err != nil {
		return errors.Join(err, undo())
	}
	for i := range r.Findings[before:] {
		r.Findings[before+i].What = s.name + ": " + r.Findings[before+i].What
	}
	return undo()
}

// illness has the hub asked before, while and after the device is ill.
func (w *world) illness(ctx context.Context, j *judge, h *hub, s sickness, d device, name string) ([]*note, error) {
	l, err := w.startLoad(h, name)
	if err != nil {
		return nil, err
	}
	defer l.end()
	if !until(ctx, func() bool { return l.count() >= 50 }) {
		return nil, fmt.Errorf("the hub does not answer:\n%s", h.said.lastWords())
	}
	if err := d.fall(ctx); err != nil {
		return nil, err
	}
	fell := time.Now()
	if !until(ctx, func() bool { return h.says(ctx, true) }) {
		j.add(silent, "/readyz and lienthong_ledger_unavailable do not say that nothing can be recorded")
	}
	wait(ctx, s.hold)
	ends := time.Now()
	if err := d.mend(ctx); err != nil {
		return nil, err
	}
	had := l.count()
	if !until(ctx, func() bool { return l.count() >= had+50 && h.says(ctx, false) && h.settled(ctx) }) {
		j.add(stuck, "the device works again and the hub does not go on by itself:\n%s", h.said.lastWords())
	}
	notes := l.end()
	refused := 0
	for _, n := range notes {
		if n.unrecorded() {
			refused++
		}
		if s.sharp && n.Bytes > 0 && n.Began.After(fell) && n.Ended.Before(ends) {
			j.add(leaked, "%s: %d bytes left while nothing could be recorded", n.Case, n.Bytes)
		}
	}
	j.result.tell("refusals for want of a record: "+s.name, refused)
	if refused == 0 {
		j.add(silent, "nobody was told LEDGER_UNAVAILABLE")
	}
	return notes, nil
}

// until waits for something that the hub does by itself.
func until(ctx context.Context, holds func() bool) bool {
	for begun := time.Now(); time.Since(begun) < sayLimit && ctx.Err() == nil; wait(ctx, 20*time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}

// mountSmall puts the ledger on a disk that can get full.
func mountSmall(w *world, ctx context.Context, home parts.Dir) (device, func() error, error) {
	at := filepath.Join(string(home), "ledger")
	aside := at + ".aside"
	if err := os.Rename(at, aside); err != nil {
		return nil, nil, err
	}
	undo, err := w.mount(ctx, at, "-t", "tmpfs", "-o", "size="+fullSize, "lienthong-faults")
	if err != nil {
		return nil, nil, err
	}
	return small(at), undo, copyAll(ctx, aside, at)
}

// small is a disk of little room.
type small string

// fall leaves it room for a moment's records.
func (s small) fall(ctx context.Context) (err error) {
	for range 10 { // a size below what is in it by then is refused
		var disk syscall.Statfs_t
		if err = syscall.Statfs(string(s), &disk); err != nil {
			return err
		}
		used := (int64(disk.Blocks) - int64(disk.Bfree)) * disk.Bsize
		if err = command(ctx, "mount", "-o", fmt.Sprintf("remount,size=%d", used+littleRoom), string(s)); err == nil {
			return nil
		}
	}
	return err
}

func (s small) mend(ctx context.Context) error {
	return command(ctx, "mount", "-o", "remount,size="+largeSize, string(s))
}

// ofState puts the journal on a device that can become ill.
func ofState(state ill) func(*world, context.Context, parts.Dir) (device, func() error, error) {
	return func(w *world, _ context.Context, home parts.Dir) (device, func() error, error) {
		at := home.Ledger().Journal()
		backing := filepath.Join(string(home), "journal.backing")
		if err := os.Rename(at, backing); err != nil {
			return nil, nil, err
		}
		d, undo, err := w.mountFaulty(backing, at)
		return &sick{d, state}, undo, err
	}
}

// sick is a device with what it will have.
type sick struct {
	*faulty
	state ill
}

func (s *sick) fall(context.Context) error { s.become(s.state); return nil }
func (s *sick) mend(context.Context) error { s.become(well); return nil }
