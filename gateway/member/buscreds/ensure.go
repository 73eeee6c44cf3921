package buscreds

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// ensure reads or makes keys, then what they sign, then the files made of that.
func (b *Bus) ensure() error {
	operator, err := b.loadKey("operator", nkeys.CreateOperator)
	if err != nil {
		return err
	}
	if err := b.loadAccount(&b.system, "system", operator, systemClaims); err != nil {
		return err
	}
	if err := b.loadAccount(&b.bus, "bus", operator, busClaims); err != nil {
		return err
	}
	if b.operatorJWT, err = b.keep("operator.jwt", func() (string, error) { return operatorToken(operator, b.system.id) }); err != nil {
		return err
	}
	if err := b.loadObserver(); err != nil {
		return err
	}
	return safefile.Update(b.ConfigFile(), b.config(), 0o644)
}

func operatorToken(operator nkeys.KeyPair, system string) (string, error) {
	id, err := operator.PublicKey()
	if err != nil {
		return "", err
	}
	claims := jwt.NewOperatorClaims(id)
	claims.Name = "lienthong"
	claims.SystemAccount = system
	return claims.Encode(operator)
}

func (b *Bus) loadAccount(a *account, name string, operator nkeys.KeyPair, claims func(id string) *jwt.AccountClaims) (err error) {
	if a.key, err = b.loadKey(name, nkeys.CreateAccount); err != nil {
		return err
	}
	if a.id, err = a.key.PublicKey(); err != nil {
		return err
	}
	a.jwt, err = b.keep(name+".jwt", func() (string, error) { return claims(a.id).Encode(operator) })
	return err
}

// systemClaims make the account that a server keeps for itself. Nobody gets credentials for it here.
func systemClaims(id string) *jwt.AccountClaims {
	claims := jwt.NewAccountClaims(id)
	claims.Name = "SYS"
	claims.DefaultPermissions = nothing()
	return claims
}

// busClaims make the account of the hub's parts: no imports, exports, leaf nodes or JetStream.
func busClaims(id string) *jwt.AccountClaims {
	claims := jwt.NewAccountClaims(id)
	claims.Name = "LIENTHONG"
	claims.DefaultPermissions = nothing()
	claims.Limits.Imports, claims.Limits.Exports, claims.Limits.WildcardExports, claims.Limits.LeafNodeConn = 0, 0, false, 0
	return claims
}

// loadObserver reads the observer's credentials, and makes them anew if they do not say what they should.
func (b *Bus) loadObserver() error {
	old, _ := os.ReadFile(b.ObserverFile()) // whatever is wrong with it, it is made anew
	user, err := jwt.ParseDecoratedUserNKey(old)
	if err != nil {
		if user, err = nkeys.CreateUser(); err != nil {
			return err
		}
	}
	token, err := b.signUser(user, "observer", observer(), time.Time{})
	if err != nil {
		return err
	}
	if was, err := jwt.ParseDecoratedJWT(old); err == nil && sameClaims(was, token) {
		b.observer = old
		return nil
	}
	if b.observer, err = format(token, user); err != nil {
		return err
	}
	return safefile.Write(b.ObserverFile(), b.observer, 0o600)
}

// keep returns the token of a file if it says what a new one would say, so that tokens stay the same from start
// to start. Otherwise it stores and returns the new one.
func (b *Bus) keep(file string, make func() (string, error)) (string, error) {
	fresh, err := make()
	if err != nil {
		return "", err
	}
	old, _ := os.ReadFile(b.path(file)) // whatever is wrong with it, it is made anew
	if was := string(trim(old)); sameClaims(was, fresh) {
		return was, nil
	}
	return fresh, safefile.Write(b.path(file), []byte(fresh+"\n"), 0o644)
}

// sameClaims reports whether two tokens of one issuer say the same, but for when and under which number. The
// signature of the old one counts too.
func sameClaims(old, fresh string) bool {
	if _, err := jwt.Decode(old); err != nil {
		return false
	}
	was, err1 := claimsOf(old)
	is, err2 := claimsOf(fresh)
	return err1 == nil && err2 == nil && reflect.DeepEqual(was, is)
}

func claimsOf(token string) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("not a token")
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	if err := json.Unmarshal(data, &claims); err != nil {
		return nil, err
	}
	delete(claims, "iat")
	delete(claims, "jti")
	return claims, nil
}

// config is a configuration with which a nats-server outside serves this bus. It holds nothing secret.
func (b *Bus) config() []byte {
	var w bytes.Buffer
	fmt.Fprintf(&w, `# Runs the hub's bus: nats-server -c nats.conf. Made by lienthong; changes are overwritten, so include it
# from a file of your own to add cluster, TLS or monitoring.
listen: "127.0.0.1:4222"
max_payload: 2MB
max_control_line: 4096
write_deadline: "5s"
ping_interval: "20s"

operator: %s
system_account: %s
resolver: MEMORY
resolver_preload: {
  %s: %s
  %s: %s
}
`, b.operatorJWT, b.system.id, b.system.id, b.system.jwt, b.bus.id, b.bus.jwt)
	return w.Bytes()
}

func trim(text []byte) []byte { return bytes.TrimSpace(text) }
