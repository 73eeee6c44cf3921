package parts

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/lienthong/lienthong/gateway/member/buscreds"
	"github.com/lienthong/lienthong/proto/bus"
)

// EmbeddedBus is a NATS server inside this process, with the hub's accounts and permissions. Parts of this process
// reach it without a port; others, such as the nats command, by its address.
type EmbeddedBus struct {
	server *server.Server
}

// StartBus starts the embedded NATS server on address ("127.0.0.1:4222"; port 0 takes a free one).
func StartBus(creds *buscreds.Bus, address string) (*EmbeddedBus, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("bus address %q: %w", address, err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("bus address %q: the port is not a number", address)
	}
	if number == 0 {
		number = server.RANDOM_PORT
	} else if err := free(address); err != nil {
		return nil, fmt.Errorf("bus address %s is taken; choose another one with --bus, port 0 for any: %w", address, err)
	}
	opts := &server.Options{
		ServerName:     "lienthong",
		Host:           host,
		Port:           number,
		NoSigs:         true,
		NoLog:          true,
		MaxPayload:     bus.MaxFrame,
		MaxControlLine: 4096,
		WriteDeadline:  5 * time.Second,
		PingInterval:   20 * time.Second,
		MaxPingsOut:    2,
	}
	if err := secure(opts, creds); err != nil {
		return nil, err
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("start bus: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(5 * time.Second) {
		s.Shutdown()
		return nil, errors.New("start bus: it did not become ready")
	}
	return &EmbeddedBus{server: s}, nil
}

// secure gives the server the hub's accounts: who has no credentials of theirs may do nothing.
func secure(opts *server.Options, creds *buscreds.Bus) error {
	operator, err := jwt.DecodeOperatorClaims(creds.OperatorJWT())
	if err != nil {
		return fmt.Errorf("start bus: %w", err)
	}
	resolver := &server.MemAccResolver{}
	for id, token := range creds.AccountJWTs() {
		if err := resolver.Store(id, token); err != nil {
			return fmt.Errorf("start bus: %w", err)
		}
	}
	opts.TrustedOperators, opts.SystemAccount, opts.AccountResolver = []*jwt.OperatorClaims{operator}, creds.SystemAccount(), resolver
	return nil
}

// free reports whether the address can be listened on, because the server itself only logs that it cannot.
func free(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

// URL is where other processes reach the bus.
func (b *EmbeddedBus) URL() string { return b.server.ClientURL() }

// Reach makes a connection of this process go to the server without a port.
func (b *EmbeddedBus) Reach(cfg *bus.ConnectConfig) { cfg.InProcess = b.server }

// Close stops the server.
func (b *EmbeddedBus) Close() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}
