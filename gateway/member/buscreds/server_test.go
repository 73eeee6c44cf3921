package buscreds_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member/buscreds"
	"github.com/lienthong/lienthong/proto/bus"
)

const (
	landService   = "registry.land.v1.LandService"
	peopleService = "registry.population.v1.PopulationService"
)

// natsBus is a bus with a real server.
type natsBus struct {
	*buscreds.Bus
	server *server.Server
}

func startBus(t *testing.T) *natsBus {
	b, err := buscreds.Ensure(t.TempDir())
	require.NoError(t, err)
	operator, err := jwt.DecodeOperatorClaims(b.OperatorJWT())
	require.NoError(t, err)
	resolver := &server.MemAccResolver{}
	for id, token := range b.AccountJWTs() {
		require.NoError(t, resolver.Store(id, token))
	}
	return &natsBus{Bus: b, server: run(t, &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		TrustedOperators: []*jwt.OperatorClaims{operator}, SystemAccount: b.SystemAccount(), AccountResolver: resolver,
	})}
}

func run(t *testing.T, opts *server.Options) *server.Server {
	s, err := server.NewServer(opts)
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(10*time.Second))
	return s
}

// party is one connection, and what the server refused it.
type party struct {
	*nats.Conn
	t      *testing.T
	denied chan error
}

func (b *natsBus) connect(t *testing.T, creds []byte, inbox string, more ...nats.Option) *party {
	p := &party{t: t, denied: make(chan error, 1024)}
	opts := append([]nats.Option{buscreds.Option(creds), nats.MaxReconnects(0), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		p.denied <- err
	})}, more...)
	if inbox != "" {
		opts = append(opts, nats.CustomInboxPrefix(inbox))
	}
	nc, err := nats.Connect(b.server.ClientURL(), opts...)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	p.Conn = nc
	return p
}

func (b *natsBus) gateway(t *testing.T, id string) *party {
	creds, err := b.GatewayCreds(id)
	require.NoError(t, err)
	return b.connect(t, creds, bus.GatewayInbox+"."+id)
}

func (b *natsBus) connector(t *testing.T, name string, subjects ...buscreds.Subjects) *party {
	creds, err := b.ConnectorCreds(name, subjects)
	require.NoError(t, err)
	return b.connect(t, creds, bus.ConnectorInbox+"."+name)
}

func (b *natsBus) observer(t *testing.T) *party { return b.connect(t, b.ObserverCreds(), "") }

// refused waits for the server's refusals of n attempts.
func (p *party) refused(n int) {
	p.t.Helper()
	require.NoError(p.t, p.Flush())
	for i := range n {
		select {
		case err := <-p.denied:
			require.True(p.t, errors.Is(err, nats.ErrPermissionViolation), "%v", err)
		case <-time.After(10 * time.Second):
			require.Failf(p.t, "not refused", "%d of %d", i, n)
		}
	}
}

// calm says that the server refused nothing so far.
func (p *party) calm() {
	p.t.Helper()
	require.NoError(p.t, p.Flush())
	select {
	case err := <-p.denied:
		require.NoError(p.t, err)
	default:
	}
}

// listen subscribes and returns what comes.
func (p *party) listen(subject string) chan *nats.Msg {
	ch := make(chan *nats.Msg, 1024)
	_, err := p.ChanSubscribe(subject, ch)
	require.NoError(p.t, err)
	return ch
}

// next waits for a message.
func next(t *testing.T, ch chan *nats.Msg) *nats.Msg {
	t.Helper()
	select {
	case m := <-ch:
		return m
	case <-time.After(10 * time.Second):
		require.Fail(t, "no message")
		return nil
	}
}

// callSubject is where the connector process listens for a method of the service.
func callSubject(t *testing.T, jurisdiction, method, process string) string {
	s, err := bus.CallSubject(jurisdiction, method, process)
	require.NoError(t, err)
	return s
}
