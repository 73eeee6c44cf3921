//go:build !linux

package journal

import "time"

// nap sleeps for a moment.
func nap(d time.Duration) { time.Sleep(d) }
