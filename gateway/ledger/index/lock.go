package index

import (
	"errors"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// ErrInUse says that another process has the index open.
var ErrInUse = errors.New("another process has the ledger's index open: stop it first")

// lock keeps others from the index at path, from other processes too. The file stays; the lock goes with the process.
func lock(path string) (unlock func(), err error) {
	unlock, err = safefile.TryLock(path + ".lock")
	if errors.Is(err, safefile.ErrLocked) {
		return nil, ErrInUse
	}
	return unlock, err
}
