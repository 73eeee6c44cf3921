package journal

import (
	"syscall"
	"time"
)

// nap sleeps for less than a millisecond, which time.Sleep rounds up to one on an idle machine.
func nap(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil) // a signal ends it early
}
