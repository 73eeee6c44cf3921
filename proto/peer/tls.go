package peer

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"time"
)

// Config says how a server knows its callers.
type Config struct {
	// Certificate is what the server shows.
	Certificate tls.Certificate
	// GetCertificate, if set, is asked for each connection instead, so that a renewed certificate comes into use
	// without a restart.
	GetCertificate func() (*tls.Certificate, error)
	// Roots are the authorities whose certificates are believed.
	Roots *x509.CertPool
	// Given, if set, is asked for each connection for further authorities that are believed for one identity, and
	// for no other: whoever certifies its own systems cannot name anybody else's. A nil pool is none. It must not
	// block.
	Given func(ID) *x509.CertPool
	// Accept judges an identity whose certificate is good, for each connection; nil accepts all. It may return
	// a Refusal (Revoked); any other error counts as NotAccepted.
	Accept func(ID, *x509.Certificate) error
	// OnReject hears of each peer that is refused for its certificate; it must not block. May be nil.
	OnReject func(Rejection)
	// Protocols are what ALPN offers; default h2.
	Protocols []string
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// ServerTLS is TLS 1.3 for a server whose callers have identities of the hub.
func ServerTLS(cfg Config) *tls.Config {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if len(cfg.Protocols) == 0 {
		cfg.Protocols = []string{"h2"}
	}
	base := &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{cfg.Certificate},
		NextProtos:   cfg.Protocols,
		Time:         cfg.Now,
		// Our own verification runs instead of that of crypto/tls, so that every refusal, a missing certificate
		// too, comes by here with its reason. VerifyConnection runs for resumed connections as well.
		ClientAuth:       tls.RequestClientCert,
		VerifyConnection: cfg.verifier(nil),
	}
	if cfg.GetCertificate != nil {
		base.Certificates = nil
		base.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cfg.GetCertificate() }
	}
	server := base.Clone()
	server.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		own := base.Clone()
		own.VerifyConnection = cfg.verifier(hello.Conn.RemoteAddr())
		return own, nil
	}
	return server
}

// verifier judges the callers that come from remote.
func (cfg Config) verifier(remote net.Addr) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		id, _, err := cfg.Identify(state.PeerCertificates)
		if err == nil && cfg.Accept != nil {
			err = accepted(cfg.Accept(id, state.PeerCertificates[0]))
		}
		if err != nil {
			cfg.reject(remote, state.PeerCertificates, err)
		}
		return err
	}
}

// Identify says whom a caller's chain names, leaf first. given is the authority among Given that vouches for it; nil if
// one of Roots does. It fails with a Refusal.
func (cfg Config) Identify(chain []*x509.Certificate) (id ID, given *x509.Certificate, err error) {
	now := time.Now
	if cfg.Now != nil {
		now = cfg.Now
	}
	id, err = Verify(chain, cfg.Roots, x509.ExtKeyUsageClientAuth, now())
	if err == nil || cfg.Given == nil || RefusalOf(err) != UnknownAuthority {
		return id, nil, err
	}
	claimed, claimErr := FromCertificate(chain[0])
	if claimErr != nil {
		return ID{}, nil, err // a stranger's certificate, whatever it says
	}
	pool := cfg.Given(claimed)
	if pool == nil {
		return ID{}, nil, err
	}
	return verify(chain, pool, x509.ExtKeyUsageClientAuth, now())
}

func (cfg Config) reject(remote net.Addr, chain []*x509.Certificate, err error) {
	if cfg.OnReject == nil {
		return
	}
	r := Rejection{Remote: remote, Reason: RefusalOf(err), Err: err}
	if len(chain) > 0 {
		r.Serial = Serial(chain[0])
		r.ID, _ = FromCertificate(chain[0]) // nobody, if it names nobody
	}
	cfg.OnReject(r)
}

// ClientTLS is TLS 1.3 for a caller of the hub. The server is known by its identity, which accept judges (nil
// accepts any of the trust domain), and not by its host name: a gateway may be reached under many.
func ClientTLS(cert tls.Certificate, roots *x509.CertPool, accept func(ID) error) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{cert},
		RootCAs:      roots,
		// The chain is verified below, for resumed connections as well; what is skipped is the host name.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			id, err := Verify(state.PeerCertificates, roots, x509.ExtKeyUsageServerAuth, time.Now())
			if err == nil && accept != nil {
				err = accepted(accept(id))
			}
			return err
		},
	}
}

// Only accepts the identities named, for ClientTLS.
func Only(ids ...ID) func(ID) error {
	return func(id ID) error {
		if !slices.Contains(ids, id) {
			return NotAccepted
		}
		return nil
	}
}
