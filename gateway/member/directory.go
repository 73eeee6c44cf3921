// Package member says which systems the hub knows, what they may be, and whose certificates are revoked.
//
// Invariants:
//   - A Directory never changes; what changes is which one is current.
//   - Who asks is judged anew for every request, against the Directory of that request, so a revocation counts
//     from the next request on, also on connections that are open.
//   - A list that cannot be read whole is not used: the one before it stays, and Watcher.Err says why.
//
// What does not belong here: reading identities from certificates (proto/peer), issuing certificates (authority),
// and what a member may ask (gateway/agreement).
package member

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/lienthong/lienthong/proto/peer"
)

// Directory is who the members were at one moment. It is immutable and safe for concurrent use.
type Directory struct {
	version string
	systems map[peer.ID]System
	revoked map[string]struct{}
}

// ParseDirectory reads the content of FileName.
func ParseDirectory(data []byte) (*Directory, error) {
	f, err := ParseFile(data)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	d := &Directory{
		version: hex.EncodeToString(sum[:8]),
		systems: make(map[peer.ID]System, len(f.Systems)),
		revoked: make(map[string]struct{}, len(f.Revoked)),
	}
	for _, s := range f.Systems {
		d.systems[s.ID] = s
	}
	for _, r := range f.Revoked {
		d.revoked[r.Serial] = struct{}{}
	}
	return d, nil
}

// Version names the content, for the records of what was decided by it: 16 hexadecimal digits.
func (d *Directory) Version() string { return d.version }

// Lookup returns what is known about a system; false if nothing is.
func (d *Directory) Lookup(id peer.ID) (System, bool) {
	s, ok := d.systems[id]
	return s, ok
}

// Revoked reports whether the certificate with this serial (see peer.Serial) was revoked.
func (d *Directory) Revoked(serial string) bool {
	_, ok := d.revoked[serial]
	return ok
}

// Having returns the active systems that have all of the roles, in no order.
func (d *Directory) Having(roles Roles) []peer.ID {
	var ids []peer.ID
	for id, s := range d.systems {
		if s.Status == Active && s.Roles.Has(roles) {
			ids = append(ids, id)
		}
	}
	return ids
}
