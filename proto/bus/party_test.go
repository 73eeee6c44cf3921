package bus_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/bus/bustest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

const (
	asGateway   = hubv1.AnnouncedKey_ROLE_GATEWAY
	asConnector = hubv1.AnnouncedKey_ROLE_CONNECTOR
)

// newKey makes a key of that role.
func newKey(t testing.TB, ca *bustest.CA, role hubv1.AnnouncedKey_Role, now time.Time) *bus.Key {
	t.Helper()
	cfg := bus.KeyConfig{Certificate: ca.Issue(bustest.GatewayID), Role: role, Now: now}
	if role == asConnector {
		cfg.Certificate, cfg.Instance = ca.Issue(bustest.ProviderID), "p1"
		cfg.Offers = []*hubv1.Offer{{Service: people, Jurisdiction: "vn", ContractDigest: make([]byte, 32)}}
	}
	key, err := bus.NewKey(cfg)
	require.NoError(t, err)
	return key
}

// meet has one key's holder learn of another.
func meet(t testing.TB, ca *bustest.CA, own, other *bus.Key, now time.Time) *bus.Pair {
	t.Helper()
	words, err := other.Announce(now, false)
	require.NoError(t, err)
	party, err := bus.Verify(words, ca.Roots(), now)
	require.NoError(t, err)
	pair, err := own.Pair(party)
	require.NoError(t, err)
	return pair
}

// line is a gateway and a connector that know each other.
type line struct {
	now                time.Time
	gateway, connector *bus.Pair
	gatewayKey         *bus.Key
	connectorKey       *bus.Key
}

func newLine(t testing.TB) *line {
	t.Helper()
	ca, now := bustest.NewCA(t), time.Now()
	l := &line{now: now, gatewayKey: newKey(t, ca, asGateway, now), connectorKey: newKey(t, ca, asConnector, now)}
	l.gateway = meet(t, ca, l.gatewayKey, l.connectorKey, now)
	l.connector = meet(t, ca, l.connectorKey, l.gatewayKey, now)
	return l
}

func (l *line) header() bus.Header {
	return bus.Header{
		Subject: "lt.call.vn." + people + ".GetPerson.p1", Reply: "_GW.g1.x.1",
		ExchangeID: [16]byte{1, 2, 3}, Expires: l.now.Add(5 * time.Second), Digest: [32]byte{4, 5, 6},
	}
}

// open parses and opens what came on a subject with a reply subject.
func open(p *bus.Pair, data []byte, subject, reply string, now time.Time) ([]byte, bus.Header, error) {
	f, err := bus.ParseFrame(data)
	if err != nil {
		return nil, bus.Header{}, err
	}
	h := bus.Header{Subject: subject, Reply: reply}
	plain, err := p.Open(nil, &h, &f, now)
	return plain, h, err
}
