package journal

import (
	"os"
	"syscall"
)

// Disk is how the journal writes. Tests put their own between it and the operating system; reading goes past it.
type Disk interface {
	Create(path string) (File, error) // a new file; fails when there is one
	Open(path string) (File, error)   // a file that exists, to be written
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(dir string) error // makes names durable
}

// File is a file that the journal writes.
type File interface {
	WriteAt(p []byte, off int64) (int, error)
	Datasync() error // makes content durable: fdatasync
	Sync() error     // makes content and length durable: fsync
	Truncate(size int64) error
	Close() error
}

// SystemDisk returns the operating system's, for tests that put something before it.
func SystemDisk() Disk { return osDisk{} }

type osDisk struct{}

type osFile struct{ *os.File }

// Create makes a new file.
func (osDisk) Create(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Open opens a file to be written.
func (osDisk) Open(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Rename replaces a name.
func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

// Remove removes a file.
func (osDisk) Remove(path string) error { return os.Remove(path) }

// SyncDir syncs a directory.
func (osDisk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// Datasync asks for the content alone: on a preallocated file no metadata is written with it.
func (f osFile) Datasync() error {
	for {
		err := datasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if err != syscall.EINTR {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}
