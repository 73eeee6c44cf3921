package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// CheckOptions say what Check compares the journal with.
type CheckOptions struct {
	Head    string // the head file; not looked at when empty
	Workers int    // segments that are read at once; default one for each processor

	// Entry is called for each entry, void ones included, in order within a segment, but for several segments at
	// once. An error is reported as a fault at that entry.
	Entry func(seq uint64, digest Digest) error
}

// Report is what Check found.
type Report struct {
	Segments    int
	Records     uint64
	Voids       uint64 // numbers that hold no record
	First, Next uint64 // the first entry there is, and the number behind the last
	Bytes       int64  // read; of compressed segments, before they were compressed
	Last        Digest // of the last entry
	Tail        *Cut   // an incomplete last batch: the journal cuts it when it is opened
	Faults      []*Damage
}

// Check reads everything: each checksum, number and link of the chain, headers and footers, how the segments fit
// together, and the head file. Of each segment it reports the first fault and goes on with the next one. It may run
// beside a journal that is open. progress is told how many bytes of how many are done; it may be nil.
//
// The error is of a check that could not be carried out, never of what it found: see Report.Faults.
func Check(ctx context.Context, dirs []string, opts CheckOptions, progress func(done, total int64)) (*Report, error) {
	c := &check{dirs: dirs, opts: opts, progress: progress, rep: &Report{}}
	if opts.Head != "" {
		c.readHead()
	}
	if err := c.find(); err != nil {
		return nil, err
	}
	c.rep.Segments = len(c.paths)
	if err := c.read(ctx); err != nil {
		return nil, err
	}
	c.join()
	slices.SortStableFunc(c.rep.Faults, func(a, b *Damage) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.File, b.File), cmp.Compare(a.Offset, b.Offset))
	})
	return c.rep, nil
}

// check is one run of Check.
type check struct {
	dirs     []string
	opts     CheckOptions
	progress func(done, total int64)
	paths    []string
	vols     []*volume // by path; nil where not even the header could be read
	bad      []bool    // a fault was found in it
	head     head
	total    int64
	grew     bool // a running journal went on to another segment

	mu  sync.Mutex // guards what follows
	rep *Report
}

// find reads all headers and trailers. It begins again when a segment was archived meanwhile.
func (c *check) find() (err error) {
	for again := 0; ; again++ {
		if c.paths, err = list(c.dirs); err != nil {
			return err
		}
		c.vols, c.bad = make([]*volume, len(c.paths)), make([]bool, len(c.paths))
		errs := make([]error, len(c.paths))
		for i, path := range c.paths {
			c.vols[i], errs[i] = inspect(path)
		}
		if again < 3 && slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, errNotExist) }) {
			continue
		}
		for i, err := range errs {
			if err != nil {
				c.bad[i] = true
				c.fault(c.paths[i], err)
			}
			if v := c.vols[i]; v != nil {
				c.total += v.size
			}
		}
		return nil
	}
}

func (c *check) fault(path string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var d *Damage
	if !errors.As(err, &d) {
		d = &Damage{File: path, What: err.Error()}
	}
	c.rep.Faults = append(c.rep.Faults, d)
}

func (c *check) readHead() {
	var err error
	if c.head, err = readHead(c.opts.Head); err != nil {
		c.fault(c.opts.Head, err)
	}
}

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
		err := v.scan(end)
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

func (c *check) count(records, voids uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rep.Records += records
	c.rep.Voids += voids
}

func (c *check) tell(bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rep.Bytes += bytes
	if c.progress != nil {
		c.progress(c.rep.Bytes, c.total)
	}
}

// join checks how the segments fit together, as far as they could be read.
func (c *check) join() {
	for i := 1; i < len(c.vols); i++ {
		if c.vols[i] == nil || c.vols[i-1] == nil || c.bad[i-1] {
			continue
		}
		if err := c.vols[i].follows(c.vols[i-1]); err != nil {
			c.fault(c.paths[i], err)
		}
	}
	n := len(c.vols)
	if n == 0 {
		c.short(0)
		return
	}
	if c.vols[0] != nil {
		c.rep.First = c.vols[0].h.void
	}
	s := &shelf{vols: slices.DeleteFunc(slices.Clone(c.vols), func(v *volume) bool { return v == nil })}
	if c.vols[0] != nil && len(s.vols) == n && !c.grew {
		if err := s.whole(c.dirs); err != nil {
			c.fault(c.paths[0], err)
		}
	}
	if v := c.vols[n-1]; v != nil && !c.bad[n-1] {
		c.rep.Next, _, _, c.rep.Last = v.ends()
		c.short(c.rep.Next)
	}
}

// short reports a journal that ends before what the head file has seen.
func (c *check) short(next uint64) {
	if next < c.head.next {
		c.fault(c.opts.Head, &Damage{c.opts.Head, 0, next, fmt.Sprintf(
			"the journal holds %d entries and should hold %d: it was cut or rolled back", next, c.head.next)})
	}
}
