package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
)

// point is a place in the code at which the process can be killed.
type point struct {
	name   string
	passes int64 // the kill comes at one of so many passes
	writes bool  // only changes of a registry pass here
}

// points are those of an exchange and of the journal, in the order in which an exchange passes them.
var points = []point{
	{"exchange.before-intent", 60, true},
	{"exchange.after-intent", 60, true},
	{"exchange.before-ask", 300, false},
	{"exchange.after-ask", 300, false},
	{"exchange.before-record", 300, false},
	{"journal.before-write", 150, false},
	{"journal.after-write", 150, false},
	{"journal.after-sync", 150, false},
	{"journal.before-release", 150, false},
	{"exchange.before-answer", 300, false},
	{"journal.on-roll", 2, false},
	{"journal.after-roll", 2, false},
}

// crashLimit is how long the load may take to come to the point.
const crashLimit = 60 * time.Second

// crash kills the process at each point, so many times, starts it again and looks what became of each exchange.
func (w *world) crash(ctx context.Context, rounds int, plants ...string) (*result, error) {
	r := &result{Run: "crash"}
	dir, err := w.scratch("crash")
	if err != nil {
		return nil, err
	}
	for i := range rounds * len(points) {
		p := points[i%len(points)]
		if err := w.crashOnce(ctx, r, i, p, filepath.Join(dir, fmt.Sprint(i)), plants); err != nil {
			return r, fmt.Errorf("round %d, %s: %w", i, p.name, err)
		}
		r.Rounds++
		if len(plants) > 0 && r.has(unrecorded, notStarted, damaged, leaked) {
			break
		}
	}
	return r, nil
}

// crashOnce is one crash. One in three crashes with a torn tail: of what was written last and never confirmed, some
// sectors do not come to the disk.
func (w *world) crashOnce(ctx context.Context, r *result, round int, p point, at string, plants []string) error {
	chance := w.chance(r.Run, round)
	home, err := w.fresh(ctx, at)
	if err != nil {
		return err
	}
	notes, died, err := w.loadUntilDeath(ctx, home, p, chance, plants, fmt.Sprintf("crash-%d", round))
	if err != nil {
		return err
	}
	if !died {
		return fmt.Errorf("the hub did not come to the point within %v", crashLimit)
	}
	if p.name == "journal.after-write" && len(plants) == 0 {
		torn, err := tearTail(home, chance)
		if err != nil {
			return err
		}
		r.tell("torn tails", torn)
	}
	before := len(r.Findings)
	if err := w.recover(ctx, r, round, home, notes); err != nil {
		return err
	}
	for i := range r.Findings[before:] {
		r.Findings[before+i].What = p.name + ": " + r.Findings[before+i].What
	}
	return nil
}

// loadUntilDeath asks until the hub has killed itself.
func (w *world) loadUntilDeath(ctx context.Context, home parts.Dir, p point, chance *rand.Rand, plants []string, name string) ([]*note, bool, error) {
	pass := 1 + chance.Int64N(p.passes)
	h, err := w.startHub(ctx, how{dir: home, plants: plants, faults: []string{fmt.Sprintf("%s:%d:kill", p.name, pass)}})
	if errors.Is(err, errNotReady) && h == nil {
		return nil, true, nil // it was killed while it started
	}
	if err != nil {
		return nil, false, err
	}
	defer h.kill()
	l, err := w.startLoad(h, name)
	if err != nil {
		return nil, false, err
	}
	select {
	case <-h.ended:
	case <-ctx.Done():
	case <-time.After(crashLimit):
	}
	return l.end(), !h.running(), nil
}
