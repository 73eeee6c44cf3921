package parts

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock keeps two hubs from running in one directory. The lock ends with the process at the latest.
func (d Dir) lock() (unlock func(), err error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, fmt.Errorf("lock %s: %w", d, err)
	}
	f, err := os.OpenFile(d.join("up.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", d, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another hub runs in %s; stop it, or use another --dir", d)
		}
		return nil, fmt.Errorf("lock %s: %w", d, err)
	}
	return func() { _ = f.Close() }, nil
}
