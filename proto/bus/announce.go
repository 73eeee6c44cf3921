package bus

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// announceContext keeps a signature over an announcement from meaning anything else.
const announceContext = "lienthong/bus/announcement/v1\x00"

// ErrAnnouncement says that an announcement is not believed: bad signature, certificate, times or form.
var ErrAnnouncement = errors.New("announcement refused")

// KeyID names a key: the first 16 bytes of the SHA-256 of its public half.
type KeyID [16]byte

// Key is the sealing key of one process, for KeyLife at most. Its private half never leaves memory.
type Key struct {
	ID      KeyID
	Role    hubv1.AnnouncedKey_Role
	private *ecdh.PrivateKey
	cert    tls.Certificate
	said    *hubv1.AnnouncedKey

	mu    sync.RWMutex
	pairs map[KeyID]*Pair
	held  map[peer.ID]int // how many of the pairs are with keys of that identity
}

// KeyConfig says whose key is made, and for what.
type KeyConfig struct {
	Certificate tls.Certificate         // signs the announcement; ECDSA or Ed25519
	Role        hubv1.AnnouncedKey_Role // gateway or connector
	Instance    string                  // a connector's process on the bus; empty for a gateway
	Offers      []*hubv1.Offer          // what a connector answers for; empty for a gateway
	Now         time.Time               // when its life begins
}

// NewKey makes a key.
func NewKey(cfg KeyConfig) (*Key, error) {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make sealing key: %w", err)
	}
	if err := checkSigner(cfg.Certificate); err != nil {
		return nil, fmt.Errorf("make sealing key: %w", err)
	}
	public := private.PublicKey().Bytes()
	return &Key{
		ID:      keyID(public),
		Role:    cfg.Role,
		private: private,
		cert:    cfg.Certificate,
		said: &hubv1.AnnouncedKey{
			X25519:          public,
			Role:            cfg.Role,
			Instance:        cfg.Instance,
			Offers:          cfg.Offers,
			NotBeforeUnixMs: cfg.Now.Add(-MaxSkew).UnixMilli(),
			NotAfterUnixMs:  cfg.Now.Add(KeyLife + KeyOverlap).UnixMilli(),
		},
	}, nil
}

// checkSigner makes sure that what the certificate will sign can be believed by others.
func checkSigner(cert tls.Certificate) error {
	signer, ok := cert.PrivateKey.(crypto.Signer)
	if !ok || len(cert.Certificate) == 0 {
		return errors.New("there is no certificate with its signing key")
	}
	switch signer.Public().(type) {
	case ed25519.PublicKey, *ecdsa.PublicKey:
		return nil
	}
	return errors.New("the certificate's key is neither ECDSA nor Ed25519")
}

func keyID(public []byte) (id KeyID) {
	sum := sha256.Sum256(public)
	copy(id[:], sum[:])
	return id
}

// SignedBy reports whether it is this certificate that the key's announcements are signed with. If not, the process has
// another one by now, and should make a new key.
func (k *Key) SignedBy(cert *tls.Certificate) bool {
	return len(cert.Certificate) > 0 && bytes.Equal(k.cert.Certificate[0], cert.Certificate[0])
}

// Announce returns the signed words by which others learn the key. The caller keeps `now` growing.
func (k *Key) Announce(now time.Time, leaving bool) ([]byte, error) {
	said := proto.CloneOf(k.said)
	said.AnnouncedUnixMs = now.UnixMilli()
	said.Leaving = leaving
	words, err := proto.MarshalOptions{Deterministic: true}.Marshal(said)
	if err != nil {
		return nil, fmt.Errorf("announce key: %w", err)
	}
	signature, err := sign(k.cert.PrivateKey.(crypto.Signer), append([]byte(announceContext), words...))
	if err != nil {
		return nil, fmt.Errorf("announce key: %w", err)
	}
	return proto.Marshal(&hubv1.Announcement{Key: words, Signature: signature, Chain: k.cert.Certificate})
}

func sign(signer crypto.Signer, message []byte) ([]byte, error) {
	if _, ok := signer.Public().(ed25519.PublicKey); ok {
		return signer.Sign(rand.Reader, message, crypto.Hash(0))
	}
	digest := sha256.Sum256(message)
	return signer.Sign(rand.Reader, digest[:], crypto.SHA256)
}

// Party is another process on the bus, as its verified announcement tells.
type Party struct {
	ID          peer.ID           // whose certificate signed
	Certificate *x509.Certificate // that certificate
	Key         KeyID
	Role        hubv1.AnnouncedKey_Role
	Instance    string
	Offers      []*hubv1.Offer
	NotAfter    time.Time // of the key or the certificate, whichever is earlier
	Announced   time.Time // grows with each announcement of a process
	Leaving     bool
	public      *ecdh.PublicKey
}

// Verify believes an announcement that a certificate below roots signed, at the time now. It fails with
// ErrAnnouncement; whether that identity may do what it says, and whether it said something newer before, is the
// caller's to decide. A connector's announcement is believed for MaxAge, so that those who remember what they
// heard for that long cannot be told it again later.
func Verify(announcement []byte, roots *x509.CertPool, now time.Time) (*Party, error) {
	var a hubv1.Announcement
	var said hubv1.AnnouncedKey
	if len(announcement) > MaxAnnouncement || proto.Unmarshal(announcement, &a) != nil || proto.Unmarshal(a.GetKey(), &said) != nil {
		return nil, fmt.Errorf("%w: malformed", ErrAnnouncement)
	}
	chain, err := parseChain(a.GetChain())
	if err != nil {
		return nil, err
	}
	leaf := chain[0]
	id, err := peer.Verify(chain, roots, x509.ExtKeyUsageClientAuth, now)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnnouncement, err)
	}
	if err := leaf.CheckSignature(algorithm(leaf), append([]byte(announceContext), a.GetKey()...), a.GetSignature()); err != nil {
		return nil, fmt.Errorf("%w: signature: %w", ErrAnnouncement, err)
	}
	if !inTime(&said, now) {
		return nil, fmt.Errorf("%w: not valid at this time", ErrAnnouncement)
	}
	public, err := ecdh.X25519().NewPublicKey(said.GetX25519())
	if err != nil {
		return nil, fmt.Errorf("%w: key: %w", ErrAnnouncement, err)
	}
	if err := checkRole(&said); err != nil {
		return nil, err
	}
	return &Party{
		ID: id, Certificate: leaf, Key: keyID(said.GetX25519()), Role: said.GetRole(), Instance: said.GetInstance(),
		Offers: said.GetOffers(), NotAfter: earlier(time.UnixMilli(said.GetNotAfterUnixMs()), leaf.NotAfter),
		Announced: time.UnixMilli(said.GetAnnouncedUnixMs()), Leaving: said.GetLeaving(), public: public,
	}, nil
}

// inTime compares what was said with our own clock only, so that no arithmetic is done on it.
func inTime(said *hubv1.AnnouncedKey, now time.Time) bool {
	ahead := now.Add(MaxSkew)
	switch {
	case said.GetNotBeforeUnixMs() > ahead.UnixMilli(), said.GetAnnouncedUnixMs() > ahead.UnixMilli():
		return false
	case said.GetNotAfterUnixMs() < now.UnixMilli(), said.GetNotAfterUnixMs() > ahead.Add(KeyLife+KeyOverlap).UnixMilli():
		return false
	}
	return said.GetRole() == hubv1.AnnouncedKey_ROLE_GATEWAY || said.GetAnnouncedUnixMs() >= now.Add(-MaxAge).UnixMilli()
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func checkRole(said *hubv1.AnnouncedKey) error {
	switch said.GetRole() {
	case hubv1.AnnouncedKey_ROLE_GATEWAY:
		if said.GetInstance() == "" && len(said.GetOffers()) == 0 {
			return nil
		}
	case hubv1.AnnouncedKey_ROLE_CONNECTOR:
		if ValidToken(said.GetInstance()) && len(said.GetOffers()) <= maxOffers {
			return nil
		}
	}
	return fmt.Errorf("%w: role, instance or offers", ErrAnnouncement)
}

func parseChain(chain [][]byte) ([]*x509.Certificate, error) {
	if len(chain) == 0 || len(chain) > maxChain {
		return nil, fmt.Errorf("%w: %d certificates", ErrAnnouncement, len(chain))
	}
	parsed := make([]*x509.Certificate, len(chain))
	for i, der := range chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate: %w", ErrAnnouncement, err)
		}
		parsed[i] = c
	}
	return parsed, nil
}

func algorithm(c *x509.Certificate) x509.SignatureAlgorithm {
	switch c.PublicKey.(type) {
	case ed25519.PublicKey:
		return x509.PureEd25519
	case *ecdsa.PublicKey:
		return x509.ECDSAWithSHA256
	}
	return x509.UnknownSignatureAlgorithm
}
