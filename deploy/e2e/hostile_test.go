package e2e_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member/buscreds"
)

// listenIn subscribes a connection to everything of interest and returns what arrives.
func listenIn(t *testing.T, nc *nats.Conn) <-chan *nats.Msg {
	t.Helper()
	heard := make(chan *nats.Msg, 1000)
	for _, subject := range []string{
		">", "lt.>", "lt.call.>", "lt.key.>", "lt.call.vn.registry.population.v1.PopulationService.>", "_INBOX.>", "$SRV.>", "$SYS.>",
	} {
		_, err := nc.ChanSubscribe(subject, heard)
		require.NoError(t, err)
	}
	return heard
}

// connect joins the sandbox's bus with the credentials of a hostile connector.
func (h *hub) connect(t *testing.T, violations chan<- error, more ...nats.Option) (*nats.Conn, error) {
	t.Helper()
	nc, err := nats.Connect(h.ready.Addresses["nats"], append(more, nats.NoReconnect(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { violations <- err }))...)
	if err == nil {
		t.Cleanup(nc.Close)
	}
	return nc, err
}

func TestAHostileConnectorSeesNobodysTrafficAndCannotCall(t *testing.T) {
	h := sandbox.get(t)
	creds, err := buscreds.Ensure(h.dir)
	require.NoError(t, err)
	stolen, err := creds.ConnectorCreds("insurance", []buscreds.Subjects{{Jurisdiction: "vn", Service: "registry.insurance.v1.InsuranceService"}})
	require.NoError(t, err)
	violations := make(chan error, 1000)
	nc, err := h.connect(t, violations, buscreds.Option(stolen))
	require.NoError(t, err)
	heard := listenIn(t, nc)
	require.NoError(t, nc.Flush())

	for range 3 {
		h.query(t, "H27/one-stop", "CT-TT", residence, "personal_id=040094997317")
	}
	require.NoError(t, nc.Flush())
	require.Empty(t, heard, "not a message of anybody else's")
	require.Len(t, violations, 8, "each subscription was refused")

	for _, subject := range []string{"lt.call.vn.registry.population.v1.PopulationService.GetResidence", "lt.key.vn.registry.population.v1.PopulationService", "_INBOX.x", "$SRV.PING"} {
		require.NoError(t, nc.PublishRequest(subject, nc.NewInbox(), []byte("forged")))
	}
	eventually(t, func() bool { return nc.Flush() == nil && len(violations) == 12 }, "each publication was refused")
	require.Equal(t, "FOUND", h.query(t, "H27/one-stop", "CT-TT", residence, "personal_id=040094997317").code(), "the hub goes on")
}

func TestTheObserverSeesNoTraffic(t *testing.T) {
	h := sandbox.get(t)
	violations := make(chan error, 1000)
	nc, err := h.connect(t, violations, nats.UserCredentials(h.ready.Observer))
	require.NoError(t, err)
	heard := make(chan *nats.Msg, 1000)
	for _, subject := range []string{">", "lt.>", "lt.call.>", "$SRV.>"} {
		_, err := nc.ChanSubscribe(subject, heard)
		require.NoError(t, err)
	}
	require.NoError(t, nc.Flush())
	h.query(t, "H27/one-stop", "CT-TT", residence, "personal_id=040094997317")
	require.NoError(t, nc.Flush())
	require.Empty(t, heard)
	require.Len(t, violations, 4)
}

func TestNobodyGetsOntoTheBusWithoutCredentials(t *testing.T) {
	h := sandbox.get(t)
	_, err := h.connect(t, make(chan error, 10), nats.Timeout(5*time.Second))
	require.ErrorIs(t, err, nats.ErrAuthorization)
	other, err := buscreds.Ensure(t.TempDir())
	require.NoError(t, err)
	forged, err := other.GatewayCreds("gateway")
	require.NoError(t, err)
	_, err = h.connect(t, make(chan error, 10), buscreds.Option(forged))
	require.ErrorIs(t, err, nats.ErrAuthorization)
}
