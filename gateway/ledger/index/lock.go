package index

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrInUse says that another process has the index open.
var ErrInUse = errors.New("another process has the ledger's index open: stop it first")

// lock keeps others from an index, from other processes too. The file stays; the lock goes with the process.
type lock struct{ file *os.File }

func takeLock(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock index: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return &lock{f}, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrInUse
	}
	return nil, errors.Join(fmt.Errorf("lock index: %w", err), f.Close())
}

func (l *lock) release() error { return l.file.Close() }
