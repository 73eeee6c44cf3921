// Package service answers hub.v1.AgreementService: it says who asks, lets package book do what may be done, and has each
// change rung, recorded and in force before it answers.
//
// Invariants:
//   - Who asks is judged anew for each request; what they may do is the table of member, and nothing else.
//   - What a system may not see looks like what there is not.
//   - What changes something is answered after Config.Changed has returned, and a refusal after Config.Refused.
//   - Nothing that a caller sent is in an error, but for the problems of documents, which go to who sent them.
//
// What does not belong here: states and approvals (book), and what a document must say (agreement).
package service

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// Config says what the service is made of. What has no default is required.
type Config struct {
	DB      *state.DB
	Members func() *member.Directory // the members of this moment; must not block
	// Reread reads the members in the transaction of a change, which judges its caller once more. Nil: it does not.
	Reread func(context.Context, *sql.Tx) (*member.Directory, error)

	// Catalog is what can be asked, as a transaction sees it.
	Catalog func(ctx context.Context, tx *sql.Tx) (*catalog.Catalog, error)

	// Officer says whether an agency has such an officer. Default: what Members says.
	Officer func(agency, officer string) error

	// Changed rings the bell for a change, has it in force here and in the ledger. If it fails, the caller hears that,
	// though the change stands.
	Changed func(ctx context.Context, made state.Made) error

	// Refused has a ledger take, before the caller hears of it, that a method was refused; of many equal ones the later
	// ones are only counted.
	Refused func(ctx context.Context, method string, c *hubv1.Change) error

	// Explain says what would become of a question of a consumer.
	Explain func(ctx context.Context, consumer peer.ID, question *hubv1.ExplainRequest) (*hubv1.ExplainResponse, error)

	// Destroyed takes a consumer's word that it destroyed answers, records it, and returns of how many.
	Destroyed func(ctx context.Context, tx *state.Tx, d Destruction) (answers int64, err error)

	// Overdue lists all answers that should have been destroyed.
	Overdue func(ctx context.Context, now time.Time) ([]*hubv1.Overdue, error)

	Log      *slog.Logger     // default: slog's default
	Now      func() time.Time // default time.Now
	Deadline time.Duration    // for each request, default 10 s
}

// Destruction is a consumer's word that it destroyed what it had to.
type Destruction struct {
	Agreement string // id
	Consumer  string // agency
	Through   string // day: what had to be destroyed up to it
	Text      string // how it was done
}

// Server answers. It is safe for concurrent use, and starts nothing.
type Server struct {
	hubv1.UnimplementedAgreementServiceServer
	cfg Config
}

// defaultDeadline is that of Config.Deadline.
const defaultDeadline = 10 * time.Second

// New makes a server.
func New(cfg Config) *Server {
	if cfg.Officer == nil {
		cfg.Officer = func(agency, officer string) error { return cfg.Members().CheckWords(agency, officer, "") }
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = defaultDeadline
	}
	return &Server{cfg: cfg}
}

// Register makes a gRPC server answer hub.v1.AgreementService. Its credentials must be member.Credentials, and it must
// take messages of 4 MiB, which is gRPC's default.
func (s *Server) Register(to grpc.ServiceRegistrar) { hubv1.RegisterAgreementServiceServer(to, s) }

// rules are what documents are judged by in a transaction.
func (s *Server) rules(ctx context.Context, tx *sql.Tx) (book.Rules, error) {
	c, err := s.cfg.Catalog(ctx, tx)
	return book.Rules{Catalog: c, Known: s.known}, err
}

// known reports whether an agency's system is a member; with an empty system, whether the agency is.
func (s *Server) known(agency, system string) bool {
	if system == "" {
		_, ok := s.cfg.Members().Agency(agency)
		return ok
	}
	_, ok := s.cfg.Members().Lookup(peer.ID{Agency: agency, System: system})
	return ok
}

// read runs do in one transaction that reads: it sees one revision.
func (s *Server) read(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.cfg.DB.Read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return do(tx)
}
