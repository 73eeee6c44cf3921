package hubtest

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/services/connector"
)

// Registry is a registry of a test hub: one of the sandbox's as it is, one of the sandbox's with other answers, or
// one of the test's own.
type Registry struct {
	// Name of the registry. One of the sandbox's names (population, civilstatus, insurance, land-42, land-08, land-vn)
	// takes that one's place.
	Name string
	// Register registers the service that answers. Nil: the sandbox's, over the nation.
	Register func(grpc.ServiceRegistrar)

	// The rest is for a registry of the test's own; its offer and an agreement come with Config.Files.

	Service      string  // full name of the service, whose generated code is linked
	Jurisdiction string  // default "vn"
	ID           peer.ID // who provides it, as the offer says; it is issued a certificate
}

// Sandbox names registries of the sandbox; without names it is all of them.
func Sandbox(names ...string) []Registry {
	if len(names) == 0 {
		for _, r := range parts.Registries() {
			names = append(names, r.Name)
		}
	}
	all := make([]Registry, len(names))
	for i, name := range names {
		all[i].Name = name
	}
	return all
}

// fill completes what is said of one of the sandbox's registries.
func (r *Registry) fill() error {
	known, err := parts.FindRegistry(r.Name)
	switch {
	case err == nil:
		r.Service, r.Jurisdiction, r.ID = known.Service, known.Jurisdiction, known.ID
		return nil
	case r.Register == nil:
		return err
	case r.Service == "" || !r.ID.Valid():
		return fmt.Errorf("registry %s is not the sandbox's; say its Service and its ID", r.Name)
	}
	if r.Jurisdiction == "" {
		r.Jurisdiction = connector.Country
	}
	return nil
}

// issue gives the provider of a registry of the test's own a certificate.
func (r *Registry) issue(h *Hub) error {
	if _, err := parts.FindRegistry(r.Name); err == nil {
		return nil
	}
	_, err := h.Authority.Issue(authority.Order{ID: r.ID, Roles: member.Provider, Server: true})
	return err
}

// running is a registry on the bus.
type running struct {
	seat  parts.Registry
	stop  context.CancelFunc
	done  chan struct{}
	err   error
	close func() error
}

// StartRegistry puts a registry on the bus, or one that was stopped back, and waits until it can be asked.
func (h *Hub) StartRegistry(ctx context.Context, r Registry) error {
	if err := r.fill(); err != nil {
		return err
	}
	if err := h.connect(r); err != nil {
		return err
	}
	return h.await(ctx)
}

// StopRegistry takes a registry off the bus, as an orderly stop does.
func (h *Hub) StopRegistry(name string) error {
	r, ok := h.registries[name]
	if !ok {
		return fmt.Errorf("no registry %s runs", name)
	}
	delete(h.registries, name)
	r.stop()
	<-r.done
	return errors.Join(r.err, r.close())
}

// connect runs a registry.
func (h *Hub) connect(r Registry) error {
	if _, twice := h.registries[r.Name]; twice {
		return fmt.Errorf("registry %s runs already", r.Name)
	}
	seat := parts.Registry{Name: r.Name, Service: r.Service, Jurisdiction: r.Jurisdiction, ID: r.ID}
	toBus, err := h.creds.Registry(seat)
	if err != nil {
		return err
	}
	one := &running{seat: seat, done: make(chan struct{}), close: func() error { return nil }}
	if r.Register == nil {
		if r.Register, err = h.open(r.Name, one); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(h.ctx))
	one.stop = stop
	h.registries[r.Name] = one
	go func() {
		defer close(one.done)
		one.err = seat.Serve(ctx, h.Dir, parts.ConnectConfig{Bus: h.reach(toBus), Log: h.slog(), Tracer: h.cfg.Tracer, Members: h.gateway.Members}, r.Register)
	}()
	return nil
}

// open opens one of the sandbox's registries and fills it from the nation.
func (h *Hub) open(name string, one *running) (func(grpc.ServiceRegistrar), error) {
	known, err := parts.FindRegistry(name)
	if err != nil {
		return nil, err
	}
	open, err := known.Open(h.ctx, h.Dir)
	if err != nil {
		return nil, err
	}
	one.close = open.Close
	filled, err := open.Filled(h.ctx)
	if err == nil && !filled {
		made, nerr := h.nation()
		if err = nerr; err == nil {
			err = open.Fill(h.ctx, made)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("fill registry %s: %w", name, err), open.Close())
	}
	return open.Register, nil
}
