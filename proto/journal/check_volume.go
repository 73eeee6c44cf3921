package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// read reads all segments whose header and trailer are right.
func (c *check) read(ctx context.Context) error {
	workers := c.opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(c.vols) {
					return
				}
				if c.bad[i] {
					continue
				}
				if err := c.volume(ctx, i); err != nil && ctx.Err() == nil {
					c.bad[i] = true
					c.fault(c.paths[i], err)
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// volume checks one segment.
func (c *check) volume(ctx context.Context, i int) error {
	v := c.vols[i]
	if err := c.voids(v); err != nil {
		return err
	}
	if v.t == nil {
		if err := c.unsealed(i); err != nil {
			return err
		}
		v = c.vols[i]
	}
	src, err := openSource(v.path, v.zstd)
	if errors.Is(err, errNotExist) {
		if v, src, err = c.moved(i); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	defer src.Close()
	return c.records(ctx, v, src)
}

func (c *check) voids(v *volume) error {
	prev := v.h.before
	for seq := v.h.void; seq < v.h.first; seq++ {
		prev = SumVoid(seq, prev)
		if err := c.entry(seq, prev); err != nil {
			return &Damage{v.path, 48, seq, err.Error()}
		}
	}
	c.count(0, v.h.first-v.h.void)
	return nil
}

// unsealed finds where a segment ends that does not say so itself. Beside a running journal it looks again for a
// while: what is wrong there may be on its way.
func (c *check) unsealed(i int) error {
	v := c.vols[i]
	end, last := v.h.size, i == len(c.vols)-1
	if !last && c.vols[i+1] != nil {
		end = min(end, c.vols[i+1].h.prev.end)
	}
	for began := time.Now(); ; time.Sleep(retryEvery) {
		err := v.scan(end, true)
		if err == nil {
			break
		}
		if now, ierr := inspect(v.path); ierr == nil && now.t != nil {
			c.vols[i], c.grew = now, c.grew || last // it was sealed meanwhile
			return nil
		}
		if !last || !errors.Is(err, ErrDamaged) || time.Since(began) > patientFor || !running(c.dirs[0]) {
			return err
		}
	}
	_, off, _, _ := v.idx.ends()
	if !last && off != end {
		return v.tail.damage(off, "a batch is missing")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rep.Tail = v.tail.cut
	return nil
}

// moved finds a segment again that was archived while the check ran.
func (c *check) moved(i int) (*volume, source, error) {
	paths, err := list(c.dirs)
	if err != nil {
		return nil, nil, err
	}
	for _, path := range paths {
		v, err := inspect(path)
		if err == nil && v.h.id == c.vols[i].h.id {
			src, err := openSource(path, v.zstd)
			return v, src, err
		}
	}
	return nil, nil, &Damage{c.paths[i], 0, c.vols[i].h.first, "the segment went away during the check"}
}

// records reads all records of a segment, and compares them with its marks and trailer.
func (c *check) records(ctx context.Context, v *volume, src source) error {
	next, end, _, last := v.ends()
	var marks []mark
	if v.t != nil {
		x, err := v.readMarks(src)
		if err != nil {
			return err
		}
		marks = x.marks
	}
	w := newWalk(src, v.path, v.h, end, scanChunk)
	told := int64(0)
	for n := uint64(0); ; n++ {
		e, err := w.next()
		if errors.Is(err, io.EOF) {
			c.count(n, 0)
			break
		}
		if err != nil {
			return err
		}
		if off := w.off - recordHeader - int64(len(e.Payload)); len(marks) > 0 && off >= marks[0].off {
			if m := (mark{e.Seq, off, w.begin, e.Prev}); m != marks[0] {
				return &Damage{v.path, v.t.end, e.Seq, "a mark does not point at the record that it names"}
			}
			marks = marks[1:]
		}
		if err := c.entry(e.Seq, e.Digest); err != nil {
			return &Damage{v.path, w.off - recordHeader - int64(len(e.Payload)), e.Seq, err.Error()}
		}
		if w.off-told >= piece {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			c.tell(w.off - told)
			told = w.off
		}
	}
	c.tell(v.size - told)
	if w.seq != next || w.digest != last || len(marks) > 0 {
		return &Damage{v.path, end, w.seq, "the last record is not the one that the trailer names"}
	}
	return nil
}

// entry compares one entry with the head file and with whatever the caller compares it with.
func (c *check) entry(seq uint64, d Digest) error {
	if seq+1 == c.head.next && d != c.head.digest {
		return fmt.Errorf("%s has seen another entry here, with the digest %v", c.opts.Head, c.head.digest)
	}
	if c.opts.Entry == nil {
		return nil
	}
	return c.opts.Entry(seq, d)
}
