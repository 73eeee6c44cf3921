package meter

import (
	"math"
	"sync"
	"time"
)

// account is what this gateway holds of one agreement's quotas.
type account struct {
	second, day *block
	mu          sync.RWMutex
	officers    map[officer]*block
}

type officer struct{ agency, name string }

// account returns that of an agreement.
func (m *Meter) account(agreement string) *account {
	m.mu.RLock()
	a := m.accounts[agreement]
	m.mu.RUnlock()
	if a != nil {
		return a
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if a = m.accounts[agreement]; a == nil {
		a = &account{
			second: &block{agreement: agreement, bound: perSecond}, day: &block{agreement: agreement, bound: perDay},
			officers: map[officer]*block{},
		}
		m.accounts[agreement] = a
	}
	return a
}

func (a *account) officer(o officer) *block {
	a.mu.RLock()
	b := a.officers[o]
	a.mu.RUnlock()
	if b != nil {
		return b
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if b = a.officers[o]; b == nil {
		b = &block{agreement: a.day.agreement, bound: perOther, who: o.agency + "/" + o.name}
		a.officers[o] = b
	}
	return b
}

// blocks calls do for each block.
func (m *Meter) blocks(do func(*block)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, a := range m.accounts {
		do(a.second)
		do(a.day)
		a.mu.RLock()
		for _, b := range a.officers {
			do(b)
		}
		a.mu.RUnlock()
	}
}

// rest gives back what is left of the day's blocks that were not used for a while; of all if idle is 0.
func (m *Meter) rest(now time.Time, idle time.Duration) {
	before := now.Add(-idle).UnixMilli()
	if idle == 0 {
		before = math.MaxInt64
	}
	m.blocks(func(b *block) {
		if b.bound == perSecond {
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.left > 0 && b.lastUse < before && b.waiters == 0 {
			m.lessor.give(b, b.left)
			b.left = 0
		}
	})
}

// lookAhead leases the next second for what is asked in this one: its first calls need not wait.
func (m *Meter) lookAhead() {
	now := m.cfg.Now()
	if time.Duration(now.Nanosecond()) < aheadFrom {
		return
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, a := range m.accounts {
		b := a.second
		b.mu.Lock()
		if b.window == now.Unix() && b.next == 0 && b.size() > 1 {
			b.next = -1 // asked for
			m.lessor.push(lease{block: b, ahead: true})
		}
		b.mu.Unlock()
	}
}

// forget drops what has not been asked for two days: agreements and officers.
func (m *Meter) forget(now time.Time) {
	before := now.Add(-2 * daySize * time.Second).UnixMilli()
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, a := range m.accounts {
		a.mu.Lock()
		for o, b := range a.officers {
			if b.unusedSince(before) {
				delete(a.officers, o)
			}
		}
		if len(a.officers) == 0 && a.day.unusedSince(before) && a.second.unusedSince(before) {
			delete(m.accounts, id)
		}
		a.mu.Unlock()
	}
}

func (b *block) unusedSince(before int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lastUse < before && !b.asking
}
