package buscreds_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member/buscreds"
	"github.com/lienthong/lienthong/proto/bus"
)

var (
	landOf42 = buscreds.Subjects{Jurisdiction: "42", Service: landService}
	landOfVN = buscreds.Subjects{Jurisdiction: "vn", Service: landService}
	people   = buscreds.Subjects{Jurisdiction: "vn", Service: peopleService}
)

func TestAGatewayCallsAndAConnectorAnswersOnce(t *testing.T) {
	b := startBus(t)
	gateway, connector := b.gateway(t, "gw1"), b.connector(t, "land-42", landOf42, landOfVN)
	subject := callSubject(t, "42", landService+"/GetParcel", "p1")
	calls := make(chan *nats.Msg, 8)
	_, err := connector.ChanQueueSubscribe(subject, "lt", calls)
	require.NoError(t, err)
	hello := connector.listen(bus.Hello)
	keys := gateway.listen(bus.AllKeys)
	connector.calm()
	gateway.calm()

	require.NoError(t, gateway.Publish(bus.Hello, nil))
	next(t, hello)
	key, err := bus.KeySubject("42", landService)
	require.NoError(t, err)
	require.NoError(t, connector.Publish(key, []byte("key")))
	require.Equal(t, "key", string(next(t, keys).Data))

	inbox := gateway.NewInbox()
	require.True(t, strings.HasPrefix(inbox, "_GW.gw1."))
	answers := gateway.listen(inbox)
	require.NoError(t, gateway.PublishRequest(subject, inbox, []byte("call")))
	call := next(t, calls)
	require.NoError(t, call.Respond([]byte("answer")))
	require.Equal(t, "answer", string(next(t, answers).Data))
	connector.calm()
	require.NoError(t, call.Respond([]byte("another answer")))
	connector.refused(1)
	require.Empty(t, answers)
	gateway.calm()
}

func TestGatewaysHearTheBellAndWhatOthersCounted(t *testing.T) {
	b := startBus(t)
	one, other := b.gateway(t, "gw1"), b.gateway(t, "gw2")
	for _, subject := range []string{bus.Bell, bus.Tallies} {
		heard := other.listen(subject)
		other.calm()
		require.NoError(t, one.Publish(subject, []byte("1")))
		require.Equal(t, "1", string(next(t, heard).Data))
	}
	one.calm()
	other.calm()
}

func TestACommandMayRingTheBellAndNothingElse(t *testing.T) {
	b := startBus(t)
	heard := b.gateway(t, "gw1").listen(bus.Bell)
	creds, err := b.RingerCreds()
	require.NoError(t, err)
	ringer := b.connect(t, creds, "")
	require.NoError(t, ringer.Publish(bus.Bell, []byte("7")))
	ringer.calm()
	require.Equal(t, "7", string(next(t, heard).Data))

	for _, subject := range []string{">", bus.Bell, bus.Tallies, bus.AllCalls, bus.AllKeys, "_INBOX.>", "_GW.>", "_CN.>", "$SRV.>", "$SYS.>"} {
		ringer.listen(subject)
	}
	ringer.refused(10)
	for _, s := range []string{callSubject(t, "vn", peopleService+"/GetPerson", "p1"), bus.Hello, bus.Tallies, "lt.key.vn." + peopleService, "_GW.gw1.x", "$SRV.PING"} {
		require.NoError(t, ringer.Publish(s, nil))
	}
	ringer.refused(6)
}

func TestCredentialsForThoseOutsideEnd(t *testing.T) {
	b := startBus(t)
	for name, make := range map[string]func(time.Time) ([]byte, error){
		"connector": func(until time.Time) ([]byte, error) {
			return b.ConnectorCredsUntil("land-42", []buscreds.Subjects{landOf42}, until)
		},
		"gateway": func(until time.Time) ([]byte, error) { return b.GatewayCredsUntil("gw1", until) },
	} {
		creds, err := make(time.Now().Add(time.Hour))
		require.NoError(t, err, name)
		b.connect(t, creds, "").calm()
		creds, err = make(time.Now().Add(-time.Second))
		require.NoError(t, err, name)
		_, err = nats.Connect(b.server.ClientURL(), buscreds.Option(creds))
		require.Error(t, err, name)
	}
}

func TestACallThatNobodyListensToFailsAtOnce(t *testing.T) {
	b := startBus(t)
	_, err := b.gateway(t, "gw1").Request(callSubject(t, "vn", peopleService+"/GetPerson", "p1"), nil, 5*time.Second)
	require.ErrorIs(t, err, nats.ErrNoResponders)
}

// foreign are a hundred subjects that are not the business of the connector of land in 42.
func foreign() []string {
	subjects := []string{
		">", "*", "*.>", "lt.>", "lt.*", "lt.call.>", "lt.call.*.>", "lt.call.42.>", "lt.call.42.registry.>", "lt.call.42.registry.land.>",
		"lt.call.42.registry.land.v1.>", "lt.call.42.registry.land.v1.*.>", "lt.call.*.registry.land.v1.LandService.>", "lt.call.vn.>",
		"lt.call.42.registry.land.v1.LandServiceX.>", "lt.call.4.registry.land.v1.LandService.>", "lt.call.420.registry.land.v1.LandService.>",
		"lt.key.>", "lt.key.*.>", "lt.key.42.registry.land.v1.LandService", "_INBOX.>", "_INBOX.*", "_GW.>", "_GW.*.>", "_GW.gw1.>", "_GW.gw1.*",
		"_CN.>", "_CN.*.>", "_CN.population.>", "_CN.land-4.>", "_CN.land-42x.>", "$SRV.>", "$SRV.*", "$SRV.PING.*", "$SRV.PING.population",
		"$SRV.INFO.population.>", "$SRV.STATS.>", "$SYS.>", "$SYS.REQ.>", "$SYS.ACCOUNT.>", "$JS.API.>", "$JS.>", "$KV.>", "$O.>", "_R_.>", "$G.>", bus.Bell, bus.Tallies,
	}
	for i := len(subjects); i < 100; i++ {
		subjects = append(subjects, fmt.Sprintf("lt.call.%02d.registry.land.v1.LandService.GetParcel.p%d", i, i))
	}
	return subjects
}

func TestAHostileConnectorHearsNobodyElse(t *testing.T) {
	b := startBus(t)
	hostile := b.connector(t, "land-42", landOf42)
	heard := make(chan *nats.Msg, 4096)
	for _, subject := range foreign() {
		_, err := hostile.ChanSubscribe(subject, heard)
		require.NoError(t, err, "refused by the server, not by the client")
	}
	hostile.refused(len(foreign()))
	for _, subject := range foreign() {
		_, err := hostile.ChanQueueSubscribe(subject, "lt", heard)
		require.NoError(t, err)
	}
	hostile.refused(len(foreign()))

	gateway, honest := b.gateway(t, "gw1"), b.connector(t, "population", people)
	subject := callSubject(t, "vn", peopleService+"/GetPerson", "p1")
	_, err := honest.Subscribe(subject, func(m *nats.Msg) { _ = m.Respond([]byte("secret")) })
	require.NoError(t, err)
	require.NoError(t, honest.Flush())
	for range 50 {
		answer, err := gateway.Request(subject, []byte("secret"), 10*time.Second)
		require.NoError(t, err)
		require.Equal(t, "secret", string(answer.Data))
	}
	require.NoError(t, hostile.Flush())
	require.Empty(t, heard)
}

func TestAHostileConnectorSaysNothingWhereItShouldNot(t *testing.T) {
	b := startBus(t)
	hostile, gateway := b.connector(t, "land-42", landOf42), b.gateway(t, "gw1")
	inbox := gateway.listen(gateway.NewInbox())
	keys := gateway.listen(bus.AllKeys)
	gateway.calm()
	n := 0
	for _, subject := range foreign() {
		if strings.ContainsAny(subject, "*>") || strings.HasPrefix(subject, "lt.key.42.") || subject == bus.Bell || subject == bus.Tallies {
			continue
		}
		require.NoError(t, hostile.Publish(subject, []byte("forged")))
		n++
	}
	for _, subject := range []string{
		callSubject(t, "42", landService+"/GetParcel", "p1"), // its own service: it answers calls, it makes none
		"lt.key.vn." + peopleService, "lt.key.42." + peopleService, bus.Hello, bus.Bell, bus.Tallies, "_GW.gw1.x.y", "_INBOX.x.y", "$SRV.PING", "$SYS.REQ.SERVER.PING",
	} {
		require.NoError(t, hostile.Publish(subject, []byte("forged")))
		n++
	}
	hostile.refused(n)
	require.NoError(t, gateway.Flush())
	require.Empty(t, inbox)
	require.Empty(t, keys)
}

func TestAGatewayHearsNoCallsAndNoOtherGatewaysAnswers(t *testing.T) {
	b := startBus(t)
	gateway := b.gateway(t, "gw1")
	for _, subject := range []string{">", bus.AllCalls, "_GW.>", "_GW.gw2.>", "_CN.>", "_INBOX.>", "$SRV.>", "$SYS.>", bus.Hello} {
		gateway.listen(subject)
	}
	gateway.refused(9)
	for _, subject := range []string{"lt.key.vn." + peopleService, "_GW.gw2.x", "_CN.population.x", "$SRV.PING", "x"} {
		require.NoError(t, gateway.Publish(subject, nil))
	}
	gateway.refused(5)
}

func TestTheObserverSeesWhoIsThereAndNothingElse(t *testing.T) {
	b := startBus(t)
	connector := b.connector(t, "population", people)
	service, err := micro.AddService(connector.Conn, micro.Config{Name: "population", Version: "1.0.0", QueueGroup: "lt", Metadata: map[string]string{"owner": "G01"}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = service.Stop() })
	id := service.Info().ID
	subject := callSubject(t, "vn", peopleService+"/GetPerson", id)
	require.NoError(t, service.AddEndpoint("GetPerson", micro.HandlerFunc(func(r micro.Request) { _ = r.Respond([]byte("secret")) }), micro.WithEndpointSubject(subject)))
	connector.calm()
	answer, err := b.gateway(t, "gw1").Request(subject, nil, 10*time.Second)
	require.NoError(t, err)
	require.Equal(t, "secret", string(answer.Data))

	observer := b.observer(t)
	for _, question := range []string{"PING", "INFO", "STATS"} {
		for _, suffix := range []string{"", ".population", ".population." + id} {
			m, err := observer.Request("$SRV."+question+suffix, nil, 10*time.Second)
			require.NoError(t, err, question+suffix)
			var identity micro.ServiceIdentity
			require.NoError(t, json.Unmarshal(m.Data, &identity))
			require.Equal(t, "population", identity.Name)
			require.Equal(t, id, identity.ID)
		}
	}
	observer.calm()
	connector.calm()

	for _, subject := range []string{">", "lt.>", bus.AllCalls, bus.AllKeys, "_GW.>", "_CN.>", "$SRV.>", "$SYS.>", bus.Bell, bus.Tallies} {
		observer.listen(subject)
	}
	observer.refused(10)
	for _, s := range []string{subject, bus.Hello, bus.Bell, bus.Tallies, "lt.key.vn." + peopleService, "_GW.gw1.x", "$SYS.REQ.SERVER.PING"} {
		require.NoError(t, observer.Publish(s, nil))
	}
	observer.refused(7)
}

func TestTheObserversInboxesHoldNoAnswersToOthers(t *testing.T) {
	b := startBus(t)
	observer := b.observer(t)
	heard := observer.listen("_INBOX.>")
	observer.calm()
	gateway, connector := b.gateway(t, "gw1"), b.connector(t, "population", people)
	subject := callSubject(t, "vn", peopleService+"/GetPerson", "p1")
	_, err := connector.Subscribe(subject, func(m *nats.Msg) { _ = m.Respond([]byte("secret")) })
	require.NoError(t, err)
	require.NoError(t, connector.Flush())
	_, err = gateway.Request(subject, nil, 10*time.Second)
	require.NoError(t, err)
	require.NoError(t, observer.Flush())
	require.Empty(t, heard)
}

func TestNobodyComesInWithoutCredentials(t *testing.T) {
	b := startBus(t)
	_, err := nats.Connect(b.server.ClientURL())
	require.ErrorIs(t, err, nats.ErrAuthorization)
	other, err := buscreds.Ensure(t.TempDir())
	require.NoError(t, err)
	creds, err := other.GatewayCreds("gw1")
	require.NoError(t, err)
	_, err = nats.Connect(b.server.ClientURL(), buscreds.Option(creds))
	require.ErrorIs(t, err, nats.ErrAuthorization, "another hub's gateway")
}

func TestAConnectionInsideTheProcessHasTheSameRights(t *testing.T) {
	b := startBus(t)
	creds, err := b.GatewayCreds("gw1")
	require.NoError(t, err)
	gateway := b.connect(t, creds, "_GW.gw1", nats.InProcessServer(b.server))
	gateway.listen(bus.AllKeys)
	gateway.calm()
	gateway.listen(">")
	gateway.refused(1)
}

func TestNamesThatCouldReachFurtherAreRefused(t *testing.T) {
	b, err := buscreds.Ensure(t.TempDir())
	require.NoError(t, err)
	for _, name := range []string{"", "*", ">", "a.b", "a.>", "a b", "a\r\n", strings.Repeat("a", 65)} {
		_, err := b.GatewayCreds(name)
		require.ErrorIs(t, err, bus.ErrSubject, "%q", name)
		_, err = b.ConnectorCreds(name, []buscreds.Subjects{people})
		require.ErrorIs(t, err, bus.ErrSubject, "%q", name)
		_, err = b.ConnectorCreds("x", []buscreds.Subjects{{Jurisdiction: name, Service: peopleService}})
		require.ErrorIs(t, err, bus.ErrSubject, "%q", name)
		if name != "a.b" {
			_, err = b.ConnectorCreds("x", []buscreds.Subjects{{Jurisdiction: "vn", Service: name}})
			require.ErrorIs(t, err, bus.ErrSubject, "%q", name)
		}
	}
	_, err = b.ConnectorCreds("x", nil)
	require.Error(t, err)
}
