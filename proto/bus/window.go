package bus

import "sync"

// Sizes of a window in counters. Its bits go round in whole words, so its reach is one word less: a frame that
// comes `reach` frames late, or later, is refused.
const (
	windowSize = 1 << 16
	reach      = windowSize - 64
)

// window remembers which counters came, as a ring of bits that follows the highest one (the method of RFC 6479).
// It never grows, and it never forgets within its size.
type window struct {
	mu   sync.Mutex
	high uint64
	bits *[windowSize / 64]uint64 // made when the first counter comes: many pairs never open anything
}

// first reports whether the counter comes for the first time, and remembers it.
func (w *window) first(n uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n == 0 || n < w.high && w.high-n >= reach {
		return false
	}
	if w.bits == nil {
		w.bits = new([windowSize / 64]uint64)
	}
	word, bit := n/64%uint64(len(w.bits)), uint64(1)<<(n%64)
	if n > w.high {
		w.clear(w.high/64, n/64)
		w.high = n
	}
	if w.bits[word]&bit != 0 {
		return false
	}
	w.bits[word] |= bit
	return true
}

// clear empties the words after `from` up to `to`.
func (w *window) clear(from, to uint64) {
	size := uint64(len(w.bits))
	if to-from >= size {
		*w.bits = [windowSize / 64]uint64{}
		return
	}
	for i := from + 1; i <= to; i++ {
		w.bits[i%size] = 0
	}
}
