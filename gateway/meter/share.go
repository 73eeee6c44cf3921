package meter

import (
	"encoding/binary"
	"errors"
	"sync"
)

const (
	linkKind    = 'm'
	wordVersion = 1
	callSize    = keySize + 8 + 4 + 8
	chunkCalls  = 1000    // in a word (36 KB), and twice as many in a transaction
	storedMost  = 1 << 20 // calls that wait to be stored while SQL fails; then the oldest are lost
)

// outbox holds the calls of this gateway, first until they are shared and then until they are stored. It is made of
// chunks: a long slice that grows is copied again and again while calls wait for it.
type outbox struct {
	mu      sync.Mutex
	toShare [][]call
	toStore [][]call
	waiting int // calls in toStore
}

func (o *outbox) add(c call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := len(o.toShare) - 1
	if last < 0 || len(o.toShare[last]) == chunkCalls {
		o.toShare = append(o.toShare, nil)
		last++
	}
	o.toShare[last] = append(o.toShare[last], c)
}

// fresh takes the calls that were not shared yet.
func (o *outbox) fresh() (chunks [][]call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	chunks, o.toShare = o.toShare, nil
	return chunks
}

// await has a chunk stored some time, and returns how many calls were dropped for it.
func (o *outbox) await(chunk []call) (lost int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.toStore = append(o.toStore, chunk)
	for o.waiting += len(chunk); o.waiting > storedMost; o.toStore = o.toStore[1:] {
		lost += len(o.toStore[0])
		o.waiting -= len(o.toStore[0])
	}
	return lost
}

// due takes the oldest chunk that is to be stored; nil if there is none.
func (o *outbox) due() (chunk []call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.toStore) == 0 {
		return nil
	}
	chunk, o.toStore = o.toStore[0], o.toStore[1:]
	o.waiting -= len(chunk)
	return chunk
}

// share tells the other gateways which calls were made here. What the link loses they read in SQL.
func (m *Meter) share() {
	for _, chunk := range m.outbox.fresh() {
		if m.cfg.Link != nil {
			if err := m.cfg.Link.Send(linkKind, encode(chunk)); err != nil {
				m.cfg.Log.Warn("calls not shared; other gateways count them some seconds later", "calls", len(chunk), "error", err)
			}
		}
		if lost := m.outbox.await(chunk); lost > 0 {
			m.cfg.Log.Error("calls not stored for too long, so the oldest were dropped; a restart forgets them", "calls", lost)
		}
	}
}

// hear counts the calls that another gateway made.
func (m *Meter) hear(word []byte) {
	calls, err := decode(word)
	if err != nil {
		m.cfg.Log.Warn("word of another gateway not understood; have all gateways run one version", "error", err)
		return
	}
	now := m.cfg.Now().UnixMilli()
	for _, c := range calls {
		if c.until > now {
			m.windows.merge(c)
		}
	}
}

// encode writes calls: a version, and for each the key, the stamp, the times and the end.
func encode(calls []call) []byte {
	word := make([]byte, 0, 1+len(calls)*callSize)
	word = append(word, wordVersion)
	for i := range calls {
		c := &calls[i]
		word = append(word, c.key[:]...)
		word = binary.BigEndian.AppendUint64(word, uint64(c.stamp))
		word = binary.BigEndian.AppendUint32(word, uint32(c.times))
		word = binary.BigEndian.AppendUint64(word, uint64(c.until))
	}
	return word
}

var errWord = errors.New("it is not a list of calls")

// decode reads what encode wrote, and nothing else.
func decode(word []byte) ([]call, error) {
	if len(word) == 0 || word[0] != wordVersion || (len(word)-1)%callSize != 0 {
		return nil, errWord
	}
	word = word[1:]
	calls := make([]call, 0, len(word)/callSize)
	for ; len(word) > 0; word = word[callSize:] {
		c := call{
			key:   key(word[:keySize]),
			stamp: stamp(binary.BigEndian.Uint64(word[keySize:])),
			times: int64(int32(binary.BigEndian.Uint32(word[keySize+8:]))),
			until: int64(binary.BigEndian.Uint64(word[keySize+12:])),
		}
		if !c.sound() {
			return nil, errWord
		}
		calls = append(calls, c)
	}
	return calls, nil
}

// sound reports whether a call can have been made: a day of 8,784 hours is the longest that an agreement may say.
func (c *call) sound() bool {
	return c.times > 0 && c.stamp > 0 && c.until >= c.stamp.ms() && c.until-c.stamp.ms() <= longest.Milliseconds()
}
