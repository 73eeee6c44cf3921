// Package authority is the hub's own certificate authority: it issues, renews and revokes the identities of systems,
// and makes those systems members. Whom it certified is in the hub's state; keys are files.
//
// Below its directory lie
//
//	ca.pem                                   the authority's certificate; public
//	ca/ca.key                                the authority's key; never leaves the machine
//	identities/<agency>/<system>/cert.pem    a system's certificate
//	identities/<agency>/<system>/key.pem     its key, unless its owner keeps it
//
// Invariants:
//   - A certificate is on record before anybody can hold it.
//   - A revocation is durable in the hub's state before Revoke returns, and stays until the certificate's time is over.
//   - Only systems of agencies that are known, open and safe enough get one.
//   - Files are replaced whole; several processes may use one directory at the same time.
//
// What does not belong here: judging certificates (proto/peer) and callers (package member).
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

const (
	life = 10 * 365 * 24 * time.Hour // of the authority's own certificate
	skew = 5 * time.Minute           // certificates begin this much earlier, for clocks that are behind
)

// Authority issues certificates below one directory. Its methods may be called by any number of goroutines, and
// any number of processes may have the same directory open.
type Authority struct {
	dir  string
	db   *state.DB
	by   state.Actor
	told func(state.Made)
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time
}

// machine is who has the hub's machine: it shows no certificate.
var machine = state.Actor{ID: peer.ID{Agency: "G06", System: "gateway"}}

// Open opens the authority of a directory, and creates it if there is none. Its records are in the hub's state, which
// the caller closes after the last use.
func Open(dir string, db *state.DB) (*Authority, error) {
	a := &Authority{dir: dir, db: db, by: machine, now: time.Now}
	if err := os.MkdirAll(a.path("ca"), 0o700); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	unlock, err := a.lock()
	if err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	defer unlock()
	if err := a.load(); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	ctx, cancel := bounded()
	defer cancel()
	if err := a.adopt(ctx); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	return a, nil
}

// Files returns where the identity of a system lies below a hub's directory, in the order of peer.LoadIdentity.
func Files(dir string, id peer.ID) (cert, key, ca string) {
	own := filepath.Join(dir, "identities", id.Agency, id.System)
	return filepath.Join(own, "cert.pem"), filepath.Join(own, "key.pem"), filepath.Join(dir, "ca.pem")
}

// As is the authority for somebody who is not simply who has the hub's machine. told, if it is not nil, hears of each
// change of the state once it is durable and its files are stored: it rings the bell.
func (a *Authority) As(by state.Actor, told func(state.Made)) *Authority {
	other := *a
	other.by, other.told = by, told
	return &other
}

// Roots returns a pool with the authority's certificate alone.
func (a *Authority) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a *Authority) path(name string) string { return filepath.Join(a.dir, filepath.FromSlash(name)) }

func (a *Authority) lock() (unlock func(), err error) { return safefile.Lock(a.path("ca/lock")) }

// load reads the key and its certificate. What is missing is made, but a certificate without its key is somebody
// else's authority and is left alone.
func (a *Authority) load() error {
	keyPEM, err := os.ReadFile(a.path("ca/ca.key"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(a.path("ca.pem")); err == nil {
			return fmt.Errorf("%s is there but not its key %s: certificates cannot be issued here", a.path("ca.pem"), a.path("ca/ca.key"))
		}
		err = a.makeKey()
	case err == nil:
		a.key, err = parseKey(keyPEM)
	}
	if err != nil {
		return fmt.Errorf("authority's key: %w", err)
	}
	certPEM, err := os.ReadFile(a.path("ca.pem"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = a.makeCertificate()
	case err == nil:
		a.cert, err = parseCertificate(certPEM)
	}
	if err != nil {
		return fmt.Errorf("authority's certificate: %w", err)
	}
	if !a.key.PublicKey.Equal(a.cert.PublicKey) {
		return fmt.Errorf("%s and %s do not belong together", a.path("ca.pem"), a.path("ca/ca.key"))
	}
	return nil
}

func (a *Authority) makeKey() error {
	key, keyPEM, err := newKey()
	if err != nil {
		return err
	}
	a.key = key
	return safefile.Write(a.path("ca/ca.key"), keyPEM, 0o600)
}

func (a *Authority) makeCertificate() error {
	number, err := newSerial()
	if err != nil {
		return err
	}
	now := a.now()
	template := &x509.Certificate{
		SerialNumber: number,
		Subject:      pkix.Name{Organization: []string{"Lienthong"}, CommonName: "Lienthong authority"},
		NotBefore:    now.Add(-skew), NotAfter: now.Add(life),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		return err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	return safefile.Write(a.path("ca.pem"), certificatePEM(der), 0o644)
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// newSerial draws 126 random bits below a fixed one, so that every serial has 32 hexadecimal digits.
func newSerial() (*big.Int, error) {
	limit := new(big.Int).Lsh(big.NewInt(1), 126)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		return nil, err
	}
	return n.Add(n, limit), nil
}

func parseKey(data []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an ECDSA key")
	}
	return ec, nil
}

func parseCertificate(data []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("not PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
