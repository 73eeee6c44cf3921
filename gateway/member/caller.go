package member

import (
	"crypto/tls"
	"time"

	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// Certificate is what a connection proved when it was opened, read once so that each request costs a few look-ups.
type Certificate struct {
	ID        peer.ID   // whom it names
	Serial    string    // lower-case hexadecimal
	NotBefore time.Time // when it began
	NotAfter  time.Time // when it expires; a connection may outlive it
	Authority string    // fingerprint of the agency's authority that vouches for it; empty: the hub's own
}

// FromState reads the identity of a connection that peer.ServerTLS has let in. It fails with a peer.Refusal.
func FromState(state tls.ConnectionState) (*Certificate, error) {
	if len(state.PeerCertificates) == 0 {
		return nil, peer.NoCertificate
	}
	leaf := state.PeerCertificates[0]
	id, err := peer.FromCertificate(leaf)
	if err != nil {
		return nil, err
	}
	return &Certificate{ID: id, Serial: peer.Serial(leaf), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter}, nil
}

// stale is the one directory that Stale returns.
var stale = new(Directory)

// Stale is the directory of those who do not know who is a member now. It has nobody in it, and says POLICY_STALE of all.
func Stale() *Directory { return stale }

// Caller is who makes one request.
type Caller struct {
	ID       peer.ID
	Serial   string // of the certificate by which it is known, lower-case hexadecimal
	Roles    Roles
	Province string // code of its agency's province; empty for those of the whole country
}

// Caller judges whose certificate it is, now. It fails with CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED,
// IDENTITY_UNKNOWN, AGENCY_CLOSED or SYSTEM_SUSPENDED, and of Stale with POLICY_STALE. It does not allocate.
func (d *Directory) Caller(c *Certificate, now time.Time) (Caller, error) {
	if d == stale {
		return Caller{}, reason.PolicyStale
	}
	if d.denies(c) {
		return Caller{}, reason.CertificateRevoked
	}
	if now.After(c.NotAfter) {
		return Caller{}, reason.CertificateExpired
	}
	a := d.agency(c.ID.Agency)
	s := a.system(c.ID.System)
	switch {
	case s == nil, now.Before(a.opens):
		return Caller{}, reason.IdentityUnknown
	case !a.open(now):
		return Caller{}, reason.AgencyClosed
	case s.Status != Active:
		return Caller{}, reason.SystemSuspended
	}
	return Caller{ID: c.ID, Serial: c.Serial, Roles: s.Roles, Province: a.Province}, nil
}

// denies reports whether a certificate is refused: it by itself, its system, or its authority.
func (d *Directory) denies(c *Certificate) bool {
	if d == nil {
		return false // it knows nobody anyway
	}
	if d.Revoked(c.Serial) || c.Authority != "" && !d.believes(c.Authority, c.ID) {
		return true
	}
	denial, denied := d.barred[c.ID]
	return denied && (denial.Before.IsZero() || c.NotBefore.Before(denial.Before))
}
