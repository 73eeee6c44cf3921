package member

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lienthong/lienthong/proto/peer"
)

// GivenCA is an authority of somebody else whose certificates are believed for some agencies, and for no other.
type GivenCA struct {
	Fingerprint string // SHA-256 of the certificate, lower-case hexadecimal
	Certificate *x509.Certificate
	Agencies    []string // sorted
	Added       time.Time
}

// Fingerprint names a certificate: its SHA-256 in lower-case hexadecimal.
func Fingerprint(cert *x509.Certificate) string {
	digest := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(digest[:])
}

// Given returns the authorities that are believed for a system besides the hub's own; nil if there are none. A gateway
// is known by the hub's own authority alone.
func (d *Directory) Given(id peer.ID) *x509.CertPool {
	s := d.agency(id.Agency).system(id.System)
	if s == nil || s.Roles.Has(Gateway) {
		return nil
	}
	return d.pools[id.Agency]
}

// GivenTo returns the authorities that are believed for an agency besides the hub's own, by fingerprint.
func (d *Directory) GivenTo(agency string) []GivenCA {
	if d == nil {
		return nil
	}
	var all []GivenCA
	for _, fingerprint := range slices.Sorted(maps.Keys(d.given)) {
		if ca := d.given[fingerprint]; slices.Contains(ca.Agencies, agency) {
			all = append(all, ca)
		}
	}
	return all
}

// believes reports whether an authority may vouch for a system.
func (d *Directory) believes(fingerprint string, id peer.ID) bool {
	return slices.Contains(d.given[fingerprint].Agencies, id.Agency) && d.Given(id) != nil
}

// Given asks the directory of the moment, for peer.Config.
func Given(members func() *Directory) func(peer.ID) *x509.CertPool {
	return func(id peer.ID) *x509.CertPool { return members().Given(id) }
}

// Accept refuses revoked certificates when a connection is opened, for peer.Config. Systems that are unknown or
// suspended may connect: each of their requests is refused, and recorded, with a reason that they can read.
func Accept(members func() *Directory) func(peer.ID, *x509.Certificate) error {
	return func(id peer.ID, cert *x509.Certificate) error {
		if members().denies(certificateOf(id, cert)) {
			return peer.Revoked
		}
		return nil
	}
}

// AcceptAs is Accept for those who do not ask themselves, so that nothing else judges them: it refuses whoever is not
// an active system of an open agency with all of the roles at that moment.
func AcceptAs(members func() *Directory, roles Roles) func(peer.ID, *x509.Certificate) error {
	return func(id peer.ID, cert *x509.Certificate) error {
		d := members()
		if d.denies(certificateOf(id, cert)) {
			return peer.Revoked
		}
		a := d.agency(id.Agency)
		if s := a.system(id.System); s == nil || s.Status != Active || !s.Roles.Has(roles) || !a.open(time.Now()) {
			return fmt.Errorf("%w: no active %s", peer.NotAccepted, roles)
		}
		return nil
	}
}

func certificateOf(id peer.ID, cert *x509.Certificate) *Certificate {
	return &Certificate{ID: id, Serial: peer.Serial(cert), NotBefore: cert.NotBefore, NotAfter: cert.NotAfter}
}

// maxPEM is the longest certificate or request that is read, in bytes.
const maxPEM = 64 << 10

// parseCA reads the certificate of an authority that operators may trust.
func parseCA(text []byte, now time.Time) (*x509.Certificate, error) {
	if len(text) > maxPEM {
		return nil, fmt.Errorf("it is over %d bytes", maxPEM)
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("it is no certificate in PEM")
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, errors.New("it has more than one certificate; trust each by itself")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	switch {
	case !cert.BasicConstraintsValid || !cert.IsCA || cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return nil, errors.New("it is no authority's certificate: it may not sign others")
	case now.After(cert.NotAfter):
		return nil, fmt.Errorf("it expired on %s", cert.NotAfter.Format(time.DateOnly))
	}
	return cert, CheckKey(cert.PublicKey)
}

// leastRSA is the least size of an RSA key, in bits.
const leastRSA, mostRSA = 2048, 8192

// CheckKey refuses public keys that are too weak, or of a kind that not every part of the hub can check.
func CheckKey(public any) error {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if size := key.Curve.Params().BitSize; size < 256 {
			return fmt.Errorf("its key is on a curve of %d bits; 256 are needed", size)
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if size := key.N.BitLen(); size < leastRSA || size > mostRSA {
			return fmt.Errorf("its RSA key has %d bits; %d to %d are taken", size, leastRSA, mostRSA)
		}
	default:
		return fmt.Errorf("its key is of a kind that is not taken (%T); make one of ECDSA P-256", public)
	}
	return nil
}
