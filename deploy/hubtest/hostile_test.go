package hubtest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// hostile is a connector that holds a registry's certificate and credentials and keeps none of its rules.
type hostile struct {
	t     testing.TB
	seat  parts.Registry
	nc    *nats.Conn
	key   *bus.Key
	hub   *hubtest.Hub
	reply func(call *hubv1.Call) *hubv1.Answer

	mu    sync.Mutex
	asked []string // methods
}

// newHostile takes a registry's seat, and offers other services too.
func newHostile(t testing.TB, hub *hubtest.Hub, name string, reply func(*hubv1.Call) *hubv1.Answer, offers ...string) *hostile {
	seat, err := parts.FindRegistry(name)
	require.NoError(t, err)
	h := &hostile{t: t, seat: seat, hub: hub, reply: reply}
	h.key, err = bus.NewKey(bus.KeyConfig{
		Certificate: hub.Identity(t, seat.ID.String()).Certificate, Role: hubv1.AnnouncedKey_ROLE_CONNECTOR, Instance: "hostile",
		Offers: h.offers(append(offers, seat.Service)), Now: time.Now(),
	})
	require.NoError(t, err)
	h.nc, err = bus.Connect(hub.Reach(t, seat))
	require.NoError(t, err)
	t.Cleanup(h.nc.Close)
	calls, err := bus.ServiceCalls(seat.Jurisdiction, seat.Service)
	require.NoError(t, err)
	_, err = h.nc.Subscribe(calls, h.called)
	require.NoError(t, err)
	_, err = h.nc.Subscribe(bus.Hello, func(*nats.Msg) { h.announce() })
	require.NoError(t, err)
	h.announce()
	return h
}

func (h *hostile) offers(services []string) (offers []*hubv1.Offer) {
	for _, name := range services {
		digest := contract.Digest(serviceOf(h.t, name))
		offers = append(offers, &hubv1.Offer{Service: name, Jurisdiction: h.seat.Jurisdiction, ContractDigest: digest[:]})
	}
	return offers
}

func (h *hostile) announce() {
	subject, err := bus.KeySubject(h.seat.Jurisdiction, h.seat.Service)
	if err == nil {
		err = h.nc.Publish(subject, h.words())
	}
	if err != nil {
		h.t.Error(err)
	}
}

func (h *hostile) words() []byte {
	words, err := h.key.Announce(time.Now(), false)
	if err != nil {
		h.t.Error(err)
	}
	return words
}

// called answers a call with whatever the test wants, in a frame that is sealed as it should be.
func (h *hostile) called(msg *nats.Msg) {
	f, err := bus.ParseFrame(msg.Data)
	if err != nil {
		return
	}
	pair := h.key.Known(f.Sender)
	if pair == nil && len(f.Announcement) == 0 {
		_ = h.nc.Publish(msg.Reply, bus.Refuse(hubv1.Frame_REFUSAL_KEY_UNKNOWN, h.words()))
		return
	}
	if pair == nil {
		party, err := bus.Verify(f.Announcement, h.hub.Identity(h.t, h.seat.ID.String()).Roots, time.Now())
		if err == nil {
			pair, err = h.key.Pair(party)
		}
		if err != nil {
			h.t.Error(err)
			return
		}
	}
	head := bus.Header{Subject: msg.Subject, Reply: msg.Reply}
	var call hubv1.Call
	plain, err := pair.Open(nil, &head, &f, time.Now())
	if err != nil || proto.Unmarshal(plain, &call) != nil {
		return // a cancellation
	}
	h.mu.Lock()
	h.asked = append(h.asked, call.GetEnvelope().GetMethod())
	h.mu.Unlock()
	answer, err := proto.Marshal(h.reply(&call))
	if err != nil {
		h.t.Error(err)
		return
	}
	_ = h.nc.PublishMsg(&nats.Msg{Subject: msg.Reply, Data: pair.Seal(nil, &head, answer), Header: nats.Header{"x": {canary + "header"}}})
}

// serviceOf finds a service that this test links.
func serviceOf(t testing.TB, name string) protoreflect.ServiceDescriptor {
	return descriptorOf(t, protoreflect.FullName(name)).(protoreflect.ServiceDescriptor)
}

// stuffed is an answer that keeps everything and adds what the contract does not know.
func stuffed(call *hubv1.Call, md protoreflect.MethodDescriptor) *hubv1.Answer {
	response, err := proto.Marshal(overfullAnswer(md))
	if err != nil {
		panic(err)
	}
	for _, num := range []protowire.Number{99, 1000, 536870911} {
		response = protowire.AppendTag(response, num, protowire.BytesType)
		response = protowire.AppendString(response, canary+"unknown")
	}
	// A known number with another wire type, and the same message once more: both would merge.
	response = protowire.AppendTag(response, 2, protowire.VarintType)
	response = protowire.AppendVarint(response, 42)
	again, err := proto.Marshal(overfullAnswer(md))
	if err != nil {
		panic(err)
	}
	return &hubv1.Answer{
		Response:   append(response, again...),
		Result:     &hubv1.Result{Code: hubv1.Result_FOUND},
		Reason:     canary + "reason",
		FaultField: canary + "field",
		Subjects:   []*hubv1.DataSubject{{Kind: hubv1.Subject_SUBJECT_PERSONAL_ID, Value: canary + "subject"}},
	}
}

func TestAHostileConnectorCannotReleaseMoreThanIsAgreed(t *testing.T) {
	hub := observe(t, nil)
	newHostile(t, hub.Hub, "population", func(call *hubv1.Call) *hubv1.Answer {
		return stuffed(call, methodOf(t, call.GetEnvelope().GetMethod()))
	})
	asked := 0
	for _, g := range grants(t, hub.Hub) {
		if len(g.method) < len(population) || g.method[:len(population)] != population {
			continue
		}
		asked++
		a := ask(within(t), t, hub.Dial(t, g.as), g.method, g.words, g.request)
		require.NoError(t, a.err, "%s %s", g.as, g.method)
		requireOnly(t, g, a)
		require.Len(t, hub.Exchange(t, a.receipt.Exchange).GetSubjectHashes(), 1)
	}
	require.Greater(t, asked, 5)
	for where, text := range hub.everything(t) {
		require.NotContains(t, text, canary, where)
	}
}

func TestAHostileConnectorsFailuresSayNothingOfItsOwn(t *testing.T) {
	t.Parallel()
	hub := observe(t, nil)
	answers := make(chan *hubv1.Answer, 1)
	newHostile(t, hub.Hub, "population", func(*hubv1.Call) *hubv1.Answer { return <-answers })
	conn := hub.Dial(t, "H27/one-stop")
	full, err := proto.Marshal(overfullAnswer(methodOf(t, population+"GetResidence")))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		answer *hubv1.Answer
		want   string
	}{
		"a reason of its own":          {&hubv1.Answer{Status: 5, Reason: canary + "1", FaultField: canary + "2", Response: full}, "REGISTRY_FAILED"},
		"a reason of the hub's":        {&hubv1.Answer{Status: 7, Reason: "NO_AGREEMENT", FaultField: "personal_id"}, "REGISTRY_FAILED"},
		"a field that is a value":      {&hubv1.Answer{Status: 3, Reason: "ID_MALFORMED", FaultField: "canary-042187001234"}, "ID_MALFORMED"},
		"a status that does not exist": {&hubv1.Answer{Status: 4_000_000_000, Reason: canary, Response: full}, "REGISTRY_FAILED"},
		"half an answer":               {&hubv1.Answer{Response: full[:len(full)-1]}, "ANSWER_MALFORMED"},
		"an answer over the limit":     {&hubv1.Answer{Response: make([]byte, 1<<20+1)}, "ANSWER_TOO_LARGE"},
	} {
		t.Run(name, func(t *testing.T) {
			answers <- c.answer
			a := ask(within(t), t, conn, population+"GetResidence", desk, `{"personal_id": "042187001234"}`)
			refused(t, hub.Hub, a, c.want, "")
			require.NotContains(t, fmt.Sprint(a.header, a.trailer, a.err), canary)
		})
	}
	for where, text := range hub.everything(t) {
		require.NotContains(t, text, canary, where)
		require.NotContains(t, text, "042187001234", where)
	}
}

func TestAConnectorIsAskedOnlyForWhatItsProviderProvides(t *testing.T) {
	t.Parallel()
	hub := hubtest.Start(t, hubtest.Config{})
	liar := newHostile(t, hub, "land-vn", func(*hubv1.Call) *hubv1.Answer { return &hubv1.Answer{} }, population[:len(population)-1])
	hubtest.Eventually(t, "the gateway has heard of it", func() bool {
		a := ask(within(t), t, hub.Dial(t, "H27/one-stop"), land+"GetParcel", desk, `{"province_code": "01"}`)
		return a.err == nil
	})
	a := ask(within(t), t, hub.Dial(t, "H27/one-stop"), population+"GetResidence", desk, `{"personal_id": "042187001234"}`)
	require.Equal(t, "REGISTRY_OFFLINE", a.reason())
	_, body := hub.Get(t, "/readyz")
	require.Contains(t, body, "nobody answers for "+population[:len(population)-1])
	liar.mu.Lock()
	defer liar.mu.Unlock()
	for _, method := range liar.asked {
		require.Equal(t, land+"GetParcel", method)
	}
}

func TestARevokedConnectorIsNotAskedAnyMore(t *testing.T) {
	t.Parallel()
	hub := hubtest.Start(t, hubtest.Config{Registries: []hubtest.Registry{{Name: "population", Register: overfull(population[:len(population)-1])}}})
	conn := hub.Dial(t, "H27/one-stop")
	request := `{"personal_id": "042187001234"}`
	require.NoError(t, ask(within(t), t, conn, population+"GetResidence", desk, request).err)
	_, err := hub.Authority.Revoke("G01/registry-population")
	require.NoError(t, err)
	hubtest.Eventually(t, "the revoked registry is left alone", func() bool {
		return ask(context.Background(), t, conn, population+"GetResidence", desk, request).reason() == "REGISTRY_OFFLINE"
	})
	require.Contains(t, hub.Log(), "announcement refused")
}
