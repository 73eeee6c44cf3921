package parts_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/member/buscreds"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/connector"
)

const (
	patience = 20 * time.Second // how long a test waits for what must happen
	people   = "registry.population.v1.PopulationService"
)

// ride is a courier and connectors over the embedded bus with its accounts.
type ride struct {
	t       testing.TB
	ca      *bustest.CA
	dir     string
	creds   *buscreds.Bus
	bus     *parts.EmbeddedBus
	courier *courier.Courier
	digest  [32]byte
	next    atomic.Uint64
}

func newRide(t testing.TB) *ride {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, leaks) })
	r := &ride{t: t, ca: bustest.NewCA(t), dir: t.TempDir()}
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(people)
	require.NoError(t, err)
	r.digest = contract.Digest(d.(protoreflect.ServiceDescriptor))
	r.creds, err = buscreds.Ensure(r.dir)
	require.NoError(t, err)
	r.bus, err = parts.StartBus(r.creds, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(r.bus.Close)
	creds, err := r.creds.GatewayCreds("gw1")
	require.NoError(t, err)
	cfg := courier.Config{
		Bus:         bus.ConnectConfig{Credentials: buscreds.Option(creds), Process: "gw1", Name: "gateway"},
		Certificate: r.ca.Issue(bustest.GatewayID), Roots: r.ca.Roots(), Log: quiet(),
	}
	r.bus.Reach(&cfg.Bus)
	r.courier, err = courier.Open(cfg)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.courier.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done; r.courier.Close() })
	return r
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// registry answers GetPerson, and counts.
type registry struct {
	populationv1.UnimplementedPopulationServiceServer
	asked atomic.Int64
	hold  atomic.Pointer[chan struct{}] // answers wait until it is closed
}

func (r *registry) GetPerson(ctx context.Context, q *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
	r.asked.Add(1)
	if hold := r.hold.Load(); hold != nil {
		select {
		case <-*hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &populationv1.GetPersonResponse{Person: &populationv1.Person{
		PersonalId: q.GetPersonalId(), BirthDate: "1987-04-21", Religion: "canary", Nationality: "VNM",
		Name: &hubv1.PersonName{Full: "Nguyễn Thị Hoà"},
	}}, nil
}

// copied is one running connector of the registry.
type copied struct {
	*registry
	wire *wire
	stop context.CancelFunc
	done chan error
}

// join puts a copy of the registry on the bus and waits until n of them can be asked.
func (r *ride) join(n int) *copied {
	r.t.Helper()
	creds, err := r.creds.ConnectorCreds("population", []buscreds.Subjects{{Jurisdiction: connector.Country, Service: people}})
	require.NoError(r.t, err)
	c := &copied{registry: new(registry), wire: &wire{to: r.bus}, done: make(chan error, 1)}
	cfg := connector.Config{
		Name: "population", Certificate: r.ca.Issue(bustest.ProviderID), Roots: r.ca.Roots(),
		Gateways: []peer.ID{bustest.GatewayID}, Log: quiet(),
		Bus: bus.ConnectConfig{Credentials: buscreds.Option(creds), InProcess: c.wire},
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	go func() {
		c.done <- connector.Run(ctx, cfg, func(s grpc.ServiceRegistrar) { populationv1.RegisterPopulationServiceServer(s, c.registry) })
		close(c.done)
	}()
	r.t.Cleanup(c.leave)
	r.online(n)
	return c
}

func (r *ride) online(n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.courier.Online(people, connector.Country, bustest.ProviderID) == n }, patience, time.Millisecond)
}

// leave stops the copy as an orderly stop does.
func (c *copied) leave() { c.stop(); <-c.done }

// wire is a way to the bus that can be cut.
type wire struct {
	to  *parts.EmbeddedBus
	mu  sync.Mutex
	now net.Conn
	cut bool
}

// InProcessConn implements nats.InProcessConnProvider.
func (w *wire) InProcessConn() (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return nil, errors.New("cut")
	}
	var cfg bus.ConnectConfig
	w.to.Reach(&cfg)
	conn, err := cfg.InProcess.InProcessConn()
	w.now = conn
	return conn, err
}

// kill cuts the way for good, as a crash does.
func (w *wire) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	_ = w.now.Close()
}

func (r *ride) question() *courier.Question {
	raw, err := proto.Marshal(&populationv1.GetPersonRequest{PersonalId: "042187001234", FullName: "Nguyễn Thị Hoà", BirthDate: "1987"})
	if err != nil {
		panic(err)
	}
	n := r.next.Add(1)
	return &courier.Question{
		Exchange: [16]byte{byte(n), byte(n >> 8), byte(n >> 16)}, Service: people, Method: people + "/GetPerson", Jurisdiction: connector.Country,
		Provider: bustest.ProviderID, Digest: r.digest, Request: raw,
		Envelope: &hubv1.Envelope{
			ConsumerAgency: "H27", ConsumerSystem: "one-stop", Purpose: "HT-KS", Agreement: "a", AgreementVersion: 1,
			Method: people + "/GetPerson", Jurisdiction: connector.Country, Fields: "person.birth_date,person.nationality",
		},
	}
}

// ask asks once; a failure of the connector is an error too.
func (r *ride) ask(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	answer, err := r.courier.Ask(ctx, r.question())
	switch {
	case err != nil:
		return err
	case answer.GetReason() != "":
		return reason.Reason(answer.GetReason())
	case len(answer.GetResponse()) == 0 || bytes.Contains(answer.GetResponse(), []byte("canary")):
		return errors.New("not what was agreed")
	}
	return nil
}

// load asks from many sides until stopped, and returns how often each side was answered and failed.
func (r *ride) load(sides int, within time.Duration) (stop func() (answered, failed []int)) {
	answered, failed := make([]int, sides), make([]int, sides)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := range sides {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := r.ask(within); err != nil {
					failed[i]++
				} else {
					answered[i]++
				}
			}
		})
	}
	return func() ([]int, []int) { cancel(); wg.Wait(); return answered, failed }
}

// operator is who runs the bus, and hears and says everything on it.
func (r *ride) operator() *nats.Conn {
	r.t.Helper()
	seed, err := os.ReadFile(filepath.Join(r.dir, "nats", "bus.nk"))
	require.NoError(r.t, err)
	account, err := nkeys.FromSeed(bytes.TrimSpace(seed))
	require.NoError(r.t, err)
	user, err := nkeys.CreateUser()
	require.NoError(r.t, err)
	public, err := user.PublicKey()
	require.NoError(r.t, err)
	claims := jwt.NewUserClaims(public)
	claims.Permissions.Pub.Allow, claims.Permissions.Sub.Allow = []string{">"}, []string{">"}
	token, err := claims.Encode(account)
	require.NoError(r.t, err)
	seed, err = user.Seed()
	require.NoError(r.t, err)
	nc, err := nats.Connect(r.bus.URL(), nats.UserJWTAndSeed(token, string(seed)))
	require.NoError(r.t, err)
	r.t.Cleanup(nc.Close)
	return nc
}
