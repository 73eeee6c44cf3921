package notary

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile keeps two processes from adding to one log. Tessera locks single steps only.
const lockFile = "notary.lock"

func lock(dir string) (unlock func(), err error) {
	state := filepath.Join(dir, stateDir)
	if err := os.MkdirAll(state, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of the log: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(state, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock log: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("open log %s: %w; stop it first", dir, ErrInUse)
		}
		return nil, fmt.Errorf("lock log: %w", err)
	}
	return func() { _ = f.Close() }, nil
}
