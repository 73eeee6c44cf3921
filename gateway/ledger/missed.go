package ledger

import (
	"sync"

	"github.com/lienthong/lienthong/gateway/exchange"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

const (
	maxMissed  = 100_000 // exchanges that are remembered by name
	perMissing = 1000    // of them in one record
)

// missed are exchanges that were told LEDGER_UNAVAILABLE. Some of them may have a record that says otherwise, which
// became durable after they were told. Its zero value is ready.
type missed struct {
	mu   sync.Mutex
	ids  []exchange.ID
	more uint64 // not remembered by name
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

func (m *missed) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ids) + int(m.more)
}

func (m *missed) none() bool { return m.count() == 0 }

// sayMissed records which exchanges were not answered.
func (l *Ledger) sayMissed() error {
	for !l.missed.none() {
		ids, more := l.missed.next()
		n := &hubv1.Notice_NotAnswered{More: more}
		for i := range ids {
			n.ExchangeIds = append(n.ExchangeIds, ids[i][:])
		}
		if err := l.notice(&hubv1.Notice{About: &hubv1.Notice_NotAnswered_{NotAnswered: n}}); err != nil {
			return err
		}
		l.missed.drop(len(ids), more)
		l.intents.end(ids...)
	}
	return nil
}
