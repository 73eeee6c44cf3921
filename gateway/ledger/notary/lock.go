package notary

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// lockFile keeps two processes from adding to one log. Tessera locks single steps only.
const lockFile = "notary.lock"

func lock(dir string) (unlock func(), err error) {
	state := filepath.Join(dir, stateDir)
	if err := os.MkdirAll(state, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of the log: %w", err)
	}
	unlock, err = safefile.TryLock(filepath.Join(state, lockFile))
	if errors.Is(err, safefile.ErrLocked) {
		return nil, fmt.Errorf("open log %s: %w; stop it first", dir, ErrInUse)
	}
	return unlock, err
}
