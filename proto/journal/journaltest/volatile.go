package journaltest

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/lienthong/lienthong/proto/journal"
)

// ErrCut is what a disk without power answers.
var ErrCut = errors.New("the power was cut")

// sector is what a disk writes wholly or not at all.
const sector = 512

// Volatile is a disk that loses what was not synced when its power is cut: each sector that was written since comes
// through or does not, whatever became of the others. Names are durable at once.
type Volatile struct {
	mu    sync.Mutex
	cut   bool
	files []*volatileFile
}

type volatileFile struct {
	journal.File
	d   *Volatile
	old map[int64][]byte // content of sectors as it was at the last sync, by offset
	end int64            // nothing is behind it: a new file grows as it is written
	raw interface {
		ReadAt(p []byte, off int64) (int, error)
	}
}

// Cut takes the power. Every call fails from then on, and reopening the files with another disk shows what is left.
func (d *Volatile) Cut(rng *rand.Rand) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = true
	var err error
	for _, f := range d.files {
		for off, old := range f.old {
			if rng.IntN(2) == 0 {
				_, werr := f.File.WriteAt(old, off)
				err = errors.Join(err, werr)
			}
		}
		err = errors.Join(err, f.File.Close())
	}
	return err
}

func (d *Volatile) keep(f journal.File, end int64, err error) (journal.File, error) {
	if err != nil {
		return nil, err
	}
	raw, ok := f.(interface {
		ReadAt(p []byte, off int64) (int, error)
	})
	if !ok {
		return nil, errors.New("a file that cannot be read")
	}
	v := &volatileFile{File: f, d: d, old: map[int64][]byte{}, raw: raw, end: end}
	d.files = append(d.files, v)
	return v, nil
}

// Create makes a new file.
func (d *Volatile) Create(path string) (journal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return nil, ErrCut
	}
	f, err := journal.SystemDisk().Create(path)
	return d.keep(f, 0, err)
}

// Open opens a file that exists.
func (d *Volatile) Open(path string) (journal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return nil, ErrCut
	}
	f, err := journal.SystemDisk().Open(path)
	return d.keep(f, math.MaxInt64, err)
}

// Rename renames a file.
func (d *Volatile) Rename(from, to string) error {
	return d.powered(func() error { return journal.SystemDisk().Rename(from, to) })
}

// Remove removes a file.
func (d *Volatile) Remove(path string) error {
	return d.powered(func() error { return journal.SystemDisk().Remove(path) })
}

// SyncDir does nothing: names are durable.
func (d *Volatile) SyncDir(string) error { return d.powered(func() error { return nil }) }

func (d *Volatile) powered(do func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return ErrCut
	}
	return do()
}

// WriteAt writes, and remembers what was there.
func (f *volatileFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.d.powered(func() error {
		for at := off / sector * sector; at < off+int64(len(p)); at += sector {
			if _, known := f.old[at]; known {
				continue
			}
			var old []byte
			if at < f.end {
				old = make([]byte, sector)
				got, _ := f.raw.ReadAt(old, at)
				old = old[:got]
			}
			f.old[at] = old
		}
		n, err = f.File.WriteAt(p, off)
		f.end = max(f.end, off+int64(n))
		return err
	})
	return n, err
}

// Datasync makes what was written durable.
func (f *volatileFile) Datasync() error {
	return f.d.powered(func() error { clear(f.old); return nil })
}

// Sync makes what was written durable.
func (f *volatileFile) Sync() error { return f.Datasync() }

// Truncate cuts the file at once.
func (f *volatileFile) Truncate(size int64) error {
	return f.d.powered(func() error { return f.File.Truncate(size) })
}

// Close leaves the file open until the power is cut: what was not synced can be lost after it was closed.
func (f *volatileFile) Close() error { return nil }
