package journal

import (
	"encoding/binary"
	"slices"
	"sort"
	"sync"
)

// mark is a place in a segment from which reading can begin: a record, its batch, and the digest before it.
type mark struct {
	seq   uint64
	off   int64 // of the record
	batch int64 // of its batch's header
	prev  Digest
}

// index says where in a segment its records are. It grows while the segment takes records; one goroutine adds, any
// number look up.
type index struct {
	mu    sync.RWMutex
	marks []mark
	sure  uint64 // first record of the last batch: those before it are durable, for another batch followed
	seq   uint64 // behind the last record
	off   int64  // behind the last batch
	ms    int64  // time of the last batch
	last  Digest // of the last record
}

func newIndex(h *header) *index {
	return &index{sure: h.first, seq: h.first, off: headerSize, ms: h.ms, last: h.digest()}
}

// add notes a batch's marks, those that are far enough from the one before, and where the batch ends.
func (x *index) add(marks []mark, seq uint64, off, ms int64, last Digest) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, m := range marks {
		if n := len(x.marks); n == 0 || m.off-x.marks[n-1].off >= markEvery {
			x.marks = append(x.marks, m)
		}
	}
	x.sure, x.seq, x.off, x.ms, x.last = x.seq, seq, off, ms, last
}

// find returns the last mark that is not behind the record, and where the segment's batches end.
func (x *index) find(seq uint64) (m mark, end int64, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	i := sort.Search(len(x.marks), func(i int) bool { return x.marks[i].seq > seq })
	if i == 0 || seq >= x.seq {
		return mark{}, x.off, false
	}
	return x.marks[i-1], x.off, true
}

// ends returns the figures behind the last batch.
func (x *index) ends() (seq uint64, off, ms int64, last Digest) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.seq, x.off, x.ms, x.last
}

// behind reports whether the index knows batches behind an offset.
func (x *index) behind(end int64) bool {
	_, off, _, _ := x.ends()
	return off > end
}

// known returns the sequence number up to which the segment can only grow.
func (x *index) known() uint64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.sure
}

// footer returns what seals the segment: marks and trailer.
func (x *index) footer(h *header) []byte {
	x.mu.RLock()
	defer x.mu.RUnlock()
	b := make([]byte, 0, len(x.marks)*markSize+2*line+trailerSize)
	for _, m := range x.marks {
		b = binary.BigEndian.AppendUint64(b, m.seq)
		b = binary.BigEndian.AppendUint64(b, uint64(m.off))
		b = binary.BigEndian.AppendUint64(b, uint64(m.batch))
		b = append(b, m.prev[:]...)
	}
	pad := up(len(b)) - len(b)
	if x.off+int64(len(b)+pad+trailerSize) == h.size {
		pad += line // a sealed segment is told from another one by its size
	}
	b = append(b, make([]byte, pad)...)
	t := trailer{uint32(len(x.marks)), checksum(0, b), uint32(pad), h.first, x.seq, x.off, x.ms, x.last}
	return append(b, t.encode(h.seed())...)
}

// decodeMarks reads the marks of a sealed segment. It answers false when they are not what was written.
func decodeMarks(b []byte, t *trailer) (*index, bool) {
	if checksum(0, b) != t.marksSum {
		return nil, false
	}
	x := &index{seq: t.next, off: t.end, ms: t.ms, last: t.last, marks: make([]mark, t.marks)}
	for i := range x.marks {
		m := b[i*markSize:]
		x.marks[i] = mark{binary.BigEndian.Uint64(m), getInt(m[8:]), getInt(m[16:]), Digest(m[24:markSize])}
		if m := x.marks[i]; m.off < headerSize+line || m.off > t.end || m.batch < headerSize || m.batch >= m.off {
			return nil, false
		}
	}
	ok := slices.IsSortedFunc(x.marks, func(a, b mark) int { return int(a.off - b.off) })
	return x, ok && (t.next == t.first) == (t.marks == 0)
}
