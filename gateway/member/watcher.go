package member

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/lienthong/lienthong/gateway/snapshot"
	"github.com/lienthong/lienthong/proto/peer"
)

// watchInterval is the longest that a change on disk stays unnoticed.
const watchInterval = 500 * time.Millisecond

// Watcher keeps the current Directory. Its methods may be called by any number of goroutines.
type Watcher struct {
	current *snapshot.Snapshot[*Directory]
	end     context.CancelFunc
}

// Watch reads dir/members.json and reads it again when it changes, until ctx ends. It fails if the file cannot
// be read the first time; later a file that cannot be read changes nothing, and Err says why.
func Watch(ctx context.Context, dir string) (*Watcher, error) {
	path := filepath.Join(dir, FileName)
	ctx, cancel := context.WithCancel(ctx)
	load := func() (*Directory, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read members: %w", err)
		}
		return ParseDirectory(data)
	}
	w := &Watcher{current: snapshot.Watch(ctx, load, func() (string, error) { return stamp(path) }, watchInterval), end: cancel}
	if w.current.Load() == nil {
		err := w.current.Err()
		w.Close()
		return nil, err
	}
	return w, nil
}

// Directory returns who the members are. It never blocks and never returns nil. One request uses one of them.
func (w *Watcher) Directory() *Directory { return w.current.Load() }

// Err says why the file as it is now is not what Directory returns; nil when it is.
func (w *Watcher) Err() error { return w.current.Err() }

// Close ends the watching and waits for it.
func (w *Watcher) Close() {
	w.end()
	w.current.Wait()
}

// Accept refuses revoked certificates when a connection is opened, for peer.Config. Systems that are unknown or
// suspended may connect: each of their requests is refused, and recorded, with a reason that they can read.
func (w *Watcher) Accept(_ peer.ID, cert *x509.Certificate) error {
	if w.Directory().Revoked(peer.Serial(cert)) {
		return peer.Revoked
	}
	return nil
}

// AcceptAs is Accept for those who do not ask themselves, so that nothing else judges them: it refuses whoever is not
// an active system with all of the roles at that moment.
func (w *Watcher) AcceptAs(roles Roles) func(peer.ID, *x509.Certificate) error {
	return func(id peer.ID, cert *x509.Certificate) error {
		d := w.Directory()
		if d.Revoked(peer.Serial(cert)) {
			return peer.Revoked
		}
		if s, ok := d.Lookup(id); !ok || s.Status != Active || !s.Roles.Has(roles) {
			return fmt.Errorf("%w: no active %s", peer.NotAccepted, roles)
		}
		return nil
	}
}

// stamp changes when the file does.
func stamp(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return snapshot.FileStamp(info), nil
}
