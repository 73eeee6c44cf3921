// Package parts wires the parts of Lienthong, by hand: the bus, the gateway, the registries, and all of them in one
// process. The command and the test hub start the same parts from here.
//
// What does not belong here: flags and printing (lienthong), and anything a part does by itself.
package parts

import (
	"path/filepath"

	"github.com/lienthong/lienthong/proto/peer"
)

// Dir is the directory in which a hub keeps everything.
type Dir string

func (d Dir) join(names ...string) string {
	return filepath.Join(append([]string{string(d)}, names...)...)
}

// CA is the certificate of the hub's authority, PEM.
func (d Dir) CA() string { return d.join("ca.pem") }

// Certificate is an identity's certificate, PEM.
func (d Dir) Certificate(id peer.ID) string {
	return d.join("identities", id.Agency, id.System, "cert.pem")
}

// Key is an identity's private key, PEM.
func (d Dir) Key(id peer.ID) string { return d.join("identities", id.Agency, id.System, "key.pem") }

// State is the database of the hub's own state: members, catalog, agreements.
func (d Dir) State() string { return d.join("hub.db") }

// Registries holds the registries' databases.
func (d Dir) Registries() string { return d.join("registries") }

// ReadyFile tells scripts what runs where.
func (d Dir) ReadyFile() string { return d.join("ready.json") }

// NationFile says which nation fills the registries.
func (d Dir) NationFile() string { return d.join("nation.json") }

// Observer is the credentials for looking at the bus: `nats micro ls --creds`.
func (d Dir) Observer() string { return d.join("nats", "observer.creds") }

// LoadIdentity reads an identity of this hub.
func (d Dir) LoadIdentity(id peer.ID) (*peer.Identity, error) {
	return peer.LoadIdentity(d.Certificate(id), d.Key(id), d.CA())
}
