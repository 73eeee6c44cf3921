package peer

import (
	"errors"
	"fmt"
	"net"
)

// Refusal says why a certificate was refused, in the form that logs and counters use. It never reaches the peer.
type Refusal string

// Why a certificate is refused.
const (
	NoCertificate    Refusal = "NO_CERTIFICATE"    // the peer sent none
	UnknownAuthority Refusal = "UNKNOWN_AUTHORITY" // issued by another authority, or by itself
	Expired          Refusal = "EXPIRED"           // its time, or its authority's, is over
	NotYetValid      Refusal = "NOT_YET_VALID"     // its time has not begun
	WrongUsage       Refusal = "WRONG_USAGE"       // not made for this side of a connection
	NoIdentity       Refusal = "NO_IDENTITY"       // it has no URI
	ManyIdentities   Refusal = "MANY_IDENTITIES"   // it has more than one URI
	ForeignIdentity  Refusal = "FOREIGN_IDENTITY"  // its URI is not one of this trust domain and form
	Revoked          Refusal = "REVOKED"           // it was revoked
	NotAccepted      Refusal = "NOT_ACCEPTED"      // known, but not who may connect here
	HandshakeFailed  Refusal = "HANDSHAKE_FAILED"  // the connection failed for no fault of a certificate's content
)

// Error returns the refusal's code.
func (r Refusal) Error() string { return "certificate refused: " + string(r) }

// RefusalOf finds the refusal in err. An error without one is HandshakeFailed.
func RefusalOf(err error) Refusal {
	var r Refusal
	if errors.As(err, &r) {
		return r
	}
	return HandshakeFailed
}

// Rejection is one refused connection. What it says of the peer is what the peer claimed, not what it proved.
type Rejection struct {
	Remote net.Addr // where it came from
	Reason Refusal  // why, for counters
	Serial string   // of the certificate it showed, see Serial; empty if none
	ID     ID       // whom that certificate names; zero if nobody
	Err    error    // why, in full, for the log
}

// accepted makes every refusal of an accept function one with a code.
func accepted(err error) error {
	var r Refusal
	if err == nil || errors.As(err, &r) {
		return err
	}
	return fmt.Errorf("%w: %w", NotAccepted, err)
}
