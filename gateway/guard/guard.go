// Package guard stops those who guess personal numbers. About one random number in a hundred is somebody's, so who
// guesses is mostly told that nobody has the number, and who works hardly ever is: the guard counts both, per agency,
// purpose and officer, over the last minute.
//
// Invariants:
//   - A stop holds in this gateway from the answer on that passed the limit, in the others as soon as they hear of it,
//     and everywhere until an operator releases it, restarts included.
//   - What an officer did who was stopped does not weigh on the rest of the agency: one never stops all.
//   - Somebody who is asked for again and again counts as found once in a window, so that nobody hides guesses between
//     questions about people that they know.
//   - Check takes no lock, waits for nothing and makes no garbage.
//   - What callers send makes the guard remember a bounded number of officers and people for each agency and purpose.
//   - No number of a person leaves the process: not on the bus, not in SQL, not in an alarm.
//
// Four limits (see Limits) lead to a stop:
//
//	an officer     more than 20 misses, over 30 % of all: the officer is stopped for the purpose
//	three officers stopped within a window: the agency is stopped for the purpose
//	no officer     calls that name none pass the officer's limit: the agency is stopped for the purpose
//	the total      more than 200 misses, over 30 %, by all officers who are not stopped: the agency is stopped for the
//	               purpose. The share is part of it, because a portal of 200 calls/s that misses 3 % has 360 a minute.
//
// What is not found by these limits: guesses that hide, under ever new names of officers, in honest traffic that is more
// than twice as much. There each name has 20 a minute; agencies that enrol their officers have few names.
//
// What does not belong here: how often may be asked (meter), and who counts as found (proto/contract).
package guard

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/gateway/tally"
	"github.com/lienthong/lienthong/proto/reason"
)

// Limits says when somebody is stopped. A zero field has its default.
type Limits struct {
	Window   time.Duration // over which is counted, in whole seconds; default 60 s
	Misses   int           // more people than this not found…
	Percent  int           // …and a higher share than this not found stops an officer, or those who name none; defaults 20, 30
	Officers int           // so many officers stopped within Window stop the agency for the purpose; default 3
	Total    int           // more people than this not found by all officers, with Percent, stop the agency; default 200
}

// Bounds of what is remembered for one agency and purpose.
const (
	mostOfficers = 4096    // that are counted one by one
	mostSubjects = 1 << 16 // people who were found
)

// Tally takes what was counted to the other gateways: *tally.Bus.
type Tally interface {
	Send(kind byte, payload []byte) error
	Handle(kind byte, handler func(payload []byte))
}

var _ Tally = (*tally.Bus)(nil)

// TallyKind is the kind of the guard's words among gateways.
const TallyKind byte = 'g'

// Config says what a guard needs.
type Config struct {
	State   *state.DB        // where stops, decoys and the last minute lie
	Tally   Tally            // to the other gateways; nil if there are none
	Process string           // names this gateway among those that share the state
	By      state.Actor      // this gateway, in the records of what it stopped
	Limits  Limits           // when somebody is stopped
	Alarm   func(Alarm)      // told of each stop and decoy within a tenth of a second; must not block; may be nil
	Changed func(state.Made) // told of each change that the guard made, so that the bell is rung; may be nil
	Log     *slog.Logger     // default: slog's default
	Now     func() time.Time // default time.Now
}

// Guard counts and stops. It is safe for concurrent use.
type Guard struct {
	cfg   Config
	rules rules
	now   func() time.Time
	seed  maphash.Seed

	decoyKey []byte // under which decoys are hashed

	stops  atomic.Pointer[map[who]Stop] // in force; never nil, never changed
	decoys atomic.Pointer[decoys]       // nil: there are none
	shards [shards]shard

	events sync.Mutex // of what follows; may be taken under a shard's lock
	unkept []Stop     // in force here, and not in SQL yet
	asked  map[who]*decoyAsked
	alarms []Alarm

	counted chan struct{} // something was counted
	stopped chan struct{} // something is to be kept in SQL at once

	keeping sync.Mutex // of unsaved
	unsaved map[row]counts
	newest  int64 // second that may be saved; 0 if nothing is

	reading  sync.Mutex // of what follows
	revision int64      // of the stops that were read last
	known    decoysRead // what was known of decoys then
}

// who is an officer of an agency, for a purpose. Without an officer it is all of the agency.
type who struct{ agency, purpose, officer string }

// object names it in records and alarms.
func (w who) object() string {
	if w.officer == "" {
		return w.agency + "/" + w.purpose + "/*"
	}
	return w.agency + "/" + w.purpose + "/" + w.officer
}

// Open makes a guard that knows what the hub's guards knew: who is stopped, the decoys, and the last minute. It
// starts nothing; Run does.
func Open(ctx context.Context, cfg Config) (*Guard, error) {
	if cfg.State == nil || cfg.Process == "" {
		return nil, errors.New("open guard: it needs a state and the name of its process")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	g := &Guard{
		cfg: cfg, rules: cfg.Limits.rules(), now: cfg.Now, seed: maphash.MakeSeed(),
		asked: map[who]*decoyAsked{}, unsaved: map[row]counts{}, newest: cfg.Now().Unix(), revision: -1,
		counted: make(chan struct{}, 1), stopped: make(chan struct{}, 1),
	}
	g.stops.Store(&map[who]Stop{})
	for i := range g.shards {
		g.shards[i].pairs, g.shards[i].unshared = map[pairKey]*pair{}, map[who]counts{}
	}
	var err error
	if g.decoyKey, err = DecoyKey(ctx, cfg.State); err != nil {
		return nil, fmt.Errorf("open guard: %w", err)
	}
	if err := g.Reload(ctx); err != nil {
		return nil, fmt.Errorf("open guard: %w", err)
	}
	if err := g.restore(ctx); err != nil {
		return nil, fmt.Errorf("open guard: %w", err)
	}
	if cfg.Tally != nil {
		cfg.Tally.Handle(TallyKind, g.hear)
	}
	return g, nil
}

// rules are the limits as they are counted with.
func (l Limits) rules() rules {
	or := func(n, standard int) int {
		if n > 0 {
			return n
		}
		return standard
	}
	return rules{
		window:   int64(or(int(l.Window/time.Second), 60)),
		misses:   uint64(or(l.Misses, 20)),
		percent:  uint64(or(l.Percent, 30)),
		total:    uint64(or(l.Total, 200)),
		officers: or(l.Officers, 3), mostOfficers: mostOfficers, mostSubjects: mostSubjects,
	}
}

// Check fails with ENUMERATION_STOPPED if the officer, or the whole agency, was stopped for this purpose.
func (g *Guard) Check(agency, purpose, officer string) error {
	stops := *g.stops.Load()
	if len(stops) == 0 {
		return nil
	}
	if _, all := stops[who{agency, purpose, ""}]; all {
		return reason.EnumerationStopped
	}
	if officer == "" {
		return nil
	}
	if _, one := stops[who{agency, purpose, officer}]; one {
		return reason.EnumerationStopped
	}
	return nil
}

// wake tells a loop that there is something to do.
func wake(loop chan struct{}) {
	select {
	case loop <- struct{}{}:
	default:
	}
}
