package authority

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/proto/peer"
)

// How long certificates are valid if nothing else is said.
const (
	ConsumerLife = 90 * 24 * time.Hour // systems and people that call
	ServiceLife  = 30 * 24 * time.Hour // gateways and connectors, which renew by themselves
)

// Failures that callers tell apart.
var (
	ErrUnknown = errors.New("no such certificate is on record; see: lienthong identity list")
	ErrRevoked = errors.New("the system's certificate was revoked; issue a new one if it may come back")
)

// Order says for whom a certificate is wanted.
type Order struct {
	ID       peer.ID       // the system
	Title    member.Title  // its name for people; empty: as it was
	Roles    member.Roles  // what it may be; none: as it was
	Validity time.Duration // zero: ServiceLife for servers, else ConsumerLife
	Server   bool          // for servers too; then it also names localhost, 127.0.0.1 and ::1
	Hosts    []string      // further host names and addresses of a server
}

// Issue makes a new key and certificate for a system and makes the system a member. Certificates that it had
// before stay valid until their time is over; revoke them if they must not.
func (a *Authority) Issue(order Order) (Record, error) {
	if !order.ID.Valid() {
		return Record{}, fmt.Errorf("issue certificate: %w", peer.ErrID)
	}
	var p *pair
	err := a.change(func(b *book) (err error) {
		if err := b.enrol(order); err != nil {
			return err
		}
		p, err = a.make(b, order)
		return err
	}, func() error { return a.store(p) })
	if err != nil {
		return Record{}, fmt.Errorf("issue certificate of %s: %w", order.ID, err)
	}
	return p.record, nil
}

// Renew makes a new key and certificate like the last one of the system. It fails with ErrUnknown if there was
// none and with ErrRevoked if that one was revoked.
func (a *Authority) Renew(id peer.ID) (Record, error) {
	var p *pair
	err := a.change(func(b *book) (err error) {
		last, ok := b.latest(id)
		switch {
		case !ok:
			return ErrUnknown
		case !last.RevokedAt.IsZero():
			return ErrRevoked
		}
		p, err = a.make(b, again(last))
		return err
	}, func() error { return a.store(p) })
	if err != nil {
		return Record{}, fmt.Errorf("renew certificate of %s: %w", id, err)
	}
	return p.record, nil
}

// RenewDue renews the certificates of servers that have less than a third of their time left, and returns them.
func (a *Authority) RenewDue(ctx context.Context) ([]Record, error) {
	var made []*pair
	err := a.change(func(b *book) error {
		for _, r := range slices.Clone(b.issued) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !r.Server || r.Replaced || !r.RevokedAt.IsZero() || !r.due(a.now()) {
				continue
			}
			p, err := a.make(b, again(r))
			if err != nil {
				return err
			}
			made = append(made, p)
		}
		return nil
	}, func() error { return a.store(made...) })
	if err != nil {
		return nil, fmt.Errorf("renew certificates: %w", err)
	}
	records := make([]Record, len(made))
	for i, p := range made {
		records[i] = p.record
	}
	return records, nil
}

// again is the order by which a certificate would be issued once more.
func again(r Record) Order {
	return Order{ID: r.ID, Roles: r.Roles, Validity: r.NotAfter.Sub(r.NotBefore) - skew, Server: r.Server, Hosts: r.Hosts}
}

// Revoke revokes what is named: one certificate by its serial, or all of a system that have not expired. It
// returns them, those that were revoked before included, or fails with ErrUnknown if there is none.
func (a *Authority) Revoke(idOrSerial string) ([]Record, error) {
	serial := strings.TrimLeft(strings.ToLower(strings.ReplaceAll(idOrSerial, ":", "")), "0")
	var revoked []Record
	err := a.change(func(b *book) error {
		now := a.now().UTC().Truncate(time.Second)
		for i := range b.issued {
			r := &b.issued[i]
			if r.Serial != serial && (r.ID.String() != idOrSerial || r.State(now) == Expired) {
				continue
			}
			if r.RevokedAt.IsZero() {
				r.RevokedAt = now
			}
			revoked = append(revoked, *r)
		}
		if len(revoked) == 0 {
			return ErrUnknown
		}
		return nil
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("revoke %q: %w", idOrSerial, err)
	}
	return revoked, nil
}

// enrol makes the system of an order a member, or updates what the order says of it. Its status stays.
func (b *book) enrol(order Order) error {
	s := b.system(order.ID)
	if s == nil {
		if order.Roles == 0 {
			return errors.New("a new member needs a role")
		}
		b.members.Systems = append(b.members.Systems, member.System{ID: order.ID, Title: order.Title, Roles: order.Roles, Status: member.Active})
		return nil
	}
	if order.Roles != 0 {
		s.Roles = order.Roles
	}
	if order.Title != (member.Title{}) {
		s.Title = order.Title
	}
	return nil
}

// pair is a certificate that is on record but not yet in its owner's hands.
type pair struct {
	record          Record
	certPEM, keyPEM []byte
}

// make signs a certificate and puts it on record.
func (a *Authority) make(b *book, order Order) (*pair, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, err
	}
	template, err := a.template(order)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	p := &pair{certPEM: certificatePEM(der), keyPEM: keyPEM, record: Record{
		Serial: peer.Serial(template), ID: order.ID, Roles: order.Roles, Server: order.Server, Hosts: order.Hosts,
		NotBefore: template.NotBefore, NotAfter: template.NotAfter,
	}}
	if s := b.system(order.ID); s != nil {
		p.record.Roles = s.Roles
	}
	b.add(p.record)
	return p, nil
}

func (a *Authority) template(order Order) (*x509.Certificate, error) {
	number, err := newSerial()
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
		SerialNumber: number,
		// For people who read certificates; identity is the URI alone.
		Subject:   pkix.Name{Organization: []string{order.ID.Agency}, CommonName: order.ID.String()},
		URIs:      []*url.URL{order.ID.URI()},
		NotBefore: now.Add(-skew), NotAfter: now.Add(validity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
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

// store hands the pairs to their owners: the key first, so that a certificate never lies there without its key.
func (a *Authority) store(pairs ...*pair) error {
	for _, p := range pairs {
		certFile, keyFile, _ := Files(a.dir, p.record.ID)
		if err := safefile.Write(keyFile, p.keyPEM, 0o600); err != nil {
			return err
		}
		if err := safefile.Write(certFile, p.certPEM, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// stored reports whether the certificate on record lies in its owner's place, with its key, as this authority
// signed it.
func (a *Authority) stored(r Record) bool {
	certFile, keyFile, _ := Files(a.dir, r.ID)
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	return err == nil && peer.Serial(cert.Leaf) == r.Serial && cert.Leaf.CheckSignatureFrom(a.cert) == nil
}
