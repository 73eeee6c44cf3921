package guard

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// What gateways tell each other is a list of these, one after another:
//
//	length and bytes of the agency, of the purpose, of the officer | people found | people not found
//
// with lengths and numbers as unsigned varints.
const (
	shareEvery  = 50 * time.Millisecond // at most so often
	shareSize   = 32 << 10              // bytes after which a list is sent
	longestName = 255                   // bytes of an agency, purpose or officer
	mostCounted = 1 << 32               // people that are counted at a time
)

var errBatch = errors.New("malformed list of counts")

// entry is what was counted of somebody.
type entry struct {
	who
	matched, missed uint64
}

func (e entry) append(b []byte) []byte {
	for _, s := range [...]string{e.agency, e.purpose, e.officer} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return binary.AppendUvarint(binary.AppendUvarint(b, e.matched), e.missed)
}

// parse reads one entry and returns the rest.
func (e *entry) parse(b []byte) (rest []byte, err error) {
	for _, s := range [...]*string{&e.agency, &e.purpose, &e.officer} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > longestName || uint64(len(b)-size) < n {
			return nil, errBatch
		}
		*s, b = string(b[size:size+int(n)]), b[size+int(n):]
	}
	for _, c := range [...]*uint64{&e.matched, &e.missed} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > mostCounted {
			return nil, errBatch
		}
		*c, b = n, b[size:]
	}
	return b, nil
}

// parseBatch reads a list. It is whole or refused.
func parseBatch(b []byte) (entries []entry, err error) {
	for len(b) > 0 {
		var e entry
		if b, err = e.parse(b); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// hear counts what another gateway counted.
func (g *Guard) hear(payload []byte) {
	entries, err := parseBatch(payload)
	if err != nil {
		g.cfg.Log.Warn("another gateway's counts cannot be read; do all run the same version?")
		return
	}
	now := g.now()
	for _, e := range entries {
		k := pairKey{e.agency, e.purpose}
		s := g.shard(k)
		s.mu.Lock()
		if g.Check(e.agency, e.purpose, e.officer) == nil {
			for _, t := range s.pair(k).add(&g.rules, now.Unix(), e.officer, e.matched, e.missed).trips {
				g.stop(Stop{e.agency, e.purpose, t.officer, now.UTC(), t.missed, t.matched, t.why}, false)
			}
		}
		s.mu.Unlock()
	}
}

// share raises alarms, tells the other gateways what was counted since it was called last, and has it saved.
func (g *Guard) share() error {
	g.raise()
	counted := map[who]counts{}
	for i := range g.shards {
		g.shards[i].collect(counted)
	}
	if len(counted) == 0 {
		return nil
	}
	g.save(counted)
	if g.cfg.Tally == nil {
		return nil
	}
	var failed error
	list := make([]byte, 0, shareSize)
	for w, c := range counted {
		list = entry{w, c.matched, c.missed}.append(list)
		if len(list) >= shareSize {
			failed, list = errors.Join(failed, g.cfg.Tally.Send(TallyKind, list)), list[:0]
		}
	}
	if len(list) > 0 {
		failed = errors.Join(failed, g.cfg.Tally.Send(TallyKind, list))
	}
	if failed != nil {
		return fmt.Errorf("tell the other gateways what was counted: %w", failed)
	}
	return nil
}

// collect moves what the others have not been told of.
func (s *shard) collect(into map[who]counts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w, c := range s.unshared {
		into[w] = c
	}
	clear(s.unshared)
}

// raise raises alarms.
func (g *Guard) raise() {
	g.events.Lock()
	alarms := g.alarms
	g.alarms = nil
	g.events.Unlock()
	if g.cfg.Alarm != nil {
		for _, a := range alarms {
			g.cfg.Alarm(a)
		}
	}
}

// sharing shares until ctx ends, and then once more.
func (g *Guard) sharing(ctx context.Context) error {
	told := trouble{log: g.cfg.Log, what: "the guard's counts do not reach the other gateways"}
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = g.share()
			return nil
		case <-g.counted:
		}
		told.note(g.share())
		pause.Reset(shareEvery)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}
