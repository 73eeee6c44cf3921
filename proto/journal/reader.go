package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"sync"
	"time"
)

// Reader reads a journal: one of this process up to what is durable, one of another process or of none up to its
// last complete batch, and archived segments. Its methods may be called by any number of goroutines. It holds no
// file open between calls.
//
// Beside a journal of another process it may be a batch ahead of what is durable there: such a batch becomes void if
// its sync fails.
type Reader struct {
	dirs []string
	j    *Journal // nil for a journal of another process

	mu      sync.Mutex
	shelf   *shelf
	rolled  uint64 // how many segments the journal had begun when the shelf was loaded
	indices indexCache
}

// OpenReader returns a reader of all segments in these directories: a journal's, and those to which segments of it
// were archived. It fails with ErrDamaged if they do not make one journal without a gap.
func OpenReader(dirs ...string) (*Reader, error) {
	r := &Reader{dirs: dirs}
	if err := r.refresh(); err != nil {
		return nil, err
	}
	return r, nil
}

// Reader returns a reader of this journal's directory that stops at Durable.
func (j *Journal) Reader() *Reader { return &Reader{dirs: []string{j.cfg.Dir}, j: j} }

// ReaderWith returns a reader of this journal and of archives of it.
func (j *Journal) ReaderWith(archives ...string) *Reader {
	return &Reader{dirs: append([]string{j.cfg.Dir}, archives...), j: j}
}

// Bounds returns the first sequence number that can be read and the one behind the last.
func (r *Reader) Bounds() (first, next uint64) {
	s, err := r.current(math.MaxUint64)
	if err != nil && s == nil {
		return 0, 0
	}
	return r.bounds(s)
}

func (r *Reader) bounds(s *shelf) (first, next uint64) {
	first, next = s.bounds()
	if r.j != nil {
		next = r.j.Durable()
	}
	return first, next
}

// Get returns one entry. The payload is the caller's own. It fails with ErrNotYet behind the end and with ErrGone
// before the beginning.
func (r *Reader) Get(ctx context.Context, seq uint64) (Entry, error) {
	for e, err := range r.scan(ctx, seq, seq+1, getChunk) {
		if err != nil {
			return Entry{}, err
		}
		if e.Payload != nil {
			e.Payload = append(make([]byte, 0, len(e.Payload)), e.Payload...)
		}
		return e, nil
	}
	return Entry{}, fmt.Errorf("%w: seq %d", ErrNotYet, seq)
}

// Scan yields the entries from `from` up to, not including, `to`, in order; it ends earlier at the journal's end as
// it is when Scan begins. Each is checked: checksum, number, chain. A payload is valid until the next entry. After
// an error nothing follows: ErrGone before the beginning, ErrDamaged with the place, or the context's.
func (r *Reader) Scan(ctx context.Context, from, to uint64) iter.Seq2[Entry, error] {
	return r.scan(ctx, from, to, scanChunk)
}

func (r *Reader) scan(ctx context.Context, from, to uint64, chunk int) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if r.j != nil {
			to = min(to, r.j.Durable()) // before the shelf is taken, which has all that is durable by now
		}
		s, err := r.current(to)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		first, next := r.bounds(s)
		c := course{r: r, from: from, to: min(to, next), chunk: chunk, yield: yield}
		if from < first && from < c.to {
			yield(Entry{}, fmt.Errorf("%w: seq %d, the first is %d", ErrGone, from, first))
			return
		}
		c.run(ctx, s)
	}
}

// course is one way through the segments.
type course struct {
	r        *Reader
	from, to uint64
	chunk    int
	digest   Digest // of the entry before `from`
	began    bool   // digest is known
	yield    func(Entry, error) bool
	stopped  bool
}

func (c *course) run(ctx context.Context, s *shelf) {
	for missing := 0; c.from < c.to && !c.stopped; {
		err := ctx.Err()
		if err == nil {
			err = c.volume(ctx, s.find(c.from))
		}
		if errors.Is(err, errNotExist) && missing < 3 {
			missing++ // it was archived meanwhile
			if s, err = c.r.reload(); err == nil {
				continue
			}
		}
		if err != nil {
			c.yield(Entry{}, err)
			return
		}
		missing = 0
	}
}

// volume yields what one segment has.
func (c *course) volume(ctx context.Context, v *volume) error {
	if v == nil {
		return fmt.Errorf("%w: seq %d", ErrGone, c.from)
	}
	if c.from == v.h.void && c.began && c.digest != v.h.before {
		return &Damage{v.path, 64, c.from, "the segment does not follow from the entry before it"}
	}
	if c.voids(v); c.stopped || c.from >= c.to {
		return nil
	}
	src, err := openSource(v.path, v.zstd)
	if err != nil {
		return err
	}
	defer src.Close()
	x, err := c.r.indices.get(v, src)
	if err != nil {
		return err
	}
	m, end, ok := x.find(c.from)
	if !ok {
		return &Damage{v.path, end, c.from, "the segment does not have this entry"}
	}
	w := newWalk(src, v.path, v.h, end, c.chunk)
	if err := w.jump(m); err != nil {
		return err
	}
	from := c.from
	if err := c.records(ctx, v, w); err != nil {
		return err
	}
	if c.from == from && !c.stopped {
		return w.damage("the segment ends before an entry that it should have")
	}
	return nil
}

// voids yields the void numbers before a segment's first record.
func (c *course) voids(v *volume) {
	prev := v.h.before
	for seq := v.h.void; seq < v.h.first && c.from < c.to && !c.stopped; seq++ {
		e := Entry{Seq: seq, Time: time.UnixMilli(v.h.ms), Prev: prev, Digest: SumVoid(seq, prev), Void: true}
		if seq == c.from {
			c.pass(e)
		}
		prev = e.Digest
	}
}

func (c *course) records(ctx context.Context, v *volume, w *walk) error {
	for n := 0; c.from < c.to && !c.stopped; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		e, err := w.next()
		if errors.Is(err, io.EOF) {
			if v.t != nil && (w.seq != v.t.next || w.digest != v.t.last) {
				return w.damage("the last record is not the one that the trailer names")
			}
			return nil
		}
		if err != nil {
			return err
		}
		if e.Seq == c.from {
			if c.began && c.digest != e.Prev {
				return w.damage("the record does not follow from the one before it")
			}
			c.pass(e)
		}
	}
	return nil
}

func (c *course) pass(e Entry) {
	c.from, c.digest, c.began = c.from+1, e.Digest, true
	c.stopped = !c.yield(e, nil)
}
