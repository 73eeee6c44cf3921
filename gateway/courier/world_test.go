package courier_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/member/buscreds"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 20 * time.Second // how long a test waits for what must happen
	service  = "sample.v1.PeopleService"
	method   = service + "/GetPerson"
	country  = "vn"
)

// world is a real bus with the hub's accounts, an authority and a courier.
type world struct {
	t      testing.TB
	ca     *bustest.CA
	clock  *clock
	dir    string
	creds  *buscreds.Bus
	server *server.Server
	port   int
	*courier.Courier
	next atomic.Uint64
}

// clock is the time of day, moved.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

func newWorld(t testing.TB, change ...func(*courier.Config)) *world {
	t.Helper()
	dir := t.TempDir()
	creds, err := buscreds.Ensure(dir)
	require.NoError(t, err)
	w := &world{t: t, ca: bustest.NewCA(t), clock: new(clock), dir: dir, creds: creds, port: server.RANDOM_PORT}
	w.startBus()
	t.Cleanup(func() { w.stopBus() })
	before := w.server.NumSubscriptions()
	w.Courier = w.open(change...)
	listens := func() bool { return w.Connected() && w.server.NumSubscriptions() >= before+2 }
	require.Eventually(t, listens, patience, time.Millisecond)
	return w
}

// open opens a courier that runs until the test ends.
func (w *world) open(change ...func(*courier.Config)) *courier.Courier {
	w.t.Helper()
	creds, err := w.creds.GatewayCreds("gw1")
	require.NoError(w.t, err)
	cfg := courier.Config{
		Bus:         bus.ConnectConfig{URL: w.server.ClientURL(), Credentials: buscreds.Option(creds), Process: "gw1", Name: "gateway"},
		Certificate: w.ca.Issue(bustest.GatewayID), Roots: w.ca.Roots(), Now: w.clock.now,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := courier.Open(cfg)
	require.NoError(w.t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	w.t.Cleanup(func() {
		stop()
		require.NoError(w.t, await(w.t, done, "the courier did not stop"))
		c.Close()
	})
	return c
}

func (w *world) startBus() {
	w.t.Helper()
	operator, err := jwt.DecodeOperatorClaims(w.creds.OperatorJWT())
	require.NoError(w.t, err)
	resolver := &server.MemAccResolver{}
	for id, token := range w.creds.AccountJWTs() {
		require.NoError(w.t, resolver.Store(id, token))
	}
	opts := &server.Options{
		Host: "127.0.0.1", Port: w.port, NoSigs: true, NoLog: true, MaxPayload: bus.MaxFrame,
		TrustedOperators: []*jwt.OperatorClaims{operator}, SystemAccount: w.creds.SystemAccount(), AccountResolver: resolver,
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

// operator is who runs the bus and may do everything on it.
func (w *world) operator() *nats.Conn {
	w.t.Helper()
	seed, err := os.ReadFile(filepath.Join(w.dir, "nats", "bus.nk"))
	require.NoError(w.t, err)
	account, err := nkeys.FromSeed(bytes.TrimSpace(seed))
	require.NoError(w.t, err)
	user, err := nkeys.CreateUser()
	require.NoError(w.t, err)
	public, err := user.PublicKey()
	require.NoError(w.t, err)
	claims := jwt.NewUserClaims(public)
	claims.Permissions.Pub.Allow, claims.Permissions.Sub.Allow = []string{">"}, []string{">"}
	token, err := claims.Encode(account)
	require.NoError(w.t, err)
	seed, err = user.Seed()
	require.NoError(w.t, err)
	nc, err := nats.Connect(w.server.ClientURL(), nats.UserJWTAndSeed(token, string(seed)))
	require.NoError(w.t, err)
	w.t.Cleanup(nc.Close)
	return nc
}

// question is a question that is right in every way.
func (w *world) question() *courier.Question {
	q := &courier.Question{
		Service: service, Method: method, Jurisdiction: country, Provider: bustest.ProviderID, Digest: [32]byte{7},
		Envelope: &hubv1.Envelope{Purpose: "HT-KS", Method: method, Jurisdiction: country}, Request: []byte("request"),
	}
	n := w.next.Add(1)
	q.Exchange[15], q.Exchange[14] = byte(n), byte(n>>8)
	return q
}

// ask asks within so much time.
func (w *world) ask(within time.Duration) (*hubv1.Answer, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), within)
	defer cancel()
	return w.Ask(ctx, w.question())
}

// answered asks and must be answered.
func (w *world) answered() *hubv1.Answer {
	w.t.Helper()
	answer, err := w.ask(patience)
	require.NoError(w.t, err)
	return answer
}

// refused asks and must fail with that reason.
func (w *world) refused(want reason.Reason) {
	w.t.Helper()
	_, err := w.ask(patience)
	require.ErrorIs(w.t, err, want)
}

// connector is a connector made by hand, which can also do what none would.
type connector struct {
	*world
	nc       *nats.Conn
	key      *bus.Key
	instance string
	id       peer.ID
	said     time.Time
	unknown  atomic.Int64   // calls from gateways that it did not know
	asked    chan *asked    // what was opened, if answer is nil
	cancels  chan [16]byte  // exchanges that were cancelled
	answer   atomic.Value   // func(*asked) []byte: what to send back for a call; nil sends nothing
	wg       sync.WaitGroup // of handlers
}

// asked is a call as a connector has opened it.
type asked struct {
	from   *connector
	pair   *bus.Pair
	header bus.Header
	call   *hubv1.Call
	reply  string
}

// seal makes the answer to a call, after spoiling what it is sealed under.
func (a *asked) seal(answer *hubv1.Answer, spoil ...func(*bus.Header)) []byte {
	raw, err := proto.Marshal(answer)
	if err != nil {
		panic(err)
	}
	h := a.header
	for _, f := range spoil {
		f(&h)
	}
	return a.pair.Seal(nil, &h, raw)
}

// fine is the answer of a connector that does as it should. It says which process it is from.
func fine(a *asked) []byte {
	return a.seal(&hubv1.Answer{Response: append([]byte("answer of "+a.from.instance+" to "), a.call.GetRequest()...)})
}

// connector joins the bus with real credentials for the service and announces itself.
func (w *world) connector(instance string, change ...func(*bus.KeyConfig)) *connector {
	w.t.Helper()
	creds, err := w.creds.ConnectorCreds("people", []buscreds.Subjects{{Jurisdiction: country, Service: service}})
	require.NoError(w.t, err)
	f := &connector{world: w, instance: instance, id: bustest.ProviderID, asked: make(chan *asked, 64), cancels: make(chan [16]byte, 64)}
	f.answer.Store(fine)
	f.nc, err = nats.Connect(w.server.ClientURL(), buscreds.Option(creds), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond),
		nats.CustomInboxPrefix(bus.ConnectorInbox+".people"))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { f.nc.Close(); f.wg.Wait() })
	f.rekey(change...)
	subject, err := bus.CallSubject(country, method, instance)
	require.NoError(w.t, err)
	_, err = f.nc.Subscribe(subject, f.serve)
	require.NoError(w.t, err)
	subject, err = bus.CancelSubject(country, service, instance)
	require.NoError(w.t, err)
	_, err = f.nc.Subscribe(subject, f.cancelled)
	require.NoError(w.t, err)
	require.NoError(w.t, f.nc.Flush())
	return f
}

// rekey gives the connector another key.
func (f *connector) rekey(change ...func(*bus.KeyConfig)) {
	f.t.Helper()
	cfg := bus.KeyConfig{
		Certificate: f.ca.Issue(f.id), Role: hubv1.AnnouncedKey_ROLE_CONNECTOR, Instance: f.instance, Now: f.clock.now(),
		Offers: []*hubv1.Offer{{Service: service, Jurisdiction: country}},
	}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	f.key, err = bus.NewKey(cfg)
	require.NoError(f.t, err)
}

// words are the connector's next announcement.
func (f *connector) words(leaving bool) []byte {
	f.t.Helper()
	f.said = latest(f.said.Add(time.Millisecond), f.clock.now())
	words, err := f.key.Announce(f.said, leaving)
	require.NoError(f.t, err)
	return words
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// say publishes an announcement where the connector may.
func (f *connector) say(words []byte) {
	f.t.Helper()
	subject, err := bus.KeySubject(country, service)
	require.NoError(f.t, err)
	require.NoError(f.t, f.nc.Publish(subject, words))
	require.NoError(f.t, f.nc.Flush())
}

// join announces the connector, and again if the courier did not listen yet, until n of them are known.
func (f *connector) join(n int) *connector {
	f.t.Helper()
	var said time.Time
	require.Eventually(f.t, func() bool {
		if time.Since(said) > 500*time.Millisecond {
			f.say(f.words(false))
			said = time.Now()
		}
		return f.Online(service, country, bustest.ProviderID) == n
	}, patience, time.Millisecond)
	return f
}

func (w *world) online(n int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.Online(service, country, bustest.ProviderID) == n }, patience, time.Millisecond)
}

func (f *connector) serve(msg *nats.Msg) {
	a, refusal := f.open(msg)
	if a == nil {
		_ = f.nc.Publish(msg.Reply, refusal)
		return
	}
	answer := f.answer.Load().(func(*asked) []byte)
	if data := answer(a); data != nil {
		_ = f.nc.Publish(msg.Reply, data)
	} else {
		f.asked <- a
	}
}

func (f *connector) open(msg *nats.Msg) (*asked, []byte) {
	frame, err := bus.ParseFrame(msg.Data)
	if err != nil {
		return nil, bus.Refuse(hubv1.Frame_REFUSAL_SEAL, nil)
	}
	pair := f.key.Known(frame.Sender)
	if party, err := bus.Verify(frame.Announcement, f.ca.Roots(), f.clock.now()); err == nil && pair == nil && party.Key == frame.Sender {
		if pair, err = f.key.Pair(party); err != nil {
			return nil, bus.Refuse(hubv1.Frame_REFUSAL_SEAL, nil)
		}
	}
	if pair == nil {
		f.unknown.Add(1)
		words, _ := f.key.Announce(f.clock.now(), false)
		return nil, bus.Refuse(hubv1.Frame_REFUSAL_KEY_UNKNOWN, words)
	}
	a := &asked{from: f, pair: pair, header: bus.Header{Subject: msg.Subject, Reply: msg.Reply}, reply: msg.Reply, call: new(hubv1.Call)}
	plain, err := pair.Open(nil, &a.header, &frame, f.clock.now())
	if err != nil || proto.Unmarshal(plain, a.call) != nil {
		return nil, bus.Refuse(hubv1.Frame_REFUSAL_SEAL, nil)
	}
	return a, nil
}

func (f *connector) cancelled(msg *nats.Msg) {
	if frame, err := bus.ParseFrame(msg.Data); err == nil {
		if pair := f.key.Known(frame.Sender); pair != nil {
			h := bus.Header{Subject: msg.Subject}
			if _, err := pair.Open(nil, &h, &frame, f.clock.now()); err == nil {
				f.cancels <- h.ExchangeID
			}
		}
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
