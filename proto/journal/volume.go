package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// volume is one segment file as it was found.
type volume struct {
	path string
	zstd bool
	h    *header
	t    *trailer // nil while it is not sealed
	size int64    // bytes of the segment; of a compressed one, before it was compressed
	idx  *index   // of a segment that is not sealed
	tail *tail    // how idx was made, if it was by reading the segment
}

// source is an open segment file. Offsets are those of the segment, compressed or not.
type source interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

type plainSource struct {
	*os.File
	size int64
}

// Size returns the bytes of the file.
func (p plainSource) Size() int64 { return p.size }

// openSource opens a segment file to be read.
func openSource(path string, zstd bool) (source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	if zstd {
		return openZstd(f, info.Size())
	}
	return plainSource{f, info.Size()}, nil
}

// inspect reads a segment's header and trailer. A volume that comes with an error has a header, but no right trailer.
func inspect(path string) (*volume, error) {
	first, zstd, _ := parseName(filepath.Base(path))
	src, err := openSource(path, zstd)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	v := &volume{path: path, zstd: zstd, size: src.Size()}
	if err := v.readHeader(src, first); err != nil {
		return nil, err
	}
	if v.size == v.h.size {
		return v, nil
	}
	return v, v.readTrailer(src)
}

func (v *volume) readHeader(src source, first uint64) error {
	path := v.path
	b := make([]byte, headerSize)
	n, err := src.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if v.h, err = decodeHeader(b[:n]); err != nil {
		return &Damage{path, 0, first, err.Error()}
	}
	if v.h.first != first {
		return &Damage{path, 56, first, fmt.Sprintf("the segment of seq %d has this file's name", v.h.first)}
	}
	return nil
}

func (v *volume) readTrailer(src source) error {
	b := make([]byte, min(trailerSize, v.size))
	off := v.size - int64(len(b))
	if _, err := src.ReadAt(b, off); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", v.path, err)
	}
	var err error
	if v.t, err = decodeTrailer(b, v.h, v.size); err != nil {
		return &Damage{v.path, off, v.h.first, err.Error()}
	}
	return nil
}

// readMarks reads the index of a sealed segment.
func (v *volume) readMarks(src source) (*index, error) {
	b := make([]byte, v.size-trailerSize-v.t.end)
	if _, err := src.ReadAt(b, v.t.end); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", v.path, err)
	}
	x, ok := decodeMarks(b, v.t)
	if !ok {
		return nil, &Damage{v.path, v.t.end, v.h.first, "the marks are not what was written"}
	}
	return x, nil
}

// ends returns the figures behind the segment's last record.
func (v *volume) ends() (next uint64, end int64, ms int64, last Digest) {
	if v.t != nil {
		return v.t.next, v.t.end, v.t.ms, v.t.last
	}
	return v.idx.ends()
}

// scan reads a segment that is not sealed, up to an offset, and makes its index or adds to it. whole is that of
// loadShelf.
func (v *volume) scan(end int64, whole bool) error {
	src, err := openSource(v.path, v.zstd)
	if err != nil {
		return err
	}
	defer src.Close()
	if v.idx == nil {
		v.idx = newIndex(v.h)
	}
	v.tail = &tail{src: src, file: v.path, h: v.h, idx: v.idx, end: end, brief: !whole}
	v.tail.cut, err = v.tail.scan()
	return err
}

// follows checks that v is the segment after prev.
func (v *volume) follows(prev *volume) error {
	next, end, _, last := prev.ends()
	damage := func(off int64, what string) error { return &Damage{v.path, off, v.h.void, what} }
	switch {
	case v.h.prev.id != prev.h.id || v.h.prev.first != prev.h.first:
		return damage(96, fmt.Sprintf("the segment before it should be that of seq %d and not %s: one is missing or foreign",
			v.h.prev.first, filepath.Base(prev.path)))
	case v.h.prev.end != end:
		return damage(120, fmt.Sprintf("%s ends at offset %d and should at %d", filepath.Base(prev.path), end, v.h.prev.end))
	case v.h.void != next:
		return damage(48, fmt.Sprintf("%s ends before seq %d, but this segment follows seq %d", filepath.Base(prev.path), next, v.h.void))
	case v.h.before != last:
		return damage(64, fmt.Sprintf("it does not follow from the last record of %s", filepath.Base(prev.path)))
	}
	return nil
}

// list returns the paths of all segment files of the directories by first record. Where a segment is there plain
// and compressed, the plain one counts: archiving it was not finished.
func list(dirs []string) ([]string, error) {
	type found struct {
		first uint64
		zstd  bool
		path  string
	}
	var all []found
	for i, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, errNotExist) && i > 0 {
			continue // an archive that was never written to
		}
		if err != nil {
			return nil, fmt.Errorf("list the journal's segments: %w", err)
		}
		for _, e := range entries {
			if first, zstd, ok := parseName(e.Name()); ok {
				all = append(all, found{first, zstd, filepath.Join(dir, e.Name())})
			} else if ext := filepath.Ext(e.Name()); ext == suffix {
				return nil, fmt.Errorf("%w: %s has no name that a segment has; move it away", ErrDamaged, filepath.Join(dir, e.Name()))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		switch {
		case a.first != b.first:
			return cmp.Compare(a.first, b.first)
		case a.zstd != b.zstd && b.zstd:
			return -1
		case a.zstd != b.zstd:
			return 1
		}
		return 0
	})
	all = slices.CompactFunc(all, func(a, b found) bool { return a.first == b.first && !a.zstd && b.zstd })
	paths := make([]string, len(all))
	for i, f := range all {
		paths[i] = f.path
	}
	return paths, nil
}
