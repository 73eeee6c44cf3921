package snapshot

import "syscall"

// changed is when a file's content or attributes last changed, in nanoseconds.
func changed(s *syscall.Stat_t) int64 { return s.Ctimespec.Nano() }
