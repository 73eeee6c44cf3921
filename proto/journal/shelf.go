package journal

import (
	"fmt"
	"sort"
)

// shelf is the segments of some directories, in order and without a gap. It does not change; its newest index grows.
type shelf struct {
	vols []*volume
}

// loadShelf finds the segments and checks that they fit together: headers and trailers of those that are sealed,
// everything in those that are not. What `old` has is not read again. tails gives the index of a segment that a
// journal of this process has not sealed yet, nil for others. whole reads the last segment to its end, where otherwise
// the length of a batch is looked at behind the last one: what would follow begins there.
func loadShelf(dirs []string, old *shelf, tails func(first uint64) *index, whole bool) (*shelf, error) {
	paths, err := list(dirs)
	if err != nil {
		return nil, err
	}
	s, known := &shelf{vols: make([]*volume, len(paths))}, old.byPath()
	for i, path := range paths {
		if s.vols[i], err = reuse(known[path], path); err != nil {
			return nil, err
		}
	}
	for i, v := range s.vols {
		if v.t == nil {
			if err := s.indexUnsealed(i, tails, whole); err != nil {
				return nil, err
			}
		}
		if i > 0 {
			if err := v.follows(s.vols[i-1]); err != nil {
				return nil, err
			}
		}
	}
	return s, s.whole(dirs)
}

// byPath finds the volumes by their paths. There is one for each 64 MiB ever kept: too many to look through for each.
func (s *shelf) byPath() map[string]*volume {
	if s == nil {
		return nil
	}
	known := make(map[string]*volume, len(s.vols))
	for _, v := range s.vols {
		known[v.path] = v
	}
	return known
}

// reuse returns the volume that was read before, if it was, or reads it.
func reuse(old *volume, path string) (*volume, error) {
	if old != nil && old.t != nil {
		return old, nil
	}
	v, err := inspect(path)
	if err != nil {
		return nil, err
	}
	if old != nil && v.t == nil && old.h.id == v.h.id {
		v.idx = old.idx
	}
	return v, nil
}

// indexUnsealed completes the index of a segment that is not sealed.
func (s *shelf) indexUnsealed(i int, tails func(uint64) *index, whole bool) error {
	v := s.vols[i]
	if tails != nil {
		if x := tails(v.h.first); x != nil {
			v.idx = x
			return nil
		}
	}
	if i == len(s.vols)-1 {
		return v.scan(v.h.size, whole)
	}
	end := s.vols[i+1].h.prev.end
	if s.vols[i+1].h.prev.id != v.h.id || end > v.h.size {
		return s.vols[i+1].follows(v) // says what is wrong
	}
	if v.idx != nil && v.idx.behind(end) {
		v.idx = nil // a batch was seen there whose sync failed
	}
	if err := v.scan(end, true); err != nil {
		return err
	}
	if _, off, _, _ := v.idx.ends(); off != end {
		return v.tail.damage(off, fmt.Sprintf("a batch is missing: the segment should go on to offset %d", end))
	}
	return nil
}

// whole checks both ends of the shelf.
func (s *shelf) whole(dirs []string) error {
	if len(s.vols) == 0 {
		return nil
	}
	if v := s.vols[len(s.vols)-1]; v.t != nil && !v.zstd {
		return &Damage{v.path, v.size, v.t.next, "the segment is sealed, so there was one behind it: that is missing"}
	}
	return s.begins(dirs)
}

// bounds returns the first sequence number that the shelf has and the one behind its last.
func (s *shelf) bounds() (first, next uint64) {
	if len(s.vols) == 0 {
		return 0, 0
	}
	next, _, _, _ = s.vols[len(s.vols)-1].ends()
	return s.vols[0].h.void, next
}

// known returns the sequence number up to which nothing on the shelf can change.
func (s *shelf) known() uint64 {
	if len(s.vols) == 0 {
		return 0
	}
	if v := s.vols[len(s.vols)-1]; v.t == nil {
		return v.idx.known()
	}
	_, next := s.bounds()
	return next
}

// find returns the volume that covers a sequence number within the bounds.
func (s *shelf) find(seq uint64) *volume {
	i := sort.Search(len(s.vols), func(i int) bool { return s.vols[i].h.void > seq })
	if i == 0 {
		return nil
	}
	return s.vols[i-1]
}
