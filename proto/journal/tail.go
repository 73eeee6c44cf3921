package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A batch that a power cut met is partly there. What tells it from a damaged one: a disk writes aligned 64 bytes
// wholly or not at all, the file was zeros before, and no written batch has blankRun zeros in a row. So
//
//   - a batch whose header is whole and whose body has such a run was never completely written;
//   - so was one whose header is blank, if all that follows looks written in whole lines, reaches no further than a
//     batch can, and holds no other batch;
//   - so was one of which only a part of the header is there.
//
// Such a batch was never acknowledged: it is cut. Everything else that does not pass is damage. One changed byte
// never makes one look like the other.

// Cut is an incomplete last batch.
type Cut struct {
	File    string
	Offset  int64  // where it begins
	Bytes   int64  // from there to the last byte of it that was written
	Seq     uint64 // number of its first record
	Records uint32 // how many records it was to have; 0 when its header is not there
}

// tail reads the batches of a segment that has no trailer.
type tail struct {
	src   io.ReaderAt
	file  string
	h     *header
	idx   *index
	end   int64 // of what may be read; the file's size in the last segment
	brief bool  // look no further behind the last batch than another one would begin

	cut    *Cut  // the incomplete batch behind the others
	last   int64 // where the last batch begins; 0 when there is none
	filler int64 // where the last batch's filler begins, if that is not all there; else 0
}

// scan adds all complete batches to the index. It returns the incomplete one behind them, if there is one, and fails
// with *Damage for what is neither.
func (t *tail) scan() (*Cut, error) {
	for {
		_, off, _, _ := t.idx.ends()
		if off+line > t.end {
			return nil, nil
		}
		b := make([]byte, line)
		if err := t.read(b, off); err != nil {
			return nil, err
		}
		head, ok := getBatchHead(b, t.h.seed())
		if !ok {
			return t.judgeHeader(b, off)
		}
		err := t.batch(&head, off)
		if err == nil {
			continue
		}
		var d *Damage
		if !errors.As(err, &d) {
			return nil, err
		}
		return t.judgeBody(&head, off, err)
	}
}

// batch reads one batch and adds it to the index.
func (t *tail) batch(head *batchHead, off int64) error {
	seq, _, ms, last := t.idx.ends()
	end := off + int64(head.length)
	if end > t.end {
		return &Damage{t.file, off, seq, "the batch is longer than its segment"}
	}
	w := &walk{src: t.src, file: t.file, seed: t.h.seed(), end: end, off: off, seq: seq, digest: last, ms: ms,
		chunk: scanChunk, chain: newChain()}
	var marks []mark
	for {
		m := mark{seq: w.seq, batch: off, prev: w.digest}
		e, err := w.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && w.left == 0 && w.begin != 0 && t.short(w) {
			t.filler = w.off
			break
		}
		if err != nil {
			return err
		}
		m.off = w.off - recordHeader - int64(len(e.Payload))
		if n := len(marks); n == 0 || m.off-marks[n-1].off >= markEvery {
			marks = append(marks, m)
		}
	}
	t.last = off
	t.idx.add(marks, w.seq, end, head.ms, w.digest)
	return nil
}

// short reports whether what fills the batch is right up to some byte and zeros from there on: all records are
// there, and only the filler was torn.
func (t *tail) short(w *walk) bool {
	b := make([]byte, w.begin+int64(w.batch.length)-w.off)
	if len(b) >= guard+line || t.read(b, w.off) != nil {
		return false
	}
	full := 0
	for full < len(b) && b[full] == filler {
		full++
	}
	return len(bytes.TrimLeft(b[full:], "\x00")) == 0
}

// judgeBody decides about a batch whose header is whole and whose content is not.
func (t *tail) judgeBody(head *batchHead, off int64, damage error) (*Cut, error) {
	seq, _, _, last := t.idx.ends()
	end := off + int64(head.length)
	if head.first != seq || head.prev != last || end > t.end {
		return nil, damage
	}
	b := make([]byte, head.length)
	if err := t.read(b, off); err != nil {
		return nil, err
	}
	if !bytes.Contains(b[batchHeader:], make([]byte, blankRun)) {
		return nil, damage
	}
	rest, err := t.survey(end)
	if err != nil {
		return nil, err
	}
	if rest.last >= 0 {
		return nil, t.damage(rest.firstByte, "bytes that belong to no batch")
	}
	written := len(bytes.TrimRight(b, "\x00"))
	return &Cut{t.file, off, int64(written), seq, head.count}, nil
}

// judgeHeader decides about a place at which no batch header stands.
func (t *tail) judgeHeader(b []byte, off int64) (*Cut, error) {
	rest, err := t.survey(off + line)
	if err != nil {
		return nil, err
	}
	seq, _, _, _ := t.idx.ends()
	begun := len(bytes.TrimRight(b, "\x00"))
	switch {
	case begun == 0 && rest.last < 0:
		return nil, nil
	case begun == 0 && rest.odd >= 0:
		return nil, t.damage(rest.odd, "a byte that belongs to no batch")
	case begun == 0 && rest.batch >= 0:
		return nil, t.damage(off, fmt.Sprintf("no batch is here, but another one is behind it, at offset %d", rest.batch))
	case begun == 0 && rest.last-off >= maxBatch:
		return nil, t.damage(rest.firstByte, "bytes that belong to no batch")
	case begun == 0:
		return &Cut{t.file, off, rest.last + 1 - off, seq, 0}, nil
	case rest.last < 0 && partOfHeader(b[:begun]):
		return &Cut{t.file, off, int64(begun), seq, 0}, nil
	}
	return nil, t.damage(off, "neither a batch nor blank")
}

// partOfHeader reports whether the bytes can be the beginning of a batch header.
func partOfHeader(b []byte) bool {
	magic := binary.BigEndian.AppendUint32(nil, batchMagic)
	n := min(len(b), len(magic))
	return bytes.Equal(b[:n], magic[:n])
}

// survey says what is in a part of a segment that should be blank. Offsets are -1 for what is not there.
type survey struct {
	firstByte int64 // first byte that is not zero
	last      int64 // last byte that is not zero
	odd       int64 // a byte alone in its line: no write leaves that
	batch     int64 // a batch header
}

// survey looks at everything from off to the end of the file.
func (t *tail) survey(off int64) (survey, error) {
	s := survey{-1, -1, -1, -1}
	b := make([]byte, scanChunk)
	end := t.end
	if t.brief {
		end = min(end, off+maxBatch)
	}
	for off < end {
		b = b[:min(int64(len(b)), end-off)]
		if err := t.read(b, off); err != nil {
			return s, err
		}
		if len(bytes.TrimLeft(b, "\x00")) > 0 {
			s.look(b, off, t.h.seed())
		}
		off += int64(len(b))
	}
	return s, nil
}

func (s *survey) look(b []byte, off int64, seed uint32) {
	for ; len(b) > 0; b, off = b[min(line, len(b)):], off+line {
		l := b[:min(line, len(b))]
		rest := bytes.TrimLeft(l, "\x00")
		if len(rest) == 0 {
			continue
		}
		first := off + int64(len(l)-len(rest))
		s.last = off + int64(len(bytes.TrimRight(l, "\x00"))) - 1
		if s.firstByte < 0 {
			s.firstByte = first
		}
		if s.odd < 0 && s.last == first {
			s.odd = first
		}
		if _, ok := getBatchHead(l, seed); ok && s.batch < 0 {
			s.batch = off
		}
	}
}

func (t *tail) read(b []byte, off int64) error {
	n, err := t.src.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return t.damage(off+int64(n), "the file ends here")
	}
	return fmt.Errorf("read %s at %d: %w", t.file, off, err)
}

func (t *tail) damage(off int64, what string) error {
	seq, _, _, _ := t.idx.ends()
	return &Damage{t.file, off, seq, what}
}
