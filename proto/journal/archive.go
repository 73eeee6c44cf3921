package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Keep is how long an entry stays in an archive at least: two years (R11).
const Keep = (2*365 + 1) * 24 * time.Hour

// ErrTooYoung: entries that must still be kept were to be removed.
var ErrTooYoung = errors.New("entries are kept for two years")

// Limit says up to where segments are archived: those whose entries are all before Seq and before Time. A zero field
// does not limit.
type Limit struct {
	Seq  uint64
	Time time.Time
}

// Moved is what Archive or Remove did.
type Moved struct {
	Segments int
	Entries  uint64
	Before   int64 // bytes of these segments where they were
	After    int64 // bytes of them in the archive
}

// Archive compresses sealed segments of the journal in `dir` and moves them to the directory `to`, oldest first. It may run
// beside an open journal and its readers, which then need both directories. Each segment is checked wholly before,
// the compressed one is compared with it byte for byte and made durable, and only then it is removed. The segment
// that takes records and the one before it stay. by is who asked for it.
func Archive(ctx context.Context, dir, to string, limit Limit, by string) (Moved, error) {
	var m Moved
	if err := os.MkdirAll(to, 0o700); err != nil {
		return m, fmt.Errorf("archive: %w", err)
	}
	lock, err := takeLock(to)
	if err != nil {
		return m, fmt.Errorf("archive: %w", err)
	}
	defer lock.Close()
	r, err := OpenReader(dir)
	if err != nil {
		return m, fmt.Errorf("archive: %w", err)
	}
	vols := r.shelf.vols
	for i := 0; i < len(vols)-2 && limit.covers(vols[i]); i++ {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		size, err := archiveOne(ctx, vols[i], vols[i+1], to, by)
		if err != nil {
			return m, fmt.Errorf("archive %s: %w", vols[i].path, err)
		}
		m.Segments++
		m.Entries += vols[i].t.next - vols[i].h.void
		m.Before += vols[i].size
		m.After += size
	}
	return m, nil
}

// covers reports whether all entries of a sealed segment are within the limit.
func (l Limit) covers(v *volume) bool {
	return v.t != nil && (l.Seq == 0 || v.t.next <= l.Seq) && (l.Time.IsZero() || v.t.ms < l.Time.UnixMilli())
}

// archiveOne moves one segment. next is the one behind it, with which its directory begins from now on.
func archiveOne(ctx context.Context, v, next *volume, to, by string) (int64, error) {
	src, err := openSource(v.path, v.zstd)
	if err != nil {
		return 0, err
	}
	defer src.Close()
	whole := &check{rep: &Report{}}
	if err := whole.records(ctx, v, src); err != nil {
		return 0, err
	}
	path := filepath.Join(to, fmt.Sprintf("%020d%s", v.h.first, zstdSuffix))
	size, err := compress(v, path)
	if err != nil {
		return 0, err
	}
	m := marker{first: next.h.void, digest: next.h.before, kind: kindArchived, by: by, at: time.Now()}
	dir := filepath.Dir(v.path)
	if err := writeWhole(osDisk{}, filepath.Join(dir, markerName), m.encode()); err != nil {
		return 0, err
	}
	if err := os.Remove(v.path); err != nil {
		return 0, err
	}
	return size, osDisk{}.SyncDir(dir)
}

// compress writes a segment's compressed form, compares it with the segment, and makes it durable under its name.
func compress(v *volume, path string) (size int64, err error) {
	plain, err := os.Open(v.path)
	if err != nil {
		return 0, err
	}
	defer plain.Close()
	temp := path + ".new"
	out, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	p, err := newPacker(out)
	if err == nil {
		err = p.pack(plain)
	}
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		size, err = compare(plain, v.size, temp)
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return 0, errors.Join(err, os.Remove(temp))
	}
	return size, osDisk{}.SyncDir(filepath.Dir(path))
}

// compare fails unless the compressed file gives the plain one back.
func compare(plain *os.File, size int64, packed string) (int64, error) {
	info, err := os.Stat(packed)
	if err != nil {
		return 0, err
	}
	src, err := openSource(packed, true)
	if err != nil {
		return 0, err
	}
	defer src.Close()
	if src.Size() != size {
		return 0, fmt.Errorf("%s would give back %d bytes of %d", packed, src.Size(), size)
	}
	a, b := make([]byte, scanChunk), make([]byte, scanChunk)
	for off := int64(0); off < size; off += scanChunk {
		n := min(scanChunk, size-off)
		if _, err := plain.ReadAt(a[:n], off); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if _, err := src.ReadAt(b[:n], off); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if !bytes.Equal(a[:n], b[:n]) {
			return 0, fmt.Errorf("%s does not give back what was written at offset %d", packed, off)
		}
	}
	return info.Size(), nil
}

// Remove deletes archived segments whose entries are all older than `before`, oldest first, and leaves a marker that
// says from where on the journal goes, and who removed what was before. It fails with ErrTooYoung if `before` is
// less than Keep ago. The archive's last segment stays.
func Remove(ctx context.Context, archive string, before time.Time, by string) (Moved, error) {
	return removeAt(ctx, archive, before, by, time.Now())
}

func removeAt(ctx context.Context, archive string, before time.Time, by string, now time.Time) (Moved, error) {
	var m Moved
	if young := now.Add(-Keep); before.After(young) {
		return m, fmt.Errorf("%w: nothing after %s can be removed", ErrTooYoung, young.UTC().Format(time.DateOnly))
	}
	lock, err := takeLock(archive)
	if err != nil {
		return m, fmt.Errorf("remove archived segments: %w", err)
	}
	defer lock.Close()
	s, err := loadShelf([]string{archive}, nil, nil, true)
	if err != nil {
		return m, fmt.Errorf("remove archived segments: %w", err)
	}
	for i := 0; i < len(s.vols)-1 && (Limit{Time: before}).covers(s.vols[i]); i++ {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		v, next := s.vols[i], s.vols[i+1]
		mark := marker{first: next.h.void, digest: next.h.before, kind: kindRemoved, by: by, at: now}
		if err := writeWhole(osDisk{}, filepath.Join(archive, markerName), mark.encode()); err != nil {
			return m, fmt.Errorf("remove archived segments: %w", err)
		}
		if err := errors.Join(os.Remove(v.path), osDisk{}.SyncDir(archive)); err != nil {
			return m, fmt.Errorf("remove archived segments: %w", err)
		}
		m.Segments++
		m.Entries += v.t.next - v.h.void
		m.Before += v.size
	}
	return m, nil
}
