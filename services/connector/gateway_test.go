package connector_test

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

const (
	service     = "registry.population.v1.PopulationService"
	getPerson   = service + "/GetPerson"
	batchVerify = service + "/BatchVerify"
)

// gateway is a gateway made by hand, which can also do what none would.
type gateway struct {
	*world
	nc    *nats.Conn
	key   *bus.Key
	heard chan *nats.Msg // announcements, in their order
	next  atomic.Uint64
}

func (w *world) gateway() *gateway { return w.gatewayOf(w.ca, bustest.GatewayID) }

// gatewayOf is a gateway by its own words, with a certificate of ca for id.
func (w *world) gatewayOf(ca *bustest.CA, id peer.ID) *gateway {
	w.t.Helper()
	g := &gateway{world: w, nc: w.connect(), heard: make(chan *nats.Msg, 1024)}
	var err error
	g.key, err = bus.NewKey(bus.KeyConfig{Certificate: ca.Issue(id), Role: hubv1.AnnouncedKey_ROLE_GATEWAY, Now: w.clock.now()})
	require.NoError(w.t, err)
	_, err = g.nc.ChanSubscribe(bus.AllKeys, g.heard)
	require.NoError(w.t, err)
	require.NoError(w.t, g.nc.Flush())
	return g
}

// hear waits for the next announcement.
func (g *gateway) hear() *bus.Party {
	g.t.Helper()
	return g.believe(await(g.t, g.heard, "no announcement").Data)
}

func (g *gateway) believe(words []byte) *bus.Party {
	g.t.Helper()
	party, err := bus.Verify(words, g.ca.Roots(), g.clock.now())
	require.NoError(g.t, err)
	return party
}

// hello asks for an announcement and returns it. What was said before the test moved the clock is passed over.
func (g *gateway) hello() *bus.Party {
	g.t.Helper()
	for len(g.heard) > 0 {
		<-g.heard
	}
	require.NoError(g.t, g.nc.Publish(bus.Hello, nil))
	for {
		words := await(g.t, g.heard, "no announcement").Data
		if party, err := bus.Verify(words, g.ca.Roots(), g.clock.now()); err == nil {
			return party
		}
	}
}

// line is a gateway's tie to one connector process.
type line struct {
	*gateway
	party *bus.Party
	pair  *bus.Pair
	words []byte
}

// meet learns of the connector that announces itself next, without telling it of the gateway.
func (g *gateway) meet() *line { g.t.Helper(); return g.tie(g.hello()) }

func (g *gateway) tie(party *bus.Party) *line {
	g.t.Helper()
	pair, err := g.key.Pair(party)
	require.NoError(g.t, err)
	words, err := g.key.Announce(g.clock.now(), false)
	require.NoError(g.t, err)
	return &line{gateway: g, party: party, pair: pair, words: words}
}

// known is meet, after which the connector knows the gateway too.
func (g *gateway) known() *line {
	g.t.Helper()
	l := g.meet()
	answer := l.ask(l.call(getPerson, person("1")), func(c *call) { c.words = l.words })
	require.Empty(g.t, answer.GetReason())
	return l
}

// call is a question before it is sealed.
type call struct {
	subject, reply string
	header         bus.Header
	message        *hubv1.Call
	words          []byte
}

func person(id string) *populationv1.GetPersonRequest {
	return &populationv1.GetPersonRequest{PersonalId: id, FullName: "Nguyễn Thị Hoà", BirthDate: "1987"}
}

// call makes a question that is right in every way.
func (l *line) call(method string, request proto.Message, fields ...string) *call {
	l.t.Helper()
	raw, err := proto.Marshal(request)
	require.NoError(l.t, err)
	subject, err := bus.CallSubject("vn", method, l.party.Instance)
	require.NoError(l.t, err)
	n := l.next.Add(1)
	c := &call{subject: subject, reply: l.nc.NewInbox(), message: &hubv1.Call{
		Request: raw, TimeoutMs: 10_000,
		Envelope: &hubv1.Envelope{
			ConsumerAgency: "H27", ConsumerSystem: "one-stop", Officer: "lan", Case: "000.00.01", Purpose: "HT-KS",
			Agreement: "H27-population", AgreementVersion: 1, Method: method, Jurisdiction: "vn",
			Fields: string(bytes.Join(texts(fields), []byte{','})),
		},
	}}
	c.header = bus.Header{Expires: l.clock.now().Add(10 * time.Second), Digest: digest()}
	binary.BigEndian.PutUint64(c.header.ExchangeID[8:], n)
	return c
}

func texts(list []string) (out [][]byte) {
	for _, s := range list {
		out = append(out, []byte(s))
	}
	return out
}

// digest is that of the contract.
func digest() [32]byte {
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(service)
	if err != nil {
		panic(err)
	}
	return contract.Digest(d.(protoreflect.ServiceDescriptor))
}

// seal makes the frame of a question.
func (l *line) seal(c *call) []byte {
	l.t.Helper()
	plain, err := proto.Marshal(c.message)
	require.NoError(l.t, err)
	c.header.Subject, c.header.Reply = c.subject, c.reply
	frame := l.pair.Seal(nil, &c.header, plain)
	if len(c.words) > 0 {
		frame = bus.Introduce(frame, c.words)
	}
	return frame
}

// send publishes a frame and returns where its answer comes.
func (l *line) send(c *call, frame []byte) <-chan *nats.Msg {
	l.t.Helper()
	answers := make(chan *nats.Msg, 8)
	sub, err := l.nc.ChanSubscribe(c.reply, answers)
	require.NoError(l.t, err)
	l.t.Cleanup(func() { _ = sub.Unsubscribe() })
	require.NoError(l.t, l.nc.PublishRequest(c.subject, c.reply, frame))
	return answers
}

// open reads an answer that must be sealed for this question.
func (l *line) open(c *call, msg *nats.Msg) *hubv1.Answer {
	l.t.Helper()
	f, err := bus.ParseFrame(msg.Data)
	require.NoError(l.t, err)
	require.Equal(l.t, hubv1.Frame_REFUSAL_UNSPECIFIED, f.Refusal)
	h := bus.Header{Subject: c.subject, Reply: c.reply}
	plain, err := l.pair.Open(nil, &h, &f, l.clock.now())
	require.NoError(l.t, err)
	require.Equal(l.t, c.header.ExchangeID, h.ExchangeID)
	require.Equal(l.t, c.header.Digest, h.Digest)
	answer := new(hubv1.Answer)
	require.NoError(l.t, proto.Unmarshal(plain, answer))
	return answer
}

// ask sends a question, after spoiling it, and returns its answer.
func (l *line) ask(c *call, spoil ...func(*call)) *hubv1.Answer {
	l.t.Helper()
	for _, f := range spoil {
		f(c)
	}
	return l.open(c, await(l.t, l.send(c, l.seal(c)), "no answer"))
}

// refused sends a frame that must be refused, and returns the refusal.
func (l *line) refused(c *call, frame []byte) bus.Frame {
	l.t.Helper()
	msg := await(l.t, l.send(c, frame), "no answer")
	f, err := bus.ParseFrame(msg.Data)
	require.NoError(l.t, err)
	require.NotEqual(l.t, hubv1.Frame_REFUSAL_UNSPECIFIED, f.Refusal)
	require.Empty(l.t, f.Body)
	return f
}
