package bus

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// ConnectConfig says how a process reaches the bus.
type ConnectConfig struct {
	URL         string                     // nats://host:port, several joined by commas; unused when InProcess is set
	InProcess   nats.InProcessConnProvider // an embedded server, reached without a port
	Credentials nats.Option                // who the process is to NATS
	Name        string                     // what NATS calls the connection, for its operators
	Inbox       string                     // GatewayInbox or ConnectorInbox
	Process     string                     // last token of the private inbox; empty: a random one
	Log         *slog.Logger               // where comings and goings of the bus are told
	OnChange    func(connected bool)       // called after the bus went or came back; may be nil
}

// Connect reaches the bus and stays with it: it reconnects for ever, and comes back at once even if the bus is
// not there yet. Calls during an absence fail; they are not kept, because an exchange has its deadline.
func Connect(cfg ConnectConfig) (*nats.Conn, error) {
	process := cfg.Process
	if process == "" {
		process = nuid.Next()
	}
	change := func(connected bool, why error) {
		if connected {
			cfg.Log.Info("bus connected", "connection", cfg.Name)
		} else {
			cfg.Log.Warn("bus lost", "connection", cfg.Name, "error", why)
		}
		if cfg.OnChange != nil {
			cfg.OnChange(connected)
		}
	}
	opts := []nats.Option{
		nats.Name(cfg.Name),
		nats.CustomInboxPrefix(cfg.Inbox + "." + process),
		nats.MaxReconnects(-1),
		nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(), // a server that is started with a wrong configuration is started again
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		nats.ReconnectBufSize(-1), // do not keep calls for later
		nats.PingInterval(10 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.Timeout(2 * time.Second),
		nats.ConnectHandler(func(*nats.Conn) { change(true, nil) }),
		nats.ReconnectHandler(func(*nats.Conn) { change(true, nil) }),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() && !nc.IsDraining() {
				change(false, err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			cfg.Log.Error("bus refused something", "connection", cfg.Name, "error", err)
		}),
	}
	if cfg.Credentials != nil {
		opts = append(opts, cfg.Credentials)
	}
	if cfg.InProcess != nil {
		opts = append(opts, nats.InProcessServer(cfg.InProcess))
	}
	nc, err := nats.Connect(cfg.URL, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect %s to the bus: %w", cfg.Name, err)
	}
	return nc, nil
}
