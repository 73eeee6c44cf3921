package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// ill is what a device does.
type ill string

// What can be wrong with a device.
const (
	well     ill = ""
	failing  ill = "fails to sync" // EIO
	readOnly ill = "read-only"     // EROFS
	hanging  ill = "hangs"         // a sync does not return
)

// faulty is a directory that keeps its files in another one and behaves like a device that is ill.
type faulty struct {
	mu     sync.Mutex
	state  ill
	mended chan struct{} // closed when the state is well again
}

// mountFaulty mounts the files of backing at a directory.
func (w *world) mountFaulty(backing, at string) (d *faulty, undo func() error, err error) {
	d = &faulty{mended: make(chan struct{})}
	root := &fs.LoopbackRoot{Path: backing}
	root.RootNode = &faultyNode{&fs.LoopbackNode{RootData: root}, d}
	if err := os.MkdirAll(at, 0o700); err != nil {
		return nil, nil, err
	}
	server, err := fs.Mount(at, root.RootNode, &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "faulty", Name: "faulty"}})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errMount, err)
	}
	undo = w.onClose(func() error {
		d.become(well) // nothing may wait for it
		if err := unmount(at); err != nil {
			return err
		}
		server.Wait()
		return nil
	})
	return d, undo, nil
}

// become makes the device ill, or well.
func (d *faulty) become(state ill) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state != well {
		close(d.mended)
		d.mended = make(chan struct{})
	}
	d.state = state
}

// change is asked before anything is changed.
func (d *faulty) change() syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == readOnly {
		return syscall.EROFS
	}
	return 0
}

// sync is asked before anything is synced.
func (d *faulty) sync() syscall.Errno {
	d.mu.Lock()
	state, mended := d.state, d.mended
	d.mu.Unlock()
	switch state {
	case failing:
		return syscall.EIO
	case hanging:
		select {
		case <-mended:
		case <-time.After(5 * time.Minute):
		}
	}
	return 0
}

// faultyNode is a file or directory.
type faultyNode struct {
	*fs.LoopbackNode
	device *faulty
}

// WrapChild makes files below this one ill as well.
func (n *faultyNode) WrapChild(_ context.Context, ops fs.InodeEmbedder) fs.InodeEmbedder {
	if file, ok := ops.(*fs.LoopbackNode); ok {
		return &faultyNode{file, n.device}
	}
	return ops
}

// Create makes a file.
func (n *faultyNode) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	if errno := n.device.change(); errno != 0 {
		return nil, nil, 0, errno
	}
	inode, handle, more, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	return inode, n.wrap(handle), more, errno
}

// Open opens a file.
func (n *faultyNode) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if flags&(syscall.O_WRONLY|syscall.O_RDWR) != 0 {
		if errno := n.device.change(); errno != 0 {
			return nil, 0, errno
		}
	}
	handle, more, errno := n.LoopbackNode.Open(ctx, flags)
	return n.wrap(handle), more, errno
}

func (n *faultyNode) wrap(handle fs.FileHandle) fs.FileHandle {
	if file, ok := handle.(*fs.LoopbackFile); ok {
		return &faultyFile{file, n.device}
	}
	return handle
}

// Rename gives a file another name.
func (n *faultyNode) Rename(ctx context.Context, name string, parent fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	if errno := n.device.change(); errno != 0 {
		return errno
	}
	return n.LoopbackNode.Rename(ctx, name, parent, newName, flags)
}

// Unlink removes a file.
func (n *faultyNode) Unlink(ctx context.Context, name string) syscall.Errno {
	if errno := n.device.change(); errno != 0 {
		return errno
	}
	return n.LoopbackNode.Unlink(ctx, name)
}

// faultyFile is an open file.
type faultyFile struct {
	*fs.LoopbackFile
	device *faulty
}

// PassthroughFd keeps the kernel from going past this.
func (f *faultyFile) PassthroughFd() (int, bool) { return 0, false }

// Write writes.
func (f *faultyFile) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if errno := f.device.change(); errno != 0 {
		return 0, errno
	}
	return f.LoopbackFile.Write(ctx, data, off)
}

// Fsync makes durable.
func (f *faultyFile) Fsync(ctx context.Context, flags uint32) syscall.Errno {
	if errno := f.device.sync(); errno != 0 {
		return errno
	}
	return f.LoopbackFile.Fsync(ctx, flags)
}

// Setattr sets length and more.
func (f *faultyFile) Setattr(ctx context.Context, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if errno := f.device.change(); errno != 0 {
		return errno
	}
	return f.LoopbackFile.Setattr(ctx, in, out)
}
