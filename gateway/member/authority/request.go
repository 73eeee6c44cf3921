package authority

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

// ErrRequest says that a request for a certificate cannot be approved as it is.
var ErrRequest = errors.New("the request is not one for an identity of this hub")

// Bounds on requests.
const (
	maxRequest = 16 << 10 // bytes of PEM
	maxHosts   = 32
)

var hostForm = regexp.MustCompile(`^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)

// CheckHost refuses what is neither the name of a host nor an address.
func CheckHost(host string) error {
	if net.ParseIP(host) == nil && (len(host) > 253 || !hostForm.MatchString(host)) {
		return fmt.Errorf("%q is neither the name of a host nor an address", host)
	}
	return nil
}

// NewRequest makes a key, and the request with which its owner asks for a certificate of a system. The key stays with
// its owner. hosts are names and addresses of a server.
func NewRequest(id peer.ID, hosts []string) (requestPEM, keyPEM []byte, err error) {
	if !id.Valid() {
		return nil, nil, fmt.Errorf("make request: %w", peer.ErrID)
	}
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: id.String()}, URIs: []*url.URL{id.URI()}}
	for _, host := range hosts {
		if err := CheckHost(host); err != nil {
			return nil, nil, fmt.Errorf("make request: %w", err)
		}
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, fmt.Errorf("make request: %w", err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return nil, nil, fmt.Errorf("make request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), keyPEM, nil
}

// Request is what somebody asks for who shows that they hold the key.
type Request struct {
	ID        peer.ID  // the system that it names
	Hosts     []string // names and addresses of a server
	KeyDigest string   // SHA-256 of the public key, hexadecimal: compare it with what its owner sees
	KeyKind   string   // "ECDSA P-256"
	public    any
	signs     bool // whether the bus can check what the key signs
}

// ParseRequest reads a request, PEM. What it says besides identity, hosts and key is not looked at, and goes into no
// certificate. It fails with ErrRequest.
func ParseRequest(text []byte) (*Request, error) {
	r, err := parseRequest(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return r, nil
}

func parseRequest(text []byte) (*Request, error) {
	if len(text) > maxRequest {
		return nil, fmt.Errorf("it is over %d bytes", maxRequest)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
		return nil, errors.New("it is no certificate request in PEM")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, err
	}
	if err := member.CheckKey(csr.PublicKey); err != nil {
		return nil, err
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("who made it does not hold its key: %w", err)
	}
	r := &Request{public: csr.PublicKey}
	if r.ID, err = peer.FromCertificate(&x509.Certificate{URIs: csr.URIs}); err != nil {
		return nil, fmt.Errorf("it must name one system by the URI spiffe://%s/agency/CODE/system/NAME: %w", peer.TrustDomain, err)
	}
	if r.Hosts, err = hostsOf(csr); err != nil {
		return nil, err
	}
	r.KeyKind, r.signs = kindOf(csr.PublicKey)
	r.KeyDigest, err = keyDigest(csr.PublicKey)
	return r, err
}

func hostsOf(csr *x509.CertificateRequest) ([]string, error) {
	if len(csr.EmailAddresses) > 0 {
		return nil, errors.New("it names e-mail addresses, which no certificate of the hub has")
	}
	hosts := csr.DNSNames
	for _, ip := range csr.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	if len(hosts) > maxHosts {
		return nil, fmt.Errorf("it names %d hosts; %d are the most", len(hosts), maxHosts)
	}
	for _, host := range hosts {
		if err := CheckHost(host); err != nil {
			return nil, err
		}
	}
	return hosts, nil
}

func kindOf(public any) (kind string, signs bool) {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name, true
	case ed25519.PublicKey:
		return "Ed25519", true
	}
	return "RSA", false
}

// Approve signs a request, and makes its system a member, as Issue does. What the order says of identity and hosts is
// the request's to say. certPEM is for the owner of the key; nothing is stored below the directory. A key whose
// certificate was revoked, or that another system has, is refused.
func (a *Authority) Approve(request *Request, order Order) (record Record, certPEM []byte, err error) {
	order.ID, order.Hosts = request.ID, request.Hosts
	switch {
	case !order.Server && len(request.Hosts) > 0:
		return Record{}, nil, fmt.Errorf("%w: it names hosts (%v), and a system that only asks has none", ErrRequest, request.Hosts)
	case order.Server && !request.signs:
		return Record{}, nil, fmt.Errorf("%w: a server's key signs on the bus, so it must be ECDSA or Ed25519", ErrRequest)
	}
	ctx, cancel := bounded()
	defer cancel()
	var p *pair
	err = a.change(ctx, func(tx *state.Tx) error {
		used, err := find(ctx, tx.Tx, `WHERE key_digest = $1`, request.KeyDigest)
		if err != nil {
			return err
		}
		for _, r := range used {
			if r.ID != request.ID || !r.RevokedAt.IsZero() {
				return fmt.Errorf("%w: its key is that of certificate %s of %s; a new key is needed", ErrRequest, r.Serial, r.ID)
			}
		}
		if p, err = a.enrolled(ctx, tx, order, request); err == nil {
			note(tx, p.record, "issued on request")
		}
		return err
	}, nil)
	if err != nil {
		return Record{}, nil, fmt.Errorf("approve request of %s: %w", request.ID, err)
	}
	return p.record, p.certPEM, nil
}

// CertificatePEM is the authority's own certificate.
func (a *Authority) CertificatePEM() []byte { return certificatePEM(a.cert.Raw) }
