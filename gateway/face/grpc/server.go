// Package grpc is the face that speaks native gRPC: any unary method of a published service, through one raw path.
// No generated code of a registry is linked; requests and answers pass as bytes.
//
// Beside the registries it serves health checks and server reflection, both from the catalog of the moment, so
// that grpcurl works with nothing but a certificate.
//
// What does not belong here: any decision about an exchange.
package grpc

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/reason"
)

// Bounds on what one peer may occupy.
const (
	maxStreams    = 128              // calls at a time on one connection
	maxReceive    = 1 << 20          // bytes of a request that is taken in, to be refused with its reason; more is cut off by gRPC
	maxHeaderList = 32 << 10         // bytes of metadata of one call
	streamWorkers = 256              // goroutines kept for calls: a new one for each call grows its stack each time
	connectTime   = 5 * time.Second  // for the TLS handshake
	idleTime      = 30 * time.Minute // without a call, then the connection is closed
	maxAge        = time.Hour        // of a connection; then the client opens another, with the certificate it has by then
	pingInterval  = 20 * time.Second // at least between a client's keepalive pings
)

// Config says what the face serves, and to whom.
type Config struct {
	Hub         *exchange.Hub
	Catalog     func() *catalog.Catalog          // the catalog of this moment
	Members     func() *member.Directory         // the members of this moment, for health and reflection
	Credentials credentials.TransportCredentials // mTLS
	Services    []Service                        // of the hub itself, served beside the exchanges; they judge their callers by themselves
}

// Service is one that the hub itself answers.
type Service interface {
	Register(to grpc.ServiceRegistrar)
}

// drainer is a Service with streams that have no end of their own. Drain ends them.
type drainer interface{ Drain() }

// Server is the face. Serve it on a listener; Stop finishes the calls under way.
type Server struct {
	cfg    Config
	guard  member.Guard
	own    map[string]bool // methods of health and reflection; exchanges and the hub's other services judge by themselves
	rpc    *grpc.Server
	health *health.Server
}

// NewServer makes the face. It starts nothing.
func NewServer(cfg Config) *Server {
	s := &Server{cfg: cfg, guard: member.Guard{Members: cfg.Members}, own: map[string]bool{}, health: health.NewServer()}
	s.rpc = grpc.NewServer(
		grpc.Creds(cfg.Credentials),
		grpc.ForceServerCodecV2(rawCodec{}),
		grpc.UnknownServiceHandler(s.handle),
		grpc.UnaryInterceptor(s.judgeOwnUnary),
		grpc.StreamInterceptor(s.judgeOwn),
		grpc.MaxRecvMsgSize(maxReceive),
		grpc.MaxSendMsgSize(bus.MaxAnswer+4096),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderList),
		grpc.ConnectionTimeout(connectTime),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: idleTime, MaxConnectionAge: maxAge, MaxConnectionAgeGrace: bus.MaxLife,
			Time: time.Minute, Timeout: 20 * time.Second,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingInterval, PermitWithoutStream: true}),
	)
	healthv1.RegisterHealthServer(s.rpc, s.health)
	live := catalog.Live(cfg.Catalog)
	reflectionv1.RegisterServerReflectionServer(s.rpc, reflection.NewServerV1(reflection.ServerOptions{
		Services: listed{live, s.rpc}, DescriptorResolver: described{live}, ExtensionResolver: live,
	}))
	for service, info := range s.rpc.GetServiceInfo() {
		for _, m := range info.Methods {
			s.own["/"+service+"/"+m.Name] = true
		}
	}
	for _, service := range cfg.Services {
		service.Register(s.rpc)
	}
	return s
}

// judgeOwnUnary judges who asks for health.
func (s *Server) judgeOwnUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if !s.own[info.FullMethod] {
		return handle(ctx, request)
	}
	return s.guard.Unary(ctx, request, info, handle)
}

// judgeOwn judges who asks on the streams of health and reflection.
func (s *Server) judgeOwn(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if !s.own[info.FullMethod] {
		return handle(server, stream)
	}
	return s.guard.Stream(server, stream, info, handle)
}

// Serve answers on the listener until Stop.
func (s *Server) Serve(l net.Listener) error {
	if err := s.rpc.Serve(l); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil // stopped before it began
}

// SetServing tells health checks whether the hub answers.
func (s *Server) SetServing(serving bool) {
	state := healthv1.HealthCheckResponse_NOT_SERVING
	if serving {
		state = healthv1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", state)
}

// Stop takes no new calls and finishes those under way, until ctx ends; then it cancels what is left. It returns after
// the last of them was recorded.
func (s *Server) Stop(ctx context.Context) {
	s.health.Shutdown()
	for _, service := range s.cfg.Services {
		if d, ok := service.(drainer); ok {
			d.Drain()
		}
	}
	done := make(chan struct{})
	go func() {
		s.rpc.GracefulStop() // waits for handlers, also for those that Stop cancels
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.rpc.Stop()
		<-done
	}
}

// handle answers one call of a published method.
func (s *Server) handle(_ any, stream grpc.ServerStream) error {
	ctx := stream.Context()
	caller, ok := member.FromContext(ctx)
	if !ok {
		return reason.IdentityUnknown.GRPCStatus().Err()
	}
	method, _ := grpc.MethodFromServerStream(stream)
	call := &exchange.Call{Face: "grpc", Caller: caller, Method: method}
	md, _ := metadata.FromIncomingContext(ctx)
	call.Unreadable = readWords(md, call)
	var request payload
	if err := stream.RecvMsg(&request); err != nil {
		call.Unreadable = unreadable(err)
	}
	call.Request = request.data
	reply, err := s.cfg.Hub.Do(traced(ctx, md), call)
	if herr := stream.SetHeader(answerWords(reply)); herr != nil {
		return herr
	}
	if err != nil {
		return reason.Of(err).GRPCStatus().Err()
	}
	return stream.SendMsg(&payload{data: reply.Response})
}

// unreadable says why there is no request. What grpc-go itself refuses comes as a status of its own.
func unreadable(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return reason.RequestMalformed
	case status.Code(err) == codes.ResourceExhausted:
		return reason.RequestTooLarge
	case status.Code(err) == codes.Canceled:
		return reason.Cancelled
	}
	return reason.RequestMalformed.Because(err)
}
