package parts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nuid"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lienthong/lienthong/deploy/lienthong/sandbox"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/buscreds"
	"github.com/lienthong/lienthong/proto/bus"
)

// Prepare makes what a hub's directory lacks: the authority, the sandbox's identities, the bus's accounts, the
// catalog and the agreements. What is there stays as it is, but the published contracts of the registries that
// this binary has follow the binary.
func Prepare(ctx context.Context, dir Dir) (*Credentials, error) {
	if err := os.MkdirAll(string(dir), 0o700); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", dir, err)
	}
	a, err := authority.Open(string(dir))
	if err == nil {
		err = a.EnsureSandbox(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("prepare identities: %w", err)
	}
	creds, err := buscreds.Ensure(string(dir))
	if err != nil {
		return nil, fmt.Errorf("prepare bus credentials: %w", err)
	}
	if err := publish(dir); err != nil {
		return nil, fmt.Errorf("prepare catalog: %w", err)
	}
	if err := copySandbox(dir); err != nil {
		return nil, fmt.Errorf("prepare sandbox: %w", err)
	}
	return &Credentials{Authority: a, bus: creds}, nil
}

// publish writes the contracts of this binary's registries to the catalog.
func publish(dir Dir) error {
	if err := os.MkdirAll(dir.Catalog(), 0o700); err != nil {
		return err
	}
	for _, r := range Registries() {
		desc, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(r.Service))
		if err != nil {
			return fmt.Errorf("%s: %w", r.Service, err)
		}
		name := strings.TrimSuffix(string(desc.ParentFile().Package()), "."+string(desc.Name())) + ".binpb"
		if err := catalog.WriteFileSet(filepath.Join(dir.Catalog(), name), desc.ParentFile()); err != nil {
			return err
		}
	}
	return nil
}

// copySandbox writes the sandbox's offers and agreements into a directory that has no agreements yet. Later the
// directory is its operators': what they remove stays removed.
func copySandbox(dir Dir) error {
	if _, err := os.Stat(dir.Agreements()); err == nil {
		return nil
	}
	return os.CopyFS(string(dir), sandbox.Files)
}

// Credentials are what lets a hub's parts know each other.
type Credentials struct {
	Authority *authority.Authority // issues and renews identities
	bus       *buscreds.Bus
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

// Registry lets a registry's connector onto the bus, for its own service and jurisdiction.
func (c *Credentials) Registry(r Registry) (bus.ConnectConfig, error) {
	creds, err := c.bus.ConnectorCreds(r.Name, []buscreds.Subjects{{Jurisdiction: r.Jurisdiction, Service: r.Service}})
	if err != nil {
		return bus.ConnectConfig{}, fmt.Errorf("bus credentials of registry %s: %w", r.Name, err)
	}
	return bus.ConnectConfig{Process: r.Name, Credentials: buscreds.Option(creds)}, nil
}
