package meter

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

const (
	keySize   = 16
	shards    = 64 // at most: their set is a uint64
	stampBits = 20
)

// key stands for a data subject under an agreement. Without the secret of all gateways it says nothing.
type key [keySize]byte

func (k *key) shard() int { return int(k[0]) % shards }

// stamp is a moment in Unix ms, and 20 bits that tell the calls of one ms apart, those of other gateways too.
type stamp int64

func (s stamp) ms() int64 { return int64(s) >> stampBits }

// call is one call about one data subject.
type call struct {
	key   key
	stamp stamp
	times int64 // calls that are allowed …
	until int64 // … until this one counts no more, Unix ms
}

// window is what is remembered of a data subject: its last calls, in order, and when the last counts no more.
type window struct {
	stamps []stamp
	until  int64
}

// add adds a call unless it is there, and keeps the last ones of as many as are allowed.
func (w *window) add(c call) {
	i, there := slices.BinarySearch(w.stamps, c.stamp)
	w.until = max(w.until, c.until)
	if there {
		return
	}
	if int64(len(w.stamps)) < c.times {
		w.stamps = slices.Insert(w.stamps, i, c.stamp)
		return
	}
	// It is full: all before the new one move down and the oldest falls out. What is older than all is not needed.
	drop := len(w.stamps) - int(c.times) // more than allowed now: the agreement allowed more once
	w.stamps = slices.Delete(w.stamps, 0, drop)
	if i -= drop; i > 0 {
		copy(w.stamps[:i-1], w.stamps[1:i])
		w.stamps[i-1] = c.stamp
	}
}

// free says from when on a call is allowed, in Unix ms: not later than now if it is.
func (w *window) free(times int, within int64) int64 {
	if len(w.stamps) < times {
		return 0
	}
	return w.stamps[len(w.stamps)-times].ms() + within
}

// windows are those of all data subjects.
type windows struct {
	macs   sync.Pool
	serial atomic.Uint64
	shards [shards]struct {
		mu sync.Mutex
		of map[key]window
	}
}

// mac is what one caller needs to make keys.
type mac struct {
	hash hash.Hash
	text []byte
	sum  [sha256.Size]byte
	keys []key
}

func (w *windows) init(secret []byte) {
	w.macs.New = func() any { return &mac{hash: hmac.New(sha256.New, secret)} }
	w.serial.Store(rand.Uint64())
	for i := range w.shards {
		w.shards[i].of = map[key]window{}
	}
}

// stamp returns one that nobody else has for the same subject, as good as certainly.
func (w *windows) stamp(now time.Time) stamp {
	return stamp(now.UnixMilli()<<stampBits | int64(w.serial.Add(1)&(1<<stampBits-1)))
}

// key makes the key of a data subject: each part has its length before it, so that no two subjects share one text.
func (m *mac) key(agreement string, s *hubv1.DataSubject) (k key) {
	m.text = binary.AppendUvarint(m.text[:0], uint64(len(agreement)))
	m.text = append(m.text, agreement...)
	m.text = binary.AppendUvarint(m.text, uint64(s.GetKind()))
	m.text = append(m.text, s.GetValue()...)
	m.hash.Reset()
	m.hash.Write(m.text)
	copy(k[:], m.hash.Sum(m.sum[:0]))
	clear(m.text)
	return k
}

// lock locks the shards of keys, in their order, and returns which.
func (w *windows) lock(keys []key) (locked uint64) {
	for i := range keys {
		locked |= 1 << keys[i].shard()
	}
	for i := range w.shards {
		if locked&(1<<i) != 0 {
			w.shards[i].mu.Lock()
		}
	}
	return locked
}

func (w *windows) unlock(locked uint64) {
	for i := range w.shards {
		if locked&(1<<i) != 0 {
			w.shards[i].mu.Unlock()
		}
	}
}

// takeSubjects counts a call about each of its subjects, or about none if there were enough about one of them. A subject
// that is named twice is one.
func (m *Meter) takeSubjects(u *Use) error {
	mac := m.windows.macs.Get().(*mac)
	defer m.windows.macs.Put(mac)
	mac.keys = mac.keys[:0]
	for _, s := range u.Subjects {
		mac.keys = append(mac.keys, mac.key(u.Limits.Agreement, s))
	}
	return m.takeKeys(mac.keys, u)
}

func (m *Meter) takeKeys(keys []key, u *Use) error {
	now, within := u.Now.UnixMilli(), u.Limits.Within.Milliseconds()
	w := &m.windows
	locked := w.lock(keys)
	defer w.unlock(locked)
	var free int64
	for i := range keys {
		seen := w.shards[keys[i].shard()].of[keys[i]]
		free = max(free, seen.free(u.Limits.Times, within))
	}
	if free > now {
		return reason.FrequencyExceeded.Until(time.UnixMilli(free).UTC())
	}
	c := call{stamp: w.stamp(u.Now), times: int64(u.Limits.Times), until: now + within}
	for i := range keys {
		c.key = keys[i]
		of := w.shards[c.key.shard()].of
		seen := of[c.key]
		seen.add(c)
		of[c.key] = seen
		m.outbox.add(c)
	}
	return nil
}

// merge adds a call that another gateway made, or that was stored.
func (w *windows) merge(c call) {
	s := &w.shards[c.key.shard()]
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.of[c.key]
	seen.add(c)
	s.of[c.key] = seen
}

// clean drops the data subjects whose calls count no more.
func (w *windows) clean(now int64) {
	for i := range w.shards {
		s := &w.shards[i]
		s.mu.Lock()
		for k, seen := range s.of {
			if seen.until <= now {
				delete(s.of, k)
			}
		}
		s.mu.Unlock()
	}
}
