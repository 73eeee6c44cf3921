package parts

import (
	"crypto/tls"
	"os"
	"sync"
	"time"

	"github.com/lienthong/lienthong/proto/peer"
)

// reloading gives an identity's certificate as it is now, so that a renewed one comes into use without a restart.
// The file is looked at once a second at most; one that cannot be read leaves the last good one in use.
func reloading(dir Dir, id peer.ID) func() (*tls.Certificate, error) {
	var mu sync.Mutex
	var looked, changed time.Time
	var current *tls.Certificate
	return func() (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		if current != nil && time.Since(looked) < time.Second {
			return current, nil
		}
		looked = time.Now()
		info, err := os.Stat(dir.Certificate(id))
		if err == nil && current != nil && info.ModTime().Equal(changed) {
			return current, nil
		}
		identity, loadErr := dir.LoadIdentity(id)
		if loadErr != nil {
			if current != nil {
				return current, nil
			}
			return nil, loadErr
		}
		if err == nil {
			changed = info.ModTime()
		}
		current = &identity.Certificate
		return current, nil
	}
}
