package peer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// FromCertificate returns whose certificate it is: the one SPIFFE URI of this trust domain that it carries. The
// common name is never looked at. It fails with NoIdentity, ManyIdentities or ForeignIdentity.
//
// It says what the certificate claims; that the claim is true is for who verified its chain to say.
func FromCertificate(cert *x509.Certificate) (ID, error) {
	switch len(cert.URIs) {
	case 0:
		return ID{}, NoIdentity
	case 1:
		return fromURI(cert.URIs[0])
	}
	return ID{}, ManyIdentities
}

// Serial returns a certificate's serial number in lower-case hexadecimal, as revocations name it.
func Serial(cert *x509.Certificate) string {
	return cert.SerialNumber.Text(16)
}

// Verify judges a chain, leaf first, at the time now: issued below roots, in its time, made for usage, and
// naming exactly one identity. It returns that identity, or fails with a Refusal.
func Verify(chain []*x509.Certificate, roots *x509.CertPool, usage x509.ExtKeyUsage, now time.Time) (ID, error) {
	id, _, err := verify(chain, roots, usage, now)
	return id, err
}

// verify is Verify that also says which of the roots vouches for the chain.
func verify(chain []*x509.Certificate, roots *x509.CertPool, usage x509.ExtKeyUsage, now time.Time) (ID, *x509.Certificate, error) {
	if len(chain) == 0 {
		return ID{}, nil, NoCertificate
	}
	leaf := chain[0]
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	// Who issued it counts before its time does: the times of a stranger's certificate mean nothing.
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates,
		CurrentTime: within(now, leaf), KeyUsages: []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return ID{}, nil, fmt.Errorf("%w: %w", refusalOfVerify(err), err)
	}
	switch {
	case now.After(leaf.NotAfter):
		return ID{}, nil, Expired
	case now.Before(leaf.NotBefore):
		return ID{}, nil, NotYetValid
	case !madeFor(leaf, usage):
		return ID{}, nil, WrongUsage
	}
	id, err := FromCertificate(leaf)
	return id, chains[0][len(chains[0])-1], err
}

// within is the time nearest to now at which the leaf itself is in its time.
func within(now time.Time, leaf *x509.Certificate) time.Time {
	switch {
	case now.After(leaf.NotAfter):
		return leaf.NotAfter
	case now.Before(leaf.NotBefore):
		return leaf.NotBefore
	}
	return now
}

// madeFor asks for more than x509 does, which takes a leaf without usages for anything: an X.509-SVID is no
// authority, signs, and here says for which side of a connection it is.
func madeFor(leaf *x509.Certificate, usage x509.ExtKeyUsage) bool {
	if leaf.IsCA || leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 || leaf.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
		return false
	}
	for _, u := range leaf.ExtKeyUsage {
		if u == usage {
			return true
		}
	}
	return false
}

func refusalOfVerify(err error) Refusal {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) {
		switch invalid.Reason {
		case x509.Expired:
			return Expired
		case x509.IncompatibleUsage:
			return WrongUsage
		}
	}
	return UnknownAuthority
}
