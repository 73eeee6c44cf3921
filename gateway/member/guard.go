package member

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/proto/reason"
)

// Guard judges who asks, for gRPC services whose handlers do not: health, reflection, and a registry that listens
// by itself. Each message of a stream counts as a request, so a revocation ends open streams at the next one.
type Guard struct {
	Members func() *Directory // the members of this moment; must not block
	Now     func() time.Time  // default time.Now
}

// Judge says whether the caller of the request that ctx belongs to may ask now. What it fails with is what
// Directory.Caller fails with, as a gRPC status.
func (g Guard) Judge(ctx context.Context) error {
	now := time.Now
	if g.Now != nil {
		now = g.Now
	}
	cert, ok := FromContext(ctx)
	if !ok {
		return reason.IdentityUnknown.GRPCStatus().Err()
	}
	if _, err := g.Members().Caller(cert, now()); err != nil {
		return reason.Of(err).GRPCStatus().Err()
	}
	return nil
}

// Unary is a grpc.UnaryServerInterceptor.
func (g Guard) Unary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if err := g.Judge(ctx); err != nil {
		return nil, err
	}
	return handle(ctx, request)
}

// Stream is a grpc.StreamServerInterceptor.
func (g Guard) Stream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if err := g.Judge(stream.Context()); err != nil {
		return err
	}
	return handle(server, &guardedStream{stream, g})
}

// guardedStream judges for every message, either way.
type guardedStream struct {
	grpc.ServerStream
	guard Guard
}

// RecvMsg takes a message of a caller who may still ask.
func (s *guardedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return s.guard.Judge(s.Context())
}

// SendMsg gives a message to a caller who may still ask.
func (s *guardedStream) SendMsg(m any) error {
	if err := s.guard.Judge(s.Context()); err != nil {
		return err
	}
	return s.ServerStream.SendMsg(m)
}
