package authority

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

// pair is a certificate that is on record but not yet in its owner's hands.
type pair struct {
	record          Record
	certPEM, keyPEM []byte // the key is empty if it is its owner's already
}

// make signs a certificate and puts it on record. Its key is that of a request, or a new one. It fails with ErrRevoked
// if the system is refused as a whole.
func (a *Authority) make(ctx context.Context, tx *state.Tx, order Order, request *Request) (*pair, error) {
	s, err := member.FindSystem(ctx, tx.Tx, order.ID)
	if err != nil {
		return nil, err
	}
	bar, barred, err := member.FindBar(ctx, tx.Tx, order.ID)
	if err != nil {
		return nil, err
	}
	if barred && bar.Before.IsZero() {
		return nil, ErrRevoked // only who lets the system back in may make it a certificate
	}
	template, err := a.template(order, bar.Before)
	if err != nil {
		return nil, err
	}
	p := new(pair)
	var public any
	if request != nil {
		public = request.public
	} else {
		key, keyPEM, err := newKey()
		if err != nil {
			return nil, err
		}
		p.keyPEM, public = keyPEM, &key.PublicKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	if err != nil {
		return nil, err
	}
	digest, err := keyDigest(public)
	if err != nil {
		return nil, err
	}
	p.certPEM = certificatePEM(der)
	p.record = Record{
		Serial: peer.Serial(template), ID: order.ID, Roles: s.Roles, Server: order.Server, Hosts: order.Hosts, KeyDigest: digest,
		Outside: request != nil, NotBefore: template.NotBefore, NotAfter: template.NotAfter,
	}
	return p, add(ctx, tx, p.record)
}

// keyDigest names a public key: what two people compare before one believes the other's request.
func keyDigest(public any) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(der)
	return hex.EncodeToString(digest[:]), nil
}

// template is the certificate of an order, which begins at from at the earliest.
func (a *Authority) template(order Order, from time.Time) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	validity := order.Validity
	switch {
	case validity < 0:
		return nil, errors.New("validity is negative")
	case validity == 0 && order.Server:
		validity = ServiceLife
	case validity == 0:
		validity = ConsumerLife
	}
	now := a.now().UTC().Truncate(time.Second)
	t := &x509.Certificate{
		SerialNumber: serial,
		// For people who read certificates; identity is the URI alone.
		Subject:   pkix.Name{Organization: []string{order.ID.Agency}, CommonName: order.ID.String()},
		URIs:      []*url.URL{order.ID.URI()},
		NotBefore: now.Add(-skew), NotAfter: now.Add(validity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	if t.NotBefore.Before(from) {
		t.NotBefore = from
	}
	if t.NotAfter.After(a.cert.NotAfter) {
		t.NotAfter = a.cert.NotAfter
	}
	if order.Server {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		for _, host := range append([]string{"localhost", "127.0.0.1", "::1"}, order.Hosts...) {
			if ip := net.ParseIP(host); ip != nil {
				t.IPAddresses = append(t.IPAddresses, ip)
			} else {
				t.DNSNames = append(t.DNSNames, host)
			}
		}
	}
	return t, nil
}
