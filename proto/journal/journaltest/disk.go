// Package journaltest is a disk that fails on demand, for tests of the journal and of whoever writes to one.
//
// What does not belong here: faults that need another process or a real device.
package journaltest

import (
	"sync"

	"github.com/lienthong/lienthong/proto/journal"
)

// Disk is the operating system's with faults. Its zero value works without one. Its methods may be called at any time.
type Disk struct {
	mu     sync.Mutex
	create error
	rename error
	dirs   error
	write  error
	short  int // bytes that a failing write still writes
	sync   error
	hung   chan struct{} // closed when syncs go on; nil when they do not hang
	syncs  int
}

// FailCreate makes new files fail; nil makes them work again.
func (d *Disk) FailCreate(err error) { d.set(func() { d.create = err }) }

// FailRename makes renaming fail; nil makes it work again.
func (d *Disk) FailRename(err error) { d.set(func() { d.rename = err }) }

// FailSyncDir makes syncs of directories fail, after names were changed; nil makes them work again.
func (d *Disk) FailSyncDir(err error) { d.set(func() { d.dirs = err }) }

// FailWrite makes writes fail after so many bytes of each; nil makes them work again.
func (d *Disk) FailWrite(err error, short int) { d.set(func() { d.write, d.short = err, short }) }

// FailSync makes syncs fail, after what was written; nil makes them work again.
func (d *Disk) FailSync(err error) { d.set(func() { d.sync = err }) }

// Hang makes syncs wait until the function that it returns is called. That may be called more than once.
func (d *Disk) Hang() (release func()) {
	hung := make(chan struct{})
	d.set(func() { d.hung = hung })
	return sync.OnceFunc(func() {
		d.set(func() { d.hung = nil })
		close(hung)
	})
}

// Syncs returns how many syncs of file content were asked for.
func (d *Disk) Syncs() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.syncs
}

func (d *Disk) set(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// Create makes a new file.
func (d *Disk) Create(path string) (journal.File, error) {
	d.mu.Lock()
	err := d.create
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	f, err := journal.SystemDisk().Create(path)
	return &file{f, d}, err
}

// Open opens a file that exists.
func (d *Disk) Open(path string) (journal.File, error) {
	f, err := journal.SystemDisk().Open(path)
	return &file{f, d}, err
}

// Rename renames a file.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	err := d.rename
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return journal.SystemDisk().Rename(from, to)
}

// Remove removes a file.
func (d *Disk) Remove(path string) error { return journal.SystemDisk().Remove(path) }

// SyncDir makes names durable.
func (d *Disk) SyncDir(dir string) error {
	d.mu.Lock()
	err := d.dirs
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return journal.SystemDisk().SyncDir(dir)
}

type file struct {
	journal.File
	d *Disk
}

// WriteAt writes, or fails after a part.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	err, short := f.d.write, f.d.short
	f.d.mu.Unlock()
	if err == nil {
		return f.File.WriteAt(p, off)
	}
	n, werr := f.File.WriteAt(p[:min(short, len(p))], off)
	if werr != nil {
		return n, werr
	}
	return n, err
}

// Datasync makes content durable, or hangs, or fails.
func (f *file) Datasync() error {
	if err := f.d.pass(); err != nil {
		return err
	}
	return f.File.Datasync()
}

// Sync makes content and length durable, or hangs, or fails.
func (f *file) Sync() error {
	if err := f.d.pass(); err != nil {
		return err
	}
	return f.File.Sync()
}

// pass waits while syncs hang, and answers what they answer then.
func (d *Disk) pass() error {
	d.mu.Lock()
	d.syncs++
	hung := d.hung
	d.mu.Unlock()
	if hung != nil {
		<-hung
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sync
}
