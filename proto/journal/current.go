package journal

import (
	listed "container/list"
	"errors"
	"sync"
	"time"
)

const (
	keptIndices = 32 // 200 KB each
	patientFor  = 2 * time.Second
	retryEvery  = 2 * time.Millisecond
)

// current returns the shelf that covers everything before `to`, as far as it exists.
func (r *Reader) current(to uint64) (*shelf, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shelf != nil {
		if r.j != nil && r.j.stats.segments.Load() == r.rolled || r.j == nil && to <= r.shelf.known() {
			return r.shelf, nil
		}
	}
	err := r.load()
	return r.shelf, err
}

// reload finds the segments anew.
func (r *Reader) reload() (*shelf, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.load()
	return r.shelf, err
}

func (r *Reader) refresh() error {
	_, err := r.reload()
	return err
}

// load replaces the shelf. Beside a journal that runs, what looks wrong may only be on its way: it looks again for a
// while. The caller holds mu.
func (r *Reader) load() error {
	for began := time.Now(); ; time.Sleep(retryEvery) {
		var tails func(uint64) *index
		if r.j != nil {
			r.rolled, tails = r.j.stats.segments.Load(), r.j.tail
		}
		s, err := loadShelf(r.dirs, r.shelf, tails, false)
		if err == nil {
			r.shelf = s
			return nil
		}
		moving := errors.Is(err, ErrDamaged) || errors.Is(err, errNotExist)
		if !moving || time.Since(began) > patientFor || r.j == nil && !running(r.dirs[0]) {
			return err
		}
	}
}

// tail returns the index of a segment that is not sealed yet, nil for others.
func (j *Journal) tail(first uint64) *index {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.tails[first]
}

// indexCache keeps the indices of the sealed segments that were read last. Its zero value is ready.
type indexCache struct {
	mu    sync.Mutex
	order listed.List // of *cached, the last used in front
}

type cached struct {
	id segmentID
	x  *index
}

// get returns the index of a segment.
func (c *indexCache) get(v *volume, src source) (*index, error) {
	if v.t == nil {
		return v.idx, nil
	}
	if x := c.find(v.h.id); x != nil {
		return x, nil
	}
	x, err := v.readMarks(src)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order.PushFront(&cached{v.h.id, x})
	if c.order.Len() > keptIndices {
		c.order.Remove(c.order.Back())
	}
	return x, nil
}

func (c *indexCache) find(id segmentID) *index {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.order.Front(); e != nil; e = e.Next() {
		if k := e.Value.(*cached); k.id == id {
			c.order.MoveToFront(e)
			return k.x
		}
	}
	return nil
}
