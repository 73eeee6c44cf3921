package parts

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/peer"
)

// Listen serves the registry as an ordinary gRPC server, with health and reflection, to systems of its own agency
// only, as members says at each request, until ctx ends. serving is told the address.
func (r *OpenRegistry) Listen(ctx context.Context, address string, members func() *member.Directory, log *slog.Logger, serving func(string)) error {
	identity, err := r.dir.LoadIdentity(r.ID)
	if err != nil {
		return err
	}
	guard := member.Guard{Members: members}
	accept := member.Accept(members)
	server := grpc.NewServer(
		grpc.Creds(member.Credentials(peer.Config{
			GetCertificate: reloading(r.dir, r.ID),
			Roots:          identity.Roots,
			Accept: func(id peer.ID, cert *x509.Certificate) error {
				if id.Agency != r.ID.Agency {
					return peer.NotAccepted
				}
				return accept(id, cert)
			},
			OnReject: func(j peer.Rejection) {
				log.Warn("connection refused", "reason", string(j.Reason), "remote", j.Remote.String(), "serial", j.Serial, "claims", j.ID.String())
			},
		})),
		grpc.UnaryInterceptor(guard.Unary),
		grpc.StreamInterceptor(guard.Stream),
		grpc.MaxRecvMsgSize(bus.MaxRequest),
		grpc.MaxConcurrentStreams(1024),
		grpc.MaxHeaderListSize(32<<10),
		grpc.ConnectionTimeout(5*time.Second),
	)
	r.Register(server)
	reflection.Register(server)
	healthv1.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("registry address, choose another one with --listen: %w", err)
	}
	serving(listener.Addr().String())
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return server.Serve(listener) })
	tasks.Go(func() error {
		<-ctx.Done()
		force := time.AfterFunc(stopGrace, server.Stop)
		defer force.Stop()
		server.GracefulStop()
		return nil
	})
	return tasks.Wait()
}

// OpenFilled opens the registry's database, and fills it from the nation if it is empty.
func (r Registry) OpenFilled(ctx context.Context, dir Dir, n Nation, log *slog.Logger) (*OpenRegistry, error) {
	if err := dir.keepNation(ctx, n); err != nil {
		return nil, err
	}
	open, err := r.openAfter(ctx, dir, r.sayWaiting(log))
	if err != nil {
		return nil, err
	}
	f := &filler{dir: dir, nation: n, log: log}
	if err := f.fill(ctx, []*OpenRegistry{open}, func(*OpenRegistry) {}); err != nil {
		_ = open.Close()
		return nil, err
	}
	return open, nil
}

func (r Registry) sayWaiting(log *slog.Logger) func() {
	return func() { log.Info("waiting for another process that fills the registry", "registry", r.Name) }
}
