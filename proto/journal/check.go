package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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
