package guard

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Why says which limit led to a stop.
type Why string

// The limits.
const (
	Guessing Why = "guessing" // an officer missed too many
	Officers Why = "officers" // too many officers were stopped
	Unnamed  Why = "unnamed"  // calls that name no officer missed too many
	Total    Why = "total"    // all officers together missed too many
)

// Stop is that an officer, or all of an agency, may not ask for a purpose until it is released.
type Stop struct {
	Agency, Purpose string
	Officer         string // empty: nobody of the agency may
	Since           time.Time
	Misses, Matches uint64 // in the window, when it was stopped
	Why             Why
}

func (s Stop) who() who { return who{s.Agency, s.Purpose, s.Officer} }

// text says what happened, for the record.
func (s Stop) text() string {
	because := map[Why]string{
		Guessing: "the officer was stopped for guessing",
		Officers: "the agency was stopped for this purpose: several of its officers were stopped for guessing, the last",
		Unnamed:  "the agency was stopped for this purpose: guessing without naming an officer",
		Total:    "the agency was stopped for this purpose: its officers together guessed",
	}[s.Why]
	return fmt.Sprintf("%s, with %d people not found and %d found within the window", because, s.Misses, s.Matches)
}

// Alarm is something that the hub's operators should look at now.
type Alarm struct {
	Agency, Purpose string
	Officer         string // empty: all of the agency, or none was named
	Decoy           bool   // somebody was asked for whom nobody has reason to ask; otherwise it is a stop
	Why             Why    // of a stop
	Misses, Matches uint64 // of a stop
	At              time.Time
}

// Stops returns what is in force in this gateway, in no order.
func (g *Guard) Stops() []Stop {
	var all []Stop
	for s := range maps.Values(*g.stops.Load()) {
		all = append(all, s)
	}
	return all
}

// stop puts a stop in force here, and has it kept. Who noticed it by what others counted leaves the alarm to them. A
// shard's lock is held.
func (g *Guard) stop(s Stop, own bool) {
	g.events.Lock()
	defer g.events.Unlock()
	old := *g.stops.Load()
	if _, known := old[s.who()]; known {
		return
	}
	next := maps.Clone(old)
	next[s.who()] = s
	g.stops.Store(&next)
	g.unkept = append(g.unkept, s)
	if own {
		g.alarms = append(g.alarms, Alarm{
			Agency: s.Agency, Purpose: s.Purpose, Officer: s.Officer,
			Why: s.Why, Misses: s.Misses, Matches: s.Matches, At: s.Since,
		})
	}
	wake(g.stopped)
}

// keepStop writes a stop unless there is one, or it was released after this one began.
const keepStop = `INSERT INTO guard_stop (agency, purpose, officer, since, misses, matches, why, released, revision)
	VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)
	ON CONFLICT (agency, purpose, officer) DO UPDATE SET since = excluded.since, misses = excluded.misses,
		matches = excluded.matches, why = excluded.why, released = 0, revision = excluded.revision
	WHERE guard_stop.released > 0 AND guard_stop.released <= excluded.since`

// settle writes what happened since it was called last: stops, and that decoys were asked for. What could not be
// written waits for the next time. It is called by one at a time.
func (g *Guard) settle(ctx context.Context) error {
	g.events.Lock()
	stops, asked := g.unkept[:len(g.unkept):len(g.unkept)], g.asked
	g.asked = map[who]*decoyAsked{}
	g.events.Unlock()
	if len(stops) == 0 && len(asked) == 0 {
		return nil
	}
	made, err := g.cfg.State.Change(ctx, g.cfg.By, func(tx *state.Tx) error {
		for _, s := range stops {
			if err := writeStop(ctx, tx, s); err != nil {
				return err
			}
		}
		for w, a := range asked {
			tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_GUARD, Object: w.object(), Text: a.text()})
		}
		return nil
	})
	if err != nil {
		g.events.Lock()
		for w, a := range asked {
			g.addAsked(w, a.exchanges)
		}
		g.events.Unlock()
		return fmt.Errorf("keep what the guard stopped: %w", err)
	}
	if made.Revision != 0 && g.cfg.Changed != nil {
		g.cfg.Changed(made)
	}
	return g.read(ctx, len(stops)) // another gateway may have written one first, and it may be released by now
}

func writeStop(ctx context.Context, tx *state.Tx, s Stop) error {
	result, err := tx.ExecContext(ctx, keepStop, s.Agency, s.Purpose, s.Officer, s.Since.UnixMilli(),
		int64(s.Misses), int64(s.Matches), string(s.Why), tx.Revision)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err
	}
	tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_GUARD, Object: s.who().object(), Text: s.text()})
	return nil
}

// Reload reads what other gateways and the operators changed: stops, releases and decoys. It is cheap when nothing was.
func (g *Guard) Reload(ctx context.Context) error { return g.read(ctx, 0) }

// released is that somebody may ask again.
type released struct {
	who
	second int64
}

// read reads what was changed. The first so many stops of unkept are in SQL: from now on they hold because of that.
func (g *Guard) read(ctx context.Context, kept int) error {
	g.reading.Lock()
	defer g.reading.Unlock()
	return g.cfg.State.InReadTx(ctx, func(tx *sql.Tx) error {
		if err := g.readDecoys(ctx, tx); err != nil {
			return err
		}
		var newest int64
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(revision), 0) FROM guard_stop`).Scan(&newest); err != nil {
			return fmt.Errorf("read the guard's stops: %w", err)
		}
		if newest == g.revision && kept == 0 {
			return nil
		}
		stops, free, err := readStops(ctx, tx, g.revision)
		if err != nil {
			return err
		}
		g.take(stops, free, kept)
		g.revision = newest
		return nil
	})
}

// take puts in force what was read, and what was not kept yet.
func (g *Guard) take(stops []Stop, free []released, kept int) {
	next := make(map[who]Stop, len(stops))
	for _, s := range stops {
		next[s.who()] = s
	}
	g.events.Lock()
	g.unkept = slices.Clone(g.unkept[kept:])
	for _, s := range g.unkept {
		if _, ok := next[s.who()]; !ok {
			next[s.who()] = s
		}
	}
	before := *g.stops.Load()
	g.stops.Store(&next)
	g.events.Unlock()
	for _, f := range free {
		g.with(f.who, false, func(p *pair) { p.release(&g.rules, f.officer) })
	}
	for _, s := range stops {
		if _, known := before[s.who()]; known {
			continue
		}
		g.with(s.who(), s.Officer != "", func(p *pair) {
			if s.Officer == "" {
				p.clear()
				return
			}
			p.noteTrip(&g.rules, s.Officer, s.Since.Unix())
		})
	}
}

// with changes the pair of somebody, if there is one or it is to be made.
func (g *Guard) with(w who, always bool, change func(*pair)) {
	k := pairKey{w.agency, w.purpose}
	s := g.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.pairs[k]; ok || always {
		change(s.pair(k))
	}
}

// readStops reads all stops in force, and what was released after a revision.
func readStops(ctx context.Context, tx *sql.Tx, after int64) (stops []Stop, free []released, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT agency, purpose, officer, since, misses, matches, why, released FROM guard_stop
		WHERE released = 0 OR revision > $1 ORDER BY since, agency, purpose, officer`, after)
	if err != nil {
		return nil, nil, fmt.Errorf("read the guard's stops: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s Stop
		var since, done int64
		if err := rows.Scan(&s.Agency, &s.Purpose, &s.Officer, &since, &s.Misses, &s.Matches, &s.Why, &done); err != nil {
			return nil, nil, fmt.Errorf("read the guard's stops: %w", err)
		}
		s.Since = time.UnixMilli(since).UTC()
		if done > 0 {
			free = append(free, released{s.who(), done / 1000})
			continue
		}
		stops = append(stops, s)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("read the guard's stops: %w", err)
	}
	return stops, free, nil
}

// ErrNotStopped says that there is nothing to release.
var ErrNotStopped = errors.New("nobody of that name is stopped; see who is: lienthong guard list")

// List returns the stops in force, the oldest first.
func List(ctx context.Context, db *state.DB) (stops []Stop, err error) {
	err = db.InReadTx(ctx, func(tx *sql.Tx) error {
		revision, err := state.RevisionOf(ctx, tx)
		if err == nil {
			stops, _, err = readStops(ctx, tx, revision)
		}
		return err
	})
	return stops, err
}

// Release lets an officer, or all of an agency where officer is empty, ask for a purpose again, with a clean window. It
// fails with ErrNotStopped. Officers who were stopped by themselves stay so when the agency is released.
func Release(ctx context.Context, tx *state.Tx, agency, purpose, officer string) error {
	result, err := tx.ExecContext(ctx, `UPDATE guard_stop SET released = $1, revision = $2
		WHERE agency = $3 AND purpose = $4 AND officer = $5 AND released = 0`, tx.Now.UnixMilli(), tx.Revision, agency, purpose, officer)
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	if n == 0 {
		return ErrNotStopped
	}
	tx.Record(&hubv1.Change{
		Kind: hubv1.Change_KIND_GUARD, Object: who{agency, purpose, officer}.object(), Text: "released: may ask again",
	})
	return nil
}
