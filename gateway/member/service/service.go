// Package service answers hub.v1.OfficerService: agencies say for which officers their systems may ask.
//
// Invariants:
//   - One table (member.Roles.May) says who may do what; what is not in it is refused.
//   - Who is answered that an officer was disabled can rely on it: the change decides and is in a ledger.
//   - A system changes the officers of its own agency, and of no other.
//   - Who is refused hears it when a ledger has taken it.
//
// What does not belong here: what is enrolled (member) and judging calls by it (gateway/exchange).
package service

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// defaultDeadline bounds each call.
const defaultDeadline = 10 * time.Second

// Config says what the service is made of.
type Config struct {
	DB      *state.DB
	Members func() *member.Directory // the members of this moment; must not block
	// Changed returns when a change decides, and stands in a ledger.
	Changed func(ctx context.Context, made state.Made) error
	// Refused has a ledger take that a method was refused; of many equal ones the later ones are only counted.
	Refused  func(ctx context.Context, method string, c *hubv1.Change) error
	Log      *slog.Logger     // default: slog's default
	Now      func() time.Time // default time.Now
	Deadline time.Duration    // for each call; default 10 s
}

// Server answers. It is safe for concurrent use, and starts nothing.
type Server struct {
	hubv1.UnimplementedOfficerServiceServer
	cfg Config
}

// New makes a server.
func New(cfg Config) *Server {
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

// Register makes the server answer for a gRPC server.
func (s *Server) Register(to grpc.ServiceRegistrar) { hubv1.RegisterOfficerServiceServer(to, s) }

// EnrolOfficers enrols accounts of the caller's agency.
func (s *Server) EnrolOfficers(ctx context.Context, r *hubv1.EnrolOfficersRequest) (_ *hubv1.EnrolOfficersResponse, err error) {
	defer s.survive(&err)
	var enrolled int
	err = s.change(ctx, member.EnrolOfficer, r.GetAccounts(), func(ctx context.Context, tx *state.Tx) (err error) {
		enrolled, err = member.EnrolOfficers(ctx, tx, tx.By.ID.Agency, r.GetAccounts())
		if errors.Is(err, member.ErrTooManyOfficers) {
			return reason.BatchTooLarge.At("accounts")
		}
		return err
	})
	if err != nil {
		return nil, s.refuse(ctx, "EnrolOfficers", err)
	}
	return &hubv1.EnrolOfficersResponse{Enrolled: int32(enrolled)}, nil
}

// DisableOfficers disables accounts of the caller's agency.
func (s *Server) DisableOfficers(ctx context.Context, r *hubv1.DisableOfficersRequest) (_ *hubv1.DisableOfficersResponse, err error) {
	defer s.survive(&err)
	if member.CheckReason(r.GetReason()) != nil {
		return nil, s.refuse(ctx, "DisableOfficers", reason.FieldInvalid.At("reason"))
	}
	var disabled int
	err = s.change(ctx, member.DisableOfficer, r.GetAccounts(), func(ctx context.Context, tx *state.Tx) (err error) {
		disabled, err = member.DisableOfficers(ctx, tx, tx.By.ID.Agency, r.GetAccounts(), r.GetReason())
		return err
	})
	if err != nil {
		return nil, s.refuse(ctx, "DisableOfficers", err)
	}
	return &hubv1.DisableOfficersResponse{Disabled: int32(disabled)}, nil
}

// ListOfficers lists the accounts of an agency.
func (s *Server) ListOfficers(ctx context.Context, r *hubv1.ListOfficersRequest) (_ *hubv1.ListOfficersResponse, err error) {
	defer s.survive(&err)
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Deadline)
	defer cancel()
	caller, err := s.caller(ctx)
	if err != nil {
		return nil, s.refuse(ctx, "ListOfficers", err)
	}
	agency := r.GetAgency()
	if agency == "" {
		agency = caller.ID.Agency
	}
	if !caller.Roles.May(member.SeeOfficers).Covers(caller.ID.Agency, agency, "") {
		return nil, s.refuse(ctx, "ListOfficers", reason.ActNotAllowed)
	}
	var officers []member.Officer
	err = s.cfg.DB.InReadTx(ctx, func(tx *sql.Tx) error {
		if _, err := member.FindAgency(ctx, tx, agency); err != nil {
			return reason.FieldInvalid.At("agency")
		}
		officers, err = member.ListOfficers(ctx, tx, agency)
		return err
	})
	if err != nil {
		return nil, s.refuse(ctx, "ListOfficers", err)
	}
	out := new(hubv1.ListOfficersResponse)
	for _, o := range officers {
		entry := &hubv1.Officer{Agency: o.Agency, Account: o.Account, Enrolled: timestamppb.New(o.Enrolled)}
		if !o.Disabled.IsZero() {
			entry.Disabled = timestamppb.New(o.Disabled)
		}
		out.Officers = append(out.Officers, entry)
	}
	return out, nil
}

// survive makes a panic a failure of one request.
func (s *Server) survive(err *error) {
	if p := recover(); p != nil {
		s.cfg.Log.Error("officer service panicked", "stack", string(debug.Stack()))
		*err = reason.Internal.GRPCStatus().Err()
	}
}

// caller is who asks.
func (s *Server) caller(ctx context.Context) (member.Caller, error) {
	cert, ok := member.FromContext(ctx)
	if !ok {
		return member.Caller{}, reason.IdentityUnknown
	}
	return s.cfg.Members().Caller(cert, s.cfg.Now())
}

// change makes a change of accounts for a caller who may, and waits until it decides.
func (s *Server) change(ctx context.Context, act member.Act, accounts []string, do func(context.Context, *state.Tx) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Deadline)
	defer cancel()
	caller, err := s.caller(ctx)
	if err != nil {
		return err
	}
	if !caller.Roles.May(act).Covers(caller.ID.Agency, caller.ID.Agency, "") {
		return reason.ActNotAllowed
	}
	by := state.Actor{ID: caller.ID, Serial: caller.Serial}
	if by.Officer, err = member.OfficerOf(ctx); err != nil {
		return err
	}
	if err := checkAccounts(accounts); err != nil {
		return err
	}
	made, err := s.cfg.DB.Change(ctx, by, func(tx *state.Tx) error {
		if err := s.rejudge(ctx, tx, act); err != nil {
			return err
		}
		return do(ctx, tx)
	})
	if err != nil || made.Revision == 0 {
		return err
	}
	if err := s.cfg.Changed(ctx, made); err != nil {
		return reason.LedgerUnavailable.Because(err)
	}
	return nil
}

// rejudge says in the transaction whether the caller may: while the change waited for others, they may have revoked it.
func (s *Server) rejudge(ctx context.Context, tx *state.Tx, act member.Act) error {
	members, err := member.Read(ctx, tx.Tx, nil)
	if err != nil {
		return err
	}
	cert, _ := member.FromContext(ctx) // change has seen it
	caller, err := members.Caller(cert, s.cfg.Now())
	if err != nil {
		return err
	}
	if !caller.Roles.May(act).Covers(caller.ID.Agency, caller.ID.Agency, "") {
		return reason.ActNotAllowed
	}
	return members.CheckWords(caller.ID.Agency, tx.By.Officer, "")
}

func checkAccounts(accounts []string) error {
	switch {
	case len(accounts) == 0:
		return reason.FieldRequired.At("accounts")
	case len(accounts) > member.MaxAccounts:
		return reason.BatchTooLarge.At("accounts")
	}
	for _, account := range accounts {
		if err := member.CheckAccount(account); err != nil {
			return reason.FieldInvalid.At("accounts")
		}
	}
	return nil
}

// refuse is an error as callers see it. A refusal is recorded before; if it cannot be, they see that instead. What they
// cannot mend is logged, for those who can.
func (s *Server) refuse(ctx context.Context, method string, err error) error {
	f := reason.Of(err)
	if f.Reason.Refuses() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Deadline)
		defer cancel()
		if failed := s.cfg.Refused(ctx, method, member.Refusal(ctx, hubv1.Change_KIND_MEMBER, method, "", f.Reason)); failed != nil {
			f = reason.LedgerUnavailable.Because(failed)
		}
	}
	if f.Reason == reason.Internal || f.Reason == reason.LedgerUnavailable {
		s.cfg.Log.Error("officers not changed or listed", "method", method, "reason", string(f.Reason), "error", f.Cause)
	}
	return f.GRPCStatus().Err()
}
