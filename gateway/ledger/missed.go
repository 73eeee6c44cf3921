package ledger

import (
	"context"
	"fmt"
	"sync"

	"github.com/lienthong/lienthong/gateway/exchange"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

const (
	maxMissed  = 100_000 // exchanges without an intent that are remembered by name
	perMissing = 1000    // of them in one record
)

// missed are exchanges that were told LEDGER_UNAVAILABLE. Some of them may have a record that says otherwise, which
// became durable after they were told. Its zero value is ready.
type missed struct {
	mu    sync.Mutex
	ids   []exchange.ID
	more  uint64         // not remembered by name
	wrote []missedIntent // those that had an intent: each is remembered by name, for an intent has one outcome
}

// missedIntent is an exchange with an intent that was told LEDGER_UNAVAILABLE.
type missedIntent struct {
	id        exchange.ID
	doubtful  bool   // the registry may have done what it was asked to
	uncertain bool   // the exchange may have its record all the same
	seq       uint64 // and if so, there
}

func (m *missed) add(id exchange.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ids) == maxMissed {
		m.more++
		return
	}
	m.ids = append(m.ids, id)
}

func (m *missed) addIntent(i missedIntent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wrote = append(m.wrote, i)
}

// next returns some, without taking them out.
func (m *missed) next() (ids []exchange.ID, more uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ids) > perMissing {
		return m.ids[:perMissing:perMissing], 0
	}
	return m.ids[:len(m.ids):len(m.ids)], m.more
}

// drop takes out what next returned.
func (m *missed) drop(ids int, more uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ids = m.ids[ids:]
	m.more -= more
}

// nextIntent returns one of those that had an intent, without taking it out.
func (m *missed) nextIntent() (missedIntent, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.wrote) == 0 {
		return missedIntent{}, false
	}
	return m.wrote[0], true
}

func (m *missed) dropIntent() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wrote = m.wrote[1:]
}

func (m *missed) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ids) + len(m.wrote) + int(m.more)
}

func (m *missed) none() bool { return m.count() == 0 }

// miss remembers an exchange whose record was not taken, so that it is told LEDGER_UNAVAILABLE. uncertain says that
// the record may become durable all the same, at seq.
func (l *Ledger) miss(x *hubv1.Exchange, uncertain bool, seq uint64) {
	id := exchange.ID(x.GetId())
	if !l.intents.has(id) {
		l.missed.add(id)
		return
	}
	doubtful := x.GetOutcome() == hubv1.Exchange_OUTCOME_ANSWERED || x.GetInDoubt()
	l.missed.addIntent(missedIntent{id: id, doubtful: doubtful, uncertain: uncertain, seq: seq})
}

// sayMissed records which exchanges were not answered, and of which intents nobody knows what came.
func (l *Ledger) sayMissed() error {
	if err := l.sayMissedIntents(); err != nil {
		return err
	}
	for {
		ids, more := l.missed.next()
		if len(ids) == 0 && more == 0 {
			return nil
		}
		if err := l.say(notAnswered(ids, more), func() { l.missed.drop(len(ids), more) }); err != nil {
			return err
		}
	}
}

func notAnswered(ids []exchange.ID, more uint64) *hubv1.Notice {
	n := &hubv1.Notice_NotAnswered{More: more}
	for i := range ids {
		n.ExchangeIds = append(n.ExchangeIds, ids[i][:])
	}
	return &hubv1.Notice{About: &hubv1.Notice_NotAnswered_{NotAnswered: n}}
}

// sayMissedIntents gives intents the outcome that their exchanges could not record.
func (l *Ledger) sayMissedIntents() error {
	for {
		m, ok := l.missed.nextIntent()
		if !ok {
			return nil
		}
		intent, _ := l.intents.find(m.id)
		if durable := l.journal.Durable(); intent.uncertain && intent.seq >= durable || m.uncertain && m.seq >= durable {
			return nil // the journal itself does not know yet whether it has them
		}
		outcome, err := l.outcome(m, intent)
		if err != nil {
			return err
		}
		if err := l.say(outcome, func() { l.missed.dropIntent(); l.intents.end(m.id) }); err != nil {
			return err
		}
	}
}

// outcome is what can be said of a missed exchange that had an intent. It is in doubt if the registry may have done
// what it was asked to, and neither the consumer nor the ledger was told.
func (l *Ledger) outcome(m missedIntent, intent openIntent) (*hubv1.Notice, error) {
	if !m.doubtful {
		return notAnswered([]exchange.ID{m.id}, 0), nil
	}
	if m.uncertain {
		if kept, err := l.isKept(m.seq); err != nil || kept {
			return notAnswered([]exchange.ID{m.id}, 0), err
		}
	}
	return l.inDoubt(m.id, intent.seq), nil
}

// inDoubt says that nobody knows what came of an intent.
func (l *Ledger) inDoubt(id exchange.ID, seq uint64) *hubv1.Notice {
	l.cfg.Log.Warn("in doubt: a registry was asked to change something, and nobody knows what came of it", "exchange", id.String(), "position", l.position(seq))
	return &hubv1.Notice{About: &hubv1.Notice_InDoubt_{InDoubt: &hubv1.Notice_InDoubt{ExchangeId: id[:], IntentSeq: seq}}}
}

// unsure is a notice of which the journal could not say whether it is kept.
type unsure struct {
	seq  uint64
	kept func()
}

// say records a notice and calls kept when it is there. If the journal cannot say whether it is, recall finds out.
// Only one goroutine says notices at a time.
func (l *Ledger) say(n *hubv1.Notice, kept func()) error {
	seq, err := l.appendNotice(n)
	switch {
	case err == nil:
		kept()
	case journal.Uncertain(err):
		l.unsure = &unsure{seq, kept}
	}
	return err
}

// recall finds out what became of the last notice. It reports false while nobody knows: nothing else may be said then,
// for it would be said twice.
func (l *Ledger) recall() (bool, error) {
	u := l.unsure
	if u == nil {
		return true, nil
	}
	if l.journal.Durable() <= u.seq {
		return false, nil
	}
	kept, err := l.isKept(u.seq)
	if err != nil {
		return false, err
	}
	if l.unsure = nil; kept {
		u.kept()
	}
	return true, nil
}

// isKept reports whether a record that was not taken for certain is there. What the journal numbered in this run is
// that record or void.
func (l *Ledger) isKept(seq uint64) (bool, error) {
	entry, err := l.reader.Get(context.Background(), seq)
	if err != nil {
		return false, fmt.Errorf("record %s: %w", l.position(seq), err)
	}
	return !entry.Void, nil
}
