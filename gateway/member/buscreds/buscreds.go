// Package buscreds makes what NATS needs to tell the parts of the hub apart: an operator, an account, and
// credentials that allow each part its own subjects and nothing else.
//
// Below the hub's directory lie
//
//	nats/operator.nk, system.nk, bus.nk      keys; never leave the machine
//	nats/operator.jwt, system.jwt, bus.jwt   what they signed; public
//	nats/observer.creds                      may see $SRV only, for the nats command
//	nats/nats.conf                           a nats-server runs with it as it is
//
// Invariants:
//   - Only gateways may publish calls, and tell each other what was asked; a connector hears the calls of its own
//     services and nothing else.
//   - Nobody may listen where somebody else's answers arrive: inboxes are private, by prefix.
//   - A user whose permissions say nothing may do nothing.
//
// What does not belong here: running a server (deploy), subjects themselves (proto/bus). Credentials of the bus
// say who may send where, never who asks: that is the seal's to say.
package buscreds

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// Bus is the operator's side of one bus. It is safe for concurrent use.
type Bus struct {
	dir         string // the hub's directory + "/nats"
	operatorJWT string
	system      account
	bus         account
	observer    []byte
}

// account is a NATS account: its key, the public half of that, and the operator's word for it.
type account struct {
	key nkeys.KeyPair
	id  string
	jwt string
}

// Ensure opens the bus of a hub's directory, and creates it if there is none. Several processes may call it at
// the same time. It fails if a key is lost of which signed words are left: those who hold credentials would be
// locked out without a word.
func Ensure(dir string) (*Bus, error) {
	b := &Bus{dir: filepath.Join(dir, "nats")}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return nil, fmt.Errorf("open bus credentials: %w", err)
	}
	unlock, err := safefile.Lock(b.path("lock"))
	if err != nil {
		return nil, fmt.Errorf("open bus credentials: %w", err)
	}
	defer unlock()
	if err := b.ensure(); err != nil {
		return nil, fmt.Errorf("open bus credentials: %w", err)
	}
	return b, nil
}

// OperatorJWT is whom the server trusts: server.Options.TrustedOperators, decoded.
func (b *Bus) OperatorJWT() string { return b.operatorJWT }

// SystemAccount is the public key of the server's own account: server.Options.SystemAccount.
func (b *Bus) SystemAccount() string { return b.system.id }

// Account is the public key of the account on which the hub's parts meet.
func (b *Bus) Account() string { return b.bus.id }

// AccountJWTs are all accounts by public key, for the server's account resolver.
func (b *Bus) AccountJWTs() map[string]string {
	return map[string]string{b.system.id: b.system.jwt, b.bus.id: b.bus.jwt}
}

// ConfigFile is the path of the configuration for a nats-server.
func (b *Bus) ConfigFile() string { return b.path("nats.conf") }

// ObserverFile is the path of the observer's credentials.
func (b *Bus) ObserverFile() string { return b.path("observer.creds") }

// GatewayCreds makes credentials for a gateway, whose inbox is bus.GatewayInbox + "." + id. The key is a new one
// each time.
func (b *Bus) GatewayCreds(id string) ([]byte, error) { return b.GatewayCredsUntil(id, time.Time{}) }

// GatewayCredsUntil is GatewayCreds for one that is outside the hub's directory: the credentials are good until a
// moment, such as the end of its certificate; the zero time is for ever.
func (b *Bus) GatewayCredsUntil(id string, until time.Time) ([]byte, error) {
	p, err := gateway(id)
	if err != nil {
		return nil, fmt.Errorf("make bus credentials: %w", err)
	}
	return b.newCreds("gateway "+id, p, until)
}

// ConnectorCreds makes credentials for a connector that answers for the subjects. Its name is that of its NATS
// micro service, and its inbox is bus.ConnectorInbox + "." + name. The key is a new one each time.
func (b *Bus) ConnectorCreds(name string, subjects []Subjects) ([]byte, error) {
	return b.ConnectorCredsUntil(name, subjects, time.Time{})
}

// ConnectorCredsUntil is ConnectorCreds for one that is outside the hub's directory: the credentials are good until a
// moment, such as the end of its certificate; the zero time is for ever.
func (b *Bus) ConnectorCredsUntil(name string, subjects []Subjects, until time.Time) ([]byte, error) {
	p, err := connector(name, subjects)
	if err != nil {
		return nil, fmt.Errorf("make bus credentials: %w", err)
	}
	return b.newCreds("connector "+name, p, until)
}

// RingerCreds makes credentials that may ring the bell, for commands on the hub's machine.
func (b *Bus) RingerCreds() ([]byte, error) { return b.newCreds("ringer", ringer(), time.Time{}) }

// ObserverCreds returns the credentials of ObserverFile.
func (b *Bus) ObserverCreds() []byte { return append([]byte(nil), b.observer...) }

// Option makes a NATS connection use credentials.
func Option(creds []byte) nats.Option { return nats.UserCredentialBytes(creds) }

func (b *Bus) newCreds(name string, p jwt.Permissions, until time.Time) ([]byte, error) {
	user, err := nkeys.CreateUser()
	if err != nil {
		return nil, fmt.Errorf("make bus credentials: %w", err)
	}
	token, err := b.signUser(user, name, p, until)
	if err != nil {
		return nil, fmt.Errorf("make bus credentials: %w", err)
	}
	return format(token, user)
}

// signUser is the account's word for what a user may do. Clients are programs on NATS connections, in process or
// not: no browsers, leaf nodes or devices.
func (b *Bus) signUser(user nkeys.KeyPair, name string, p jwt.Permissions, until time.Time) (string, error) {
	public, err := user.PublicKey()
	if err != nil {
		return "", err
	}
	claims := jwt.NewUserClaims(public)
	claims.Name = name
	claims.Permissions = p
	if !until.IsZero() {
		claims.Expires = until.Unix()
	}
	claims.AllowedConnectionTypes = jwt.StringList{jwt.ConnectionTypeStandard, jwt.ConnectionTypeInProcess}
	var problems jwt.ValidationResults
	claims.Validate(&problems)
	if errs := problems.Errors(); len(errs) > 0 {
		return "", errors.Join(errs...)
	}
	return claims.Encode(b.bus.key)
}

func format(token string, user nkeys.KeyPair) ([]byte, error) {
	seed, err := user.Seed()
	if err != nil {
		return nil, err
	}
	return jwt.FormatUserConfig(token, seed)
}

func (b *Bus) path(name string) string { return filepath.Join(b.dir, name) }

// loadKey reads a key, or makes it if neither it nor words that it signed are there.
func (b *Bus) loadKey(name string, create func() (nkeys.KeyPair, error)) (nkeys.KeyPair, error) {
	file := b.path(name + ".nk")
	seed, err := os.ReadFile(file)
	if err == nil {
		key, err := nkeys.FromSeed(trim(seed))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if _, err := os.Stat(b.path(name + ".jwt")); err == nil {
		return nil, fmt.Errorf("%s is lost; bring it back, or remove %s and issue all credentials anew", file, b.dir)
	}
	key, err := create()
	if err != nil {
		return nil, err
	}
	if seed, err = key.Seed(); err != nil {
		return nil, err
	}
	return key, safefile.Write(file, append(seed, '\n'), 0o600)
}
