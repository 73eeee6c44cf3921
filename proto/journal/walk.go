package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/lienthong/lienthong/proto/fault"
)

// walk reads a segment's records in order and checks each: checksum, number, chain.
type walk struct {
	src  io.ReaderAt
	file string // for errors
	seed uint32
	end  int64 // behind the last batch that shall be read

	off    int64  // of what is read next
	seq    uint64 // of the next record
	digest Digest // of the entry before it
	ms     int64  // time of the batch before the next one, then of the current one
	batch  batchHead
	begin  int64 // of the current batch; 0 between two
	left   uint32

	buf   []byte
	at    int64 // offset of buf in the file
	chunk int   // bytes that are read at once
	chain *chain
	plain []byte
}

const (
	scanChunk = 256 << 10
	getChunk  = markEvery + 4096
)

// newWalk begins at the first record of a segment.
func newWalk(src io.ReaderAt, file string, h *header, end int64, chunk int) *walk {
	return &walk{src: src, file: file, seed: h.seed(), end: end, off: headerSize, seq: h.first, digest: h.digest(),
		ms: h.ms, chunk: chunk, chain: newChain()}
}

// jump goes to a mark.
func (w *walk) jump(m mark) error {
	w.off, w.seq, w.digest = m.batch, m.seq, m.prev
	b, err := w.peek(batchHeader)
	if err != nil {
		return err
	}
	var ok bool
	w.batch, ok = getBatchHead(b, w.seed)
	if !ok || m.seq < w.batch.first || m.seq >= w.batch.first+uint64(w.batch.count) ||
		m.off >= m.batch+int64(w.batch.length) {
		return w.damage("the segment's marks point here, but there is no such batch")
	}
	w.begin, w.ms = m.batch, w.batch.ms
	w.left = uint32(w.batch.first + uint64(w.batch.count) - m.seq)
	w.off = m.off
	return nil
}

// next returns the next record. Its payload is valid until the call after. It fails with io.EOF behind the last
// batch and with *Damage for what is not as it was written.
func (w *walk) next() (Entry, error) {
	if w.left == 0 {
		if err := w.fill(); err != nil {
			return Entry{}, err
		}
		if w.off >= w.end {
			return Entry{}, io.EOF
		}
		if err := w.enter(); err != nil {
			return Entry{}, err
		}
	}
	e, err := w.record()
	if err != nil {
		return Entry{}, err
	}
	w.left--
	w.seq++
	w.digest = e.Digest
	return e, nil
}

// enter reads the header of a batch.
func (w *walk) enter() error {
	b, err := w.peek(batchHeader)
	if err != nil {
		return err
	}
	h, ok := getBatchHead(b, w.seed)
	switch {
	case !ok:
		return w.damage("the batch header is not what was written")
	case h.first != w.seq:
		return w.damage(fmt.Sprintf("a batch that begins with seq %d stands where seq %d belongs", h.first, w.seq))
	case h.prev != w.digest && !fault.Planted("no-chain-check"):
		return w.damage("the batch does not follow from the record before it: the chain is broken here or before")
	case h.ms < w.ms:
		return w.damage("the batch is older than the one before it")
	case w.off+int64(h.length) > w.end:
		return w.damage("the batch is longer than its segment")
	}
	w.batch, w.begin, w.left, w.ms = h, w.off, h.count, h.ms
	w.off += batchHeader
	return nil
}

// record reads a record, and behind the last one of its batch what fills it.
func (w *walk) record() (Entry, error) {
	limit := w.begin + int64(w.batch.length) - guard
	if w.off+recordHeader > limit {
		return Entry{}, w.damage("the batch ends before its last record")
	}
	b, err := w.peek(recordHeader)
	if err != nil {
		return Entry{}, err
	}
	form, sum := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	n := int64(form &^ masked)
	if n == 0 || n > MaxRecord || w.off+recordHeader+n > limit {
		return Entry{}, w.damage("the record has an impossible length")
	}
	if b, err = w.peek(recordHeader + n); err != nil {
		return Entry{}, err
	}
	e := Entry{Seq: w.seq, Time: time.UnixMilli(w.batch.ms), Salt: Salt(b[8:recordHeader]), Prev: w.digest, Payload: b[recordHeader:]}
	if form&masked != 0 {
		if w.plain, err = mask(w.plain, e.Payload, &e.Salt); err != nil {
			return Entry{}, err
		}
		e.Payload = w.plain
	}
	if recordSum(checksum(0, e.Payload), &e.Salt, form, w.seq) != sum {
		return Entry{}, w.damage("the checksum of the record does not match")
	}
	e.Digest = w.chain.sum(e.Salt, e.Seq, e.Prev, e.Payload)
	w.off += recordHeader + n
	return e, nil
}

// fill checks what ends the batch whose last record was read, and goes behind it.
func (w *walk) fill() error {
	if w.begin == 0 {
		return nil
	}
	n := w.begin + int64(w.batch.length) - w.off
	if n < guard || n >= guard+line {
		return w.damage("the batch is longer than its records")
	}
	b, err := w.peek(n)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, fillers[:n]) {
		for i := range b {
			if b[i] != filler {
				w.off += int64(i)
				break
			}
		}
		return w.damage("what fills the batch is not what was written")
	}
	w.off += n
	w.begin = 0
	return nil
}

// peek returns the next n bytes of the file without going on.
func (w *walk) peek(n int64) ([]byte, error) {
	if i := w.off - w.at; i >= 0 && i+n <= int64(len(w.buf)) {
		return w.buf[i : i+n], nil
	}
	want := max(n, min(int64(w.chunk), w.end-w.off))
	if int64(cap(w.buf)) < want {
		w.buf = make([]byte, want)
	}
	w.buf, w.at = w.buf[:want], w.off
	got, err := w.src.ReadAt(w.buf, w.off)
	w.buf = w.buf[:got]
	if int64(got) >= n {
		return w.buf[:n], nil
	}
	if errors.Is(err, io.EOF) {
		return nil, w.damage("the file ends here")
	}
	var d *Damage
	if errors.As(err, &d) { // of a compressed segment
		d.Seq = w.seq
		return nil, d
	}
	return nil, fmt.Errorf("read %s at %d: %w", w.file, w.off, err)
}

func (w *walk) damage(what string) error {
	return &Damage{File: w.file, Offset: w.off, Seq: w.seq, What: what}
}
