package connector_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	"github.com/lienthong/lienthong/proto/peer"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/connector"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// world is a bus with an authority. The bus has no accounts here; those are tested where they are made.
type world struct {
	t      testing.TB
	ca     *bustest.CA
	clock  *clock
	server *server.Server
	port   int
}

func newWorld(t testing.TB, change ...func(*server.Options)) *world {
	t.Helper()
	w := &world{t: t, ca: bustest.NewCA(t), clock: new(clock), port: server.RANDOM_PORT}
	w.startBus(change...)
	t.Cleanup(func() { w.stopBus() })
	return w
}

func (w *world) startBus(change ...func(*server.Options)) {
	w.t.Helper()
	opts := &server.Options{Host: "127.0.0.1", Port: w.port, NoSigs: true, NoLog: true, MaxPayload: bus.MaxFrame}
	for _, f := range change {
		f(opts)
	}
	s, err := server.NewServer(opts)
	require.NoError(w.t, err)
	s.Start()
	require.True(w.t, s.ReadyForConnections(patience))
	w.server, w.port = s, opts.Port
}

func (w *world) stopBus() {
	w.server.Shutdown()
	w.server.WaitForShutdown()
}

// connect opens a connection of a test's own.
func (w *world) connect() *nats.Conn {
	w.t.Helper()
	nc, err := nats.Connect(w.server.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	require.NoError(w.t, err)
	w.t.Cleanup(nc.Close)
	return nc
}

// clock is the time of day, moved.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// registry is a population registry that answers what a test says.
type registry struct {
	populationv1.UnimplementedPopulationServiceServer
	getPerson   func(context.Context, *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error)
	batchVerify func(context.Context, *populationv1.BatchVerifyRequest) (*populationv1.BatchVerifyResponse, error)
}

func (r *registry) GetPerson(ctx context.Context, q *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
	if r.getPerson == nil {
		return &populationv1.GetPersonResponse{Person: &populationv1.Person{PersonalId: q.GetPersonalId()}}, nil
	}
	return r.getPerson(ctx, q)
}

func (r *registry) BatchVerify(ctx context.Context, q *populationv1.BatchVerifyRequest) (*populationv1.BatchVerifyResponse, error) {
	return r.batchVerify(ctx, q)
}

func (r *registry) register(s grpc.ServiceRegistrar) {
	populationv1.RegisterPopulationServiceServer(s, r)
}

// process is a running connector.
type process struct {
	t    testing.TB
	stop context.CancelFunc
	done chan struct{}
	err  error
	log  *logBook
}

// logBook is a log that may be read while it is written.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// run starts a connector and waits until it is ready. The test fails if it does not stop well.
func (w *world) run(r *registry, change ...func(*connector.Config)) *process {
	w.t.Helper()
	ready := make(chan struct{})
	p := w.start(r, append(change, func(c *connector.Config) { c.Ready = sync.OnceFunc(func() { close(ready) }) })...)
	select {
	case <-ready:
	case <-p.done:
		require.NoError(w.t, p.err)
	case <-time.After(patience):
		require.Fail(w.t, "not ready")
	}
	return p
}

func (w *world) start(r *registry, change ...func(*connector.Config)) *process {
	w.t.Helper()
	cfg := connector.Config{
		Name: "population", Bus: bus.ConnectConfig{URL: w.server.ClientURL()}, Certificate: w.ca.Issue(bustest.ProviderID),
		Roots: w.ca.Roots(), Gateways: []peer.ID{bustest.GatewayID}, Now: w.clock.now,
	}
	log := new(logBook)
	cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	for _, f := range change {
		f(&cfg)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &process{t: w.t, stop: stop, done: make(chan struct{}), log: log}
	go func() {
		defer close(p.done)
		p.err = connector.Run(ctx, cfg, r.register)
	}()
	w.t.Cleanup(p.end)
	return p
}

// end stops the connector and waits until it has.
func (p *process) end() {
	p.t.Helper()
	p.stop()
	await(p.t, p.done, "the connector did not stop")
	require.NoError(p.t, p.err)
	if p.t.Failed() {
		p.t.Log(strings.TrimSpace(p.log.String()))
	}
}

// await waits for a channel to be closed or to give something.
func await[T any](t testing.TB, ch <-chan T, otherwise string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		require.Fail(t, otherwise)
		panic("unreachable")
	}
}
