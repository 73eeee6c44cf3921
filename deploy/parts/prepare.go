package parts

import (
	"context"
	"fmt"

	"github.com/nats-io/nuid"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/buscreds"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/peer"
)

// Prepare makes what a hub's directory and state lack: the authority, the sandbox's identities, the bus's accounts, the
// catalog and the agreements. What is there stays as it is, but the published contracts of the registries that this
// binary has follow the binary. The caller closes what it returns.
func Prepare(ctx context.Context, dir Dir) (_ *Credentials, err error) {
	c := &Credentials{dir: dir}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if c.State, err = dir.OpenState(ctx); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", dir, err)
	}
	if c.Authority, err = authority.Open(string(dir), c.State); err == nil {
		err = c.Authority.EnsureSandbox(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("prepare identities: %w", err)
	}
	if c.bus, err = buscreds.Ensure(string(dir)); err != nil {
		return nil, fmt.Errorf("prepare bus credentials: %w", err)
	}
	if err := seed(ctx, c.State); err != nil {
		return nil, fmt.Errorf("prepare catalog and agreements: %w", err)
	}
	return c, nil
}

// Credentials are what lets a hub's parts know each other.
type Credentials struct {
	Authority *authority.Authority // issues and renews identities
	State     *state.DB            // the hub's own
	bus       *buscreds.Bus
	dir       Dir
}

// Close closes the state.
func (c *Credentials) Close() {
	if c.State != nil {
		_ = c.State.Close() // everything in it is committed
	}
}

// StartBus starts the embedded NATS server on address ("127.0.0.1:4222"; port 0 takes a free one).
func (c *Credentials) StartBus(address string) (*EmbeddedBus, error) { return StartBus(c.bus, address) }

// Gateway lets a gateway onto the bus. Each process is its own to the bus.
func (c *Credentials) Gateway() (bus.ConnectConfig, error) {
	process := nuid.Next()
	creds, err := c.bus.GatewayCreds(process)
	if err != nil {
		return bus.ConnectConfig{}, fmt.Errorf("bus credentials of the gateway: %w", err)
	}
	return bus.ConnectConfig{Process: process, Credentials: buscreds.Option(creds)}, nil
}

// EnsureGateway gives a gateway of this hub an identity, if it has none.
func (c *Credentials) EnsureGateway(name string) (peer.ID, error) {
	id, err := peer.ParseID(GatewayID.Agency + "/" + name)
	if err != nil {
		return id, err
	}
	if _, err := c.dir.LoadIdentity(id); err == nil {
		return id, nil
	}
	_, err = c.Authority.Issue(authority.Order{ID: id, Roles: member.Gateway, Server: true, Title: member.Title{VI: "Nền tảng liên thông"}})
	return id, err
}

// Registry lets a registry's connector onto the bus, for its own service and jurisdiction.
func (c *Credentials) Registry(r Registry) (bus.ConnectConfig, error) {
	creds, err := c.bus.ConnectorCreds(r.Name, []buscreds.Subjects{{Jurisdiction: r.Jurisdiction, Service: r.Service}})
	if err != nil {
		return bus.ConnectConfig{}, fmt.Errorf("bus credentials of registry %s: %w", r.Name, err)
	}
	return bus.ConnectConfig{Process: r.Name, Credentials: buscreds.Option(creds)}, nil
}
