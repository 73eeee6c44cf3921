// Package service answers hub.v1.LedgerService: it decides who may read what of the ledger, and records every read
// before anything of it is given.
//
// Invariants:
//   - One table (rights.go) says who may read what; what is not in it is refused. A reader's scope is part of each
//     query, and each entry is judged once more before it leaves.
//   - Nothing is answered before the Access that says so is durable. Refusals are recorded too. If the ledger cannot
//     write, nobody reads.
//   - What a reader may not see and what there is not look the same.
//   - A number of a person is hashed at once and then forgotten: it is in no record, log line, error or token.
//   - Readers are bounded in number and time, so that they do not starve exchanges.
//
// What does not belong here: finding (index), proving (notary, proof) and keeping (ledger); they are behind the
// interfaces of seams.go.
package service

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/gateway/member"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Config says what the service is made of.
type Config struct {
	Origin   string                   // the ledger's name: positions are ORIGIN:SEQ
	Former   []string                 // ledgers that came before it and are not searched: each answer names them
	Members  func() *member.Directory // the members of this moment; must not block
	Searcher Searcher
	Prover   Prover
	Recorder Recorder
	Hasher   Hasher
	Rotator  Rotator
	Statuser Statuser
	Tokens   Tokens
	Signer   Signer
	Log      *slog.Logger     // default: slog's default
	Now      func() time.Time // default time.Now

	Reads    int           // reads at a time, default 8; one agency takes half of them at most
	Streams  int           // readers that follow at a time, default 32; one agency takes half of them at most
	Exports  int           // exports at a time, default 2; one agency takes half of them at most
	Deadline time.Duration // for each read, and for each step of a stream; default 10 s
	Again    time.Duration // after it a stream's reader is judged again, default 500 ms
}

// Server answers. It is safe for concurrent use, and starts nothing.
type Server struct {
	hubv1.UnimplementedLedgerServiceServer
	cfg     Config
	reads   *gate
	streams *gate
	exports *gate

	draining context.Context // ends when Drain is called
	drain    context.CancelFunc
}

// Defaults of Config.
const (
	defaultReads    = 8
	defaultStreams  = 32
	defaultExports  = 2
	defaultDeadline = 10 * time.Second
	defaultAgain    = 500 * time.Millisecond
)

// New makes a server.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Reads == 0 {
		cfg.Reads = defaultReads
	}
	if cfg.Streams == 0 {
		cfg.Streams = defaultStreams
	}
	if cfg.Exports == 0 {
		cfg.Exports = defaultExports
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = defaultDeadline
	}
	if cfg.Again == 0 {
		cfg.Again = defaultAgain
	}
	s := &Server{cfg: cfg, reads: newGate(cfg.Reads), streams: newGate(cfg.Streams), exports: newGate(cfg.Exports)}
	s.draining, s.drain = context.WithCancel(context.Background())
	return s
}

// Drain ends the streams of those who follow, which have no end of their own, so that a stopping hub need not wait for
// them. Reads and exports under way are finished.
func (s *Server) Drain() { s.drain() }

// Register makes a gRPC server answer hub.v1.LedgerService. Its credentials must be member.Credentials.
func (s *Server) Register(to grpc.ServiceRegistrar) { hubv1.RegisterLedgerServiceServer(to, s) }

// within bounds one step of work.
func (s *Server) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.cfg.Deadline)
}
