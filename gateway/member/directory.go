// Package member says which agencies and systems the hub knows, what they may be, for which officers they ask, and
// whose certificates are refused.
//
// Invariants:
//   - A Directory never changes; what changes is which one is current.
//   - A Directory is of one revision of the hub's state, and it does not matter from which earlier one it was made:
//     what it says and what it is called are the same.
//   - Who asks is judged anew for every request, against the Directory of that request, so a revocation counts
//     from the next request on, also on connections that are open.
//   - An authority of an agency vouches for that agency's systems alone.
//   - The nil Directory knows nobody.
//
// What does not belong here: reading identities from certificates (proto/peer), issuing certificates (authority),
// and what a member may ask (gateway/agreement).
package member

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/lienthong/lienthong/proto/peer"
)

// Directory is who the members were at one moment. It is immutable and safe for concurrent use.
type Directory struct {
	revision int64
	version  string
	agencies map[string]*entry
	revoked  map[string]Denial // by serial
	barred   map[peer.ID]Denial
	denied   sum                       // of both
	given    map[string]GivenCA        // by fingerprint
	pools    map[string]*x509.CertPool // of given authorities, by agency
}

// entry is an agency with all that is its own.
type entry struct {
	Agency
	opens    time.Time // zero: always was
	closes   time.Time // zero: never
	form     *regexp.Regexp
	systems  map[string]*System  // by name
	officers map[string]struct{} // accounts that are enrolled and not disabled
	listed   sum                 // of officers
	digest   [sha256.Size]byte   // of all of it
}

// agency returns what is known of an agency; nil if nothing is.
func (d *Directory) agency(code string) *entry {
	if d == nil {
		return nil
	}
	return d.agencies[code]
}

// system returns what is known of a system; nil if nothing is.
func (e *entry) system(name string) *System {
	if e == nil {
		return nil
	}
	return e.systems[name]
}

// open reports whether the agency is in its time.
func (e *entry) open(now time.Time) bool { return e.closes.IsZero() || now.Before(e.closes) }

// Version names the content, for the records of what was decided by it: the first 16 hexadecimal digits of its SHA-256.
func (d *Directory) Version() string {
	if d == nil {
		return ""
	}
	return d.version
}

// Revision is that of the hub's state that it was read at; 0 if it was not read.
func (d *Directory) Revision() int64 {
	if d == nil {
		return 0
	}
	return d.revision
}

// Agency returns what is known of an agency; false if nothing is.
func (d *Directory) Agency(code string) (Agency, bool) {
	e := d.agency(code)
	if e == nil {
		return Agency{}, false
	}
	return e.Agency, true
}

// Agencies returns all agencies, closed ones too, by code.
func (d *Directory) Agencies() []Agency {
	if d == nil {
		return nil
	}
	all := make([]Agency, 0, len(d.agencies))
	for _, code := range slices.Sorted(maps.Keys(d.agencies)) {
		all = append(all, d.agencies[code].Agency)
	}
	return all
}

// Lookup returns what is known about a system; false if nothing is.
func (d *Directory) Lookup(id peer.ID) (System, bool) {
	s := d.agency(id.Agency).system(id.System)
	if s == nil {
		return System{}, false
	}
	return *s, true
}

// Systems returns the systems of an agency, by name.
func (d *Directory) Systems(agency string) []System {
	e := d.agency(agency)
	if e == nil {
		return nil
	}
	all := make([]System, 0, len(e.systems))
	for _, name := range slices.Sorted(maps.Keys(e.systems)) {
		all = append(all, *e.systems[name])
	}
	return all
}

// Officers says how many accounts of an agency are enrolled and not disabled.
func (d *Directory) Officers(agency string) int {
	e := d.agency(agency)
	if e == nil {
		return 0
	}
	return len(e.officers)
}

// Enrolled reports whether an account of an agency is enrolled and not disabled.
func (d *Directory) Enrolled(agency, account string) bool {
	e := d.agency(agency)
	if e == nil {
		return false
	}
	_, ok := e.officers[account]
	return ok
}

// Revoked reports whether the certificate with this serial (see peer.Serial) is refused.
func (d *Directory) Revoked(serial string) bool {
	if d == nil || serial == "" {
		return false
	}
	_, ok := d.revoked[serial]
	return ok
}

// Having returns the active systems of open agencies that have all of the roles and are not refused as a whole, in no
// order.
func (d *Directory) Having(roles Roles) []peer.ID {
	if d == nil {
		return nil
	}
	var ids []peer.ID
	now := time.Now()
	for _, e := range d.agencies {
		for _, s := range e.systems {
			denial, barred := d.barred[s.ID]
			if s.Status == Active && s.Roles.Has(roles) && e.open(now) && (!barred || !denial.Before.IsZero()) {
				ids = append(ids, s.ID)
			}
		}
	}
	return ids
}

// NewDirectory makes a directory of its parts, for tests: they are not read from anywhere. A system or an officer of an
// agency that is not among them is an error.
func NewDirectory(agencies []Agency, systems []System, officers []Officer, denied []Denial) (*Directory, error) {
	b := newBuilder(nil)
	for _, a := range agencies {
		if err := b.setAgency(a); err != nil {
			return nil, err
		}
	}
	for _, s := range systems {
		if err := b.setSystem(s); err != nil {
			return nil, err
		}
	}
	for _, o := range officers {
		if err := b.setOfficer(o.Agency, o.Account, o.Disabled.IsZero()); err != nil {
			return nil, err
		}
	}
	for _, d := range denied {
		if err := b.setDenial(d); err != nil {
			return nil, err
		}
	}
	return b.build(0), nil
}

// short names a digest in records.
func short(digest []byte) string { return hex.EncodeToString(digest[:8]) }
