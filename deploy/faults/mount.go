package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// errMount says what mounting needs.
var errMount = errors.New("power cuts and devices are made with mounts: run this as root, on a machine that allows loop devices, tmpfs and /dev/fuse")

// command runs a program of the system.
func command(ctx context.Context, argv ...string) error {
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
	}
	return nil
}

// mount mounts at a directory, which it makes. It is undone by the function that it returns, or when the world closes.
func (w *world) mount(ctx context.Context, at string, args ...string) (undo func() error, err error) {
	if err := os.MkdirAll(at, 0o700); err != nil {
		return nil, err
	}
	if err := command(ctx, append(append([]string{"mount"}, args...), at)...); err != nil {
		return nil, fmt.Errorf("%w: %w", errMount, err)
	}
	return w.onClose(func() error { return unmount(at) }), nil
}

// unmount takes a mount away, at once or as soon as nobody uses it any more.
func unmount(at string) error {
	err := unix.Unmount(at, 0)
	if errors.Is(err, unix.EBUSY) {
		err = errors.Join(fmt.Errorf("%s is still in use", at), unix.Unmount(at, unix.MNT_DETACH))
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", at, err)
	}
	return nil
}

// image is a disk in a file.
type image struct {
	path string
	size int64
}

// makeImage makes an empty disk with an ext4 on it.
func makeImage(ctx context.Context, path string, size int64) (*image, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		return nil, err
	}
	if err := command(ctx, "mkfs.ext4", "-q", "-F", path); err != nil {
		return nil, fmt.Errorf("%w: %w", errMount, err)
	}
	return &image{path, size}, nil
}

// mount mounts the disk. Names and lengths that nobody asks to be kept are written after minutes only, so that a cut
// loses as much as it can.
func (i *image) mount(ctx context.Context, w *world, at string) (undo func() error, err error) {
	return w.mount(ctx, at, "-o", "loop,commit=300", i.path)
}

// copy copies what the disk holds at this moment. What only the page cache knows is not in it.
func (i *image) copy(ctx context.Context, path string) (*image, error) {
	return &image{path, i.size}, copyAll(ctx, i.path, path)
}
