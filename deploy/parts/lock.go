package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// await takes a lock file of the directory, and waits for it as long as another process has it. waiting is called
// once if it has to.
func (d Dir) await(ctx context.Context, name string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(d.join(name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", d.join(name), err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
		}
		if waiting != nil {
			waiting()
			waiting = nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for %s: %w", f.Name(), ctx.Err()), f.Close())
		case <-tick.C:
		}
	}
}

// lock keeps two hubs from running in one directory. The lock ends with the process at the latest.
func (d Dir) lock() (unlock func(), err error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, fmt.Errorf("use directory %s, choose another one with --dir: %w", d, err)
	}
	f, err := os.OpenFile(d.join("up.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("use directory %s, choose another one with --dir: %w", d, err)
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
