// Package connector puts a registry on the hub: any gRPC service whose contract carries the policy labels.
//
//	err := connector.Run(ctx, connector.Config{Name: "population", …}, func(s grpc.ServiceRegistrar) {
//		populationv1.RegisterPopulationServiceServer(s, service)
//	})
//
// That is all a registry's author writes. What the answer says was found, whom it is about, how many matched, and
// which fields may leave come from the contract's labels.
//
// A handler is an ordinary gRPC handler. Its context ends when nobody waits any more; a handler that does not heed
// it keeps its worker, and keeps Run from returning. The message that it returns belongs to the connector.
//
// Invariants:
//   - No call reaches the registry unless a gateway sealed it for this very process, in time, for the first
//     time, and for the contract that this process was built with.
//   - No field leaves that the call's envelope does not name.
//   - Nothing about a call is kept after its answer.
//
// What does not belong here: what a registry knows or decides, and what an agreement allows.
package connector

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/peer"
)

// Country is the jurisdiction of a registry that answers for the whole country.
const Country = "vn"

// Config says which registry joins, as whom, and over which bus.
type Config struct {
	Name         string            // what operators see in `nats micro ls`; letters, digits, '-' and '_'
	Version      string            // of the registry, semantic; default "1.0.0"
	Jurisdiction string            // Country (the default) or a province code
	Bus          bus.ConnectConfig // how to reach the bus; Name, Inbox, Process and Log are filled in
	Certificate  tls.Certificate   // who the provider is; signs the sealing keys
	Roots        *x509.CertPool    // whom gateways' certificates are checked against
	Gateways     []peer.ID         // who may ask; nobody else is answered. None: whom Accept takes
	Workers      int               // calls answered at the same time; default 16 for each CPU
	Waiting      int               // calls that may wait for a worker; default 64 for each worker
	Log          *slog.Logger      // default: slog's default
	Tracer       trace.Tracer      // default: none
	Ready        func()            // called once, when the registry can be asked; may be nil
	Now          func() time.Time  // default time.Now

	// GetCertificate, if set, is asked every few seconds, instead of Certificate. A certificate that is new makes a
	// new sealing key, so that it comes into use without a restart.
	GetCertificate func() (*tls.Certificate, error)
	// Accept judges, for every call, a gateway whose certificate is good, so that a revoked one is not answered any
	// more, or of which Gateways does not say who they are; nil accepts all of Gateways. It must not block.
	Accept func(peer.ID, *x509.Certificate) error
}

func (c *Config) fill() error {
	if !bus.ValidToken(c.Name) {
		return fmt.Errorf("connector: name %q: use letters, digits, '-' and '_'", c.Name)
	}
	if len(c.Gateways) == 0 && c.Accept == nil || c.Roots == nil {
		return errors.New("connector: say who may ask (Gateways or Accept, and Roots)")
	}
	if c.GetCertificate == nil {
		c.GetCertificate = func() (*tls.Certificate, error) { return &c.Certificate, nil }
	}
	if c.Jurisdiction == "" {
		c.Jurisdiction = Country
	}
	if c.Version == "" {
		c.Version = "1.0.0"
	}
	if c.Workers <= 0 {
		c.Workers = 16 * runtime.GOMAXPROCS(0)
	}
	if c.Waiting <= 0 {
		c.Waiting = 64 * c.Workers
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Log = c.Log.With("connector", c.Name)
	c.Bus.Name, c.Bus.Inbox, c.Bus.Process, c.Bus.Log = c.Name, bus.ConnectorInbox, c.Name, c.Log
	return nil
}

// Run puts the services that register registers on the hub, and answers until ctx ends. Then it says that it
// leaves, finishes the calls it has, and returns nil. It fails at once if a contract is not complete.
func Run(ctx context.Context, cfg Config, register func(grpc.ServiceRegistrar)) error {
	if err := cfg.fill(); err != nil {
		return err
	}
	services, err := compile(register)
	if err != nil {
		return err
	}
	c, err := newConnector(cfg, services)
	if err != nil {
		return err
	}
	c.cfg.Bus.OnChange = func(bool) { c.announceSoon() }
	nc, err := bus.Connect(c.cfg.Bus)
	if err != nil {
		return err
	}
	defer nc.Close()
	if err := c.listen(nc); err != nil {
		return err
	}
	var workers sync.WaitGroup
	for range cfg.Workers {
		workers.Go(c.work)
	}
	c.announcer(ctx, cfg.Ready)
	c.leave(nc)
	c.queue.close()
	workers.Wait()
	c.flush(nc)
	return nil
}

// listen registers the service with NATS micro, one endpoint for each method.
func (c *connector) listen(nc *nats.Conn) error {
	c.nc = nc
	service, err := micro.AddService(nc, micro.Config{
		Name:         c.cfg.Name,
		Version:      c.cfg.Version,
		Description:  c.services[0].title,
		QueueGroup:   "lt",
		Metadata:     c.metadata(),
		StatsHandler: func(e *micro.Endpoint) any { return c.stats(e) },
	})
	if err != nil {
		return fmt.Errorf("register with NATS: %w", err)
	}
	c.micro, c.instance = service, service.Info().ID
	if err := c.keys.rotate(c.cfg.Now(), c.instance, c.offers()); err != nil {
		return err
	}
	for _, s := range c.services {
		subject, err := bus.KeySubject(c.cfg.Jurisdiction, s.name)
		if err != nil {
			return err
		}
		c.subjects = append(c.subjects, subject)
		for _, m := range s.methods {
			if err := c.addEndpoint(m); err != nil {
				return err
			}
		}
		if err := c.addCancel(s); err != nil {
			return err
		}
	}
	if _, err := nc.Subscribe(bus.Hello, c.asked); err != nil {
		return fmt.Errorf("listen for hello: %w", err)
	}
	return nil
}

func (c *connector) addEndpoint(m *method) error {
	subject, err := bus.CallSubject(c.cfg.Jurisdiction, m.name, c.instance)
	if err != nil {
		return err
	}
	handler := micro.HandlerFunc(func(r micro.Request) { c.accept(m, r) })
	err = c.micro.AddEndpoint(string(m.desc.Name()), handler, micro.WithEndpointSubject(subject),
		micro.WithEndpointMetadata(map[string]string{
			"method":   m.name,
			"effect":   m.effect,
			"title.vi": m.policy.GetTitle().GetVi(),
			"title.en": m.policy.GetTitle().GetEn(),
		}))
	if err != nil {
		return fmt.Errorf("listen for %s: %w", m.name, err)
	}
	return nil
}

// leave tells the gateways, goes on taking the calls that they sent before they heard, and stops listening.
// Cancellations are heard until the end.
func (c *connector) leave(nc *nats.Conn) {
	if c.announce(true) && c.flush(nc) {
		pause(context.Background(), leaveGrace)
	}
	if err := c.micro.Stop(); err != nil {
		c.cfg.Log.Warn("listening not stopped", "error", err)
	}
	c.flush(nc) // whatever NATS sent is here now
}

// flush waits until the bus has what was sent, and reports whether it has.
func (c *connector) flush(nc *nats.Conn) bool {
	if !nc.IsConnected() {
		return false
	}
	if err := nc.FlushTimeout(time.Second); err != nil {
		c.cfg.Log.Warn("leaving: the bus does not answer", "error", err)
		return false
	}
	return true
}
