package connector_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/connector"
)

// slow is a registry that answers when told to.
type slow struct {
	*registry
	entered chan context.Context
	release chan struct{}
}

func newSlow() *slow {
	s := &slow{entered: make(chan context.Context, 64), release: make(chan struct{}, 64)}
	s.registry = &registry{getPerson: func(ctx context.Context, q *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
		if q.GetPersonalId() == "1" { // who becomes known
			return new(populationv1.GetPersonResponse), nil
		}
		s.entered <- ctx
		select {
		case <-s.release:
			return new(populationv1.GetPersonResponse), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	return s
}

func TestMoreCallsThanFitAreRefusedAsOverload(t *testing.T) {
	w, r := newWorld(t), newSlow()
	w.run(r.registry, func(c *connector.Config) { c.Workers, c.Waiting = 1, 1 })
	l := w.gateway().known()
	inside := l.call(getPerson, person("2"))
	insideAnswer := l.send(inside, l.seal(inside))
	await(t, r.entered, "not asked")
	waiting := l.call(getPerson, person("3"))
	waitingAnswer := l.send(waiting, l.seal(waiting))
	third := l.call(getPerson, person("4"))
	require.Equal(t, hubv1.Frame_REFUSAL_OVERLOADED, l.refused(third, l.seal(third)).Refusal)
	r.release <- struct{}{}
	r.release <- struct{}{}
	require.Empty(t, l.open(inside, await(t, insideAnswer, "no answer")).GetReason())
	require.Empty(t, l.open(waiting, await(t, waitingAnswer, "no answer")).GetReason())
	require.Empty(t, l.ask(l.call(getPerson, person("1"))).GetReason(), "it takes calls again")
}

func TestAHandlerHasTheCallersTimeWhateverTheClocksSay(t *testing.T) {
	for name, skew := range map[string]time.Duration{"same": 0, "gateway behind": -20 * time.Second, "gateway ahead": 20 * time.Second} {
		w, r := newWorld(t), newSlow()
		theirs := new(clock)
		theirs.advance(-skew)
		w.run(r.registry, func(c *connector.Config) { c.Now = theirs.now })
		l := w.gateway().known()
		c := l.call(getPerson, person("2"))
		c.message.TimeoutMs = 2000
		sent := time.Now()
		answers := l.send(c, l.seal(c))
		deadline, ok := await(t, r.entered, "not asked").Deadline()
		require.True(t, ok)
		require.WithinDuration(t, sent.Add(2*time.Second-bus.Margin), deadline, 500*time.Millisecond, name)
		r.release <- struct{}{}
		require.Empty(t, l.open(c, await(t, answers, "no answer")).GetReason(), name)
	}
}

func TestAHandlerIsStoppedAtTheDeadline(t *testing.T) {
	w, r := newWorld(t), newSlow()
	w.run(r.registry)
	l := w.gateway().known()
	c := l.call(getPerson, person("2"))
	c.message.TimeoutMs = 60
	require.Equal(t, string(reason.DeadlineExceeded), l.ask(c).GetReason())
}

func TestACallThatWaitedTooLongIsNotAsked(t *testing.T) {
	w, r := newWorld(t), newSlow()
	w.run(r.registry, func(c *connector.Config) { c.Workers = 1 })
	l := w.gateway().known()
	first := l.call(getPerson, person("2"))
	l.send(first, l.seal(first))
	await(t, r.entered, "not asked")
	late := l.call(getPerson, person("3"))
	answers := l.send(late, l.seal(late))
	require.Eventually(t, func() bool { return statsOf(w, "GetPerson")["waiting"] == 1 }, patience, time.Millisecond)
	w.clock.advance(10 * time.Second)
	r.release <- struct{}{}
	require.Equal(t, string(reason.DeadlineExceeded), l.open(late, await(t, answers, "no answer")).GetReason())
	require.Empty(t, r.entered)
}

// statsOf asks a connector for its own figures, as `nats micro stats` does.
func statsOf(w *world, method string) map[string]uint64 {
	msg, err := w.connect().Request("$SRV.STATS.population", nil, patience)
	require.NoError(w.t, err)
	var stats micro.Stats
	require.NoError(w.t, json.Unmarshal(msg.Data, &stats))
	i := slices.IndexFunc(stats.Endpoints, func(e *micro.EndpointStats) bool { return e.Name == method })
	require.GreaterOrEqual(w.t, i, 0)
	var own map[string]uint64
	require.NoError(w.t, json.Unmarshal(stats.Endpoints[i].Data, &own))
	return own
}

func (l *line) cancel(c *call) {
	l.t.Helper()
	subject, err := bus.CancelSubject("vn", service, l.party.Instance)
	require.NoError(l.t, err)
	h := c.header
	h.Subject, h.Reply = subject, ""
	require.NoError(l.t, l.nc.Publish(subject, bus.Introduce(l.pair.Seal(nil, &h, nil), l.words)))
}

func TestACancellationReachesTheHandler(t *testing.T) {
	w, r := newWorld(t), newSlow()
	w.run(r.registry)
	l, other := w.gateway().known(), w.gateway().known()
	c := l.call(getPerson, person("2"))
	answers := l.send(c, l.seal(c))
	ctx := await(t, r.entered, "not asked")

	other.cancel(c)
	forged := l.call(getPerson, person("2"))
	subject, err := bus.CancelSubject("vn", service, l.party.Instance)
	require.NoError(t, err)
	for _, frame := range [][]byte{l.seal(forged), nil, []byte("x"), l.seal(c)} {
		require.NoError(t, l.nc.Publish(subject, frame))
	}
	require.Empty(t, other.ask(other.call(getPerson, person("1"))).GetReason())
	require.Empty(t, l.ask(l.call(getPerson, person("1"))).GetReason())
	require.NoError(t, ctx.Err(), "neither another gateway nor a call played on that subject cancels it")

	l.cancel(c)
	await(t, ctx.Done(), "not cancelled")
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	require.Equal(t, string(reason.Cancelled), l.open(c, await(t, answers, "no answer")).GetReason())
}

func TestAConnectorThatStopsSaysGoodbyeAndFinishesItsCalls(t *testing.T) {
	w, r := newWorld(t), newSlow()
	p := w.run(r.registry, func(c *connector.Config) { c.Workers = 3 })
	l := w.gateway().known()
	var answers []func() *hubv1.Answer
	for _, id := range []string{"2", "3"} {
		c := l.call(getPerson, person(id))
		ch := l.send(c, l.seal(c))
		answers = append(answers, func() *hubv1.Answer { return l.open(c, await(t, ch, "no answer")) })
	}
	await(t, r.entered, "not asked")
	await(t, r.entered, "not asked")
	for len(l.heard) > 0 {
		<-l.heard
	}
	p.stop()
	party := l.hear()
	for !party.Leaving {
		party = l.hear()
	}
	require.Equal(t, l.party.Instance, party.Instance)
	c := l.call(getPerson, person("1"))
	require.Empty(t, l.ask(c).GetReason(), "who has not heard yet is answered")
	require.Eventually(t, func() bool { return l.gone() }, patience, time.Millisecond)
	for range answers {
		r.release <- struct{}{}
	}
	for _, answer := range answers {
		require.Empty(t, answer().GetReason())
	}
	await(t, p.done, "it did not stop")
	require.NoError(t, p.err)
}

// gone reports whether a call was sent back because nobody takes any.
func (l *line) gone() bool {
	c := l.call(getPerson, person("1"))
	msg := await(l.t, l.send(c, l.seal(c)), "no answer at all")
	if msg.Header.Get("Status") == "503" {
		return true
	}
	f, err := bus.ParseFrame(msg.Data)
	require.NoError(l.t, err)
	if f.Refusal == hubv1.Frame_REFUSAL_LEAVING {
		return true
	}
	l.open(c, msg)
	return false
}

func TestCallsThatComeWhileItStopsAreAnsweredOrSentElsewhere(t *testing.T) {
	w := newWorld(t)
	p := w.run(new(registry))
	l := w.gateway().known()
	const askers = 4
	var wg sync.WaitGroup
	answered := make([]int, askers)
	started := make(chan struct{}, askers)
	for i := range askers {
		wg.Go(func() {
			for !l.gone() {
				if answered[i]++; answered[i] == 10 {
					started <- struct{}{}
				}
			}
		})
	}
	for range askers {
		await(t, started, "no answers")
	}
	p.stop()
	wg.Wait()
	await(t, p.done, "it did not stop")
	require.NoError(t, p.err)
}

func TestAConnectorComesBackWithTheBus(t *testing.T) {
	w := newWorld(t)
	p := w.start(new(registry))
	w.gateway().known()
	w.stopBus()
	w.startBus()
	l := w.gateway().known()
	require.Empty(t, l.ask(l.call(getPerson, person("1"))).GetReason())
	w.stopBus()
	p.end() // it stops without a bus too
	w.startBus()
}

func TestAConnectorWaitsForABusThatIsNotThereYet(t *testing.T) {
	w := newWorld(t)
	url := w.server.ClientURL()
	w.stopBus()
	ready := make(chan struct{})
	w.start(new(registry), func(c *connector.Config) {
		c.Bus.URL, c.Ready = url, func() { close(ready) }
	})
	select {
	case <-ready:
		require.Fail(t, "ready without a bus")
	default:
	}
	w.startBus()
	await(t, ready, "not ready")
	w.gateway().known()
}

func TestNATSToolsSeeWhatTheRegistryIs(t *testing.T) {
	w := newWorld(t)
	w.run(new(registry), func(c *connector.Config) { c.Version = "2.3.4" })
	l := w.gateway().known()
	var ping micro.Ping
	msg, err := l.nc.Request("$SRV.PING", nil, patience)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(msg.Data, &ping))
	require.Equal(t, "population", ping.Name)
	require.Equal(t, "2.3.4", ping.Version)
	require.Equal(t, l.party.Instance, ping.ID)
	require.Equal(t, "G01", ping.Metadata["agency"])
	require.Equal(t, "registry-people", ping.Metadata["system"])
	require.Equal(t, "vn", ping.Metadata["jurisdiction"])
	require.Len(t, ping.Metadata["service."+service], 16)

	var info micro.Info
	msg, err = l.nc.Request("$SRV.INFO.population."+ping.ID, nil, patience)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(msg.Data, &info))
	require.NotEmpty(t, info.Description)
	require.Len(t, info.Endpoints, len(populationv1.PopulationService_ServiceDesc.Methods))
	effects := map[string]string{}
	for _, e := range info.Endpoints {
		effects[e.Name] = e.Metadata["effect"]
		require.NotEmpty(t, e.Metadata["title.vi"])
		require.NotEmpty(t, e.Metadata["title.en"])
	}
	require.Equal(t, "read", effects["GetPerson"])
	require.Equal(t, "write", effects["IssueNumber"])

	l.refused(l.call(getPerson, person("1")), []byte("x"))
	l.ask(l.call(getPerson, person("1")), func(c *call) { c.message.Envelope.Purpose = "" })
	own := statsOf(w, "GetPerson")
	require.EqualValues(t, 1, own["answered"])
	require.EqualValues(t, 1, own["refused"])
	require.EqualValues(t, 1, own["failed"])
	require.Zero(t, statsOf(w, "GetResidence")["answered"], "each method has its own counts")
}

func TestAConnectorThatCannotWorkFailsAtOnce(t *testing.T) {
	w := newWorld(t)
	good := func() connector.Config {
		return connector.Config{
			Name: "population", Bus: bus.ConnectConfig{URL: w.server.ClientURL()}, Certificate: w.ca.Issue(bustest.ProviderID),
			Roots: w.ca.Roots(), Gateways: []peer.ID{bustest.GatewayID},
		}
	}
	fine := new(registry).register
	for name, c := range map[string]struct {
		change   func(*connector.Config)
		register func(grpc.ServiceRegistrar)
	}{
		"no name":            {func(c *connector.Config) { c.Name = "" }, fine},
		"name of two tokens": {func(c *connector.Config) { c.Name = "a.b" }, fine},
		"nobody may ask":     {func(c *connector.Config) { c.Gateways = nil }, fine},
		"no authority":       {func(c *connector.Config) { c.Roots = nil }, fine},
		"no certificate":     {func(c *connector.Config) { c.Certificate.Certificate = nil }, fine},
		"no signing key":     {func(c *connector.Config) { c.Certificate.PrivateKey = nil }, fine},
		"no version":         {func(c *connector.Config) { c.Version = "new" }, fine},
		"strange place":      {func(c *connector.Config) { c.Jurisdiction = "*" }, fine},
		"no service":         {func(*connector.Config) {}, func(grpc.ServiceRegistrar) {}},
		"one service twice":  {func(*connector.Config) {}, func(s grpc.ServiceRegistrar) { fine(s); fine(s) }},
		"unknown service":    {func(*connector.Config) {}, func(s grpc.ServiceRegistrar) { s.RegisterService(&grpc.ServiceDesc{ServiceName: "a.B"}, nil) }},
		"not a service":      {func(*connector.Config) {}, func(s grpc.ServiceRegistrar) { s.RegisterService(&grpc.ServiceDesc{ServiceName: "hub.v1.Result"}, nil) }},
		"unlabelled contract": {func(*connector.Config) {}, func(s grpc.ServiceRegistrar) {
			s.RegisterService(&grpc.ServiceDesc{ServiceName: "google.protobuf.Api"}, nil)
		}},
	} {
		cfg := good()
		c.change(&cfg)
		done := make(chan error, 1)
		ctx, cancel := context.WithCancel(context.Background())
		go func() { done <- connector.Run(ctx, cfg, c.register) }()
		err := await(t, done, name+": it runs")
		cancel()
		require.Error(t, err, name)
	}
}
