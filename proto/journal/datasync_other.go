//go:build unix && !linux

package journal

import "syscall"

func datasync(fd int) error { return syscall.Fsync(fd) }
