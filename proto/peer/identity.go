package peer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// Identity is what a process needs to show who it is and to know others.
type Identity struct {
	ID          ID
	Certificate tls.Certificate // with its Leaf parsed
	Roots       *x509.CertPool  // the authorities that it believes
}

// LoadIdentity reads a certificate chain and key and the authorities, all PEM. It fails if the key is not the
// certificate's, or the certificate names no identity; whether it is in its time is for its peers to judge.
func LoadIdentity(certFile, keyFile, caFile string) (*Identity, error) {
	cert, err := loadPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("load identity: %w", err)
	}
	id, err := FromCertificate(cert.Leaf)
	if err != nil {
		return nil, fmt.Errorf("load identity %s: %w", certFile, err)
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("load authorities: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("load authorities: %s has no certificate in PEM", caFile)
	}
	return &Identity{ID: id, Certificate: cert, Roots: roots}, nil
}

// loadPair reads a pair of files that may be replaced meanwhile: a renewal writes one after the other, so a pair
// that does not fit is read again a few times before it counts as broken.
func loadPair(certFile, keyFile string) (cert tls.Certificate, err error) {
	for range 5 {
		cert, err = tls.LoadX509KeyPair(certFile, keyFile)
		var path *os.PathError
		if err == nil || errors.As(err, &path) {
			return cert, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return cert, fmt.Errorf("%s and %s: %w", certFile, keyFile, err)
}
