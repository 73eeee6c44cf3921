package member

import (
	"crypto/tls"
	"time"

	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// Certificate is what a connection proved when it was opened, read once so that each request costs two look-ups.
type Certificate struct {
	ID       peer.ID   // whom it names
	Serial   string    // lower-case hexadecimal
	NotAfter time.Time // when it expires; a connection may outlive it
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
	return &Certificate{ID: id, Serial: peer.Serial(leaf), NotAfter: leaf.NotAfter}, nil
}

// Caller is who makes one request.
type Caller struct {
	ID     peer.ID
	Serial string // of the certificate by which it is known, lower-case hexadecimal
	Roles  Roles
}

// Caller judges whose certificate it is, now. It fails with CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED,
// IDENTITY_UNKNOWN or SYSTEM_SUSPENDED. It does not allocate.
func (d *Directory) Caller(c *Certificate, now time.Time) (Caller, error) {
	if d.Revoked(c.Serial) {
		return Caller{}, reason.CertificateRevoked
	}
	if now.After(c.NotAfter) {
		return Caller{}, reason.CertificateExpired
	}
	s, ok := d.systems[c.ID]
	if !ok {
		return Caller{}, reason.IdentityUnknown
	}
	if s.Status != Active {
		return Caller{}, reason.SystemSuspended
	}
	return Caller{ID: c.ID, Serial: c.Serial, Roles: s.Roles}, nil
}
