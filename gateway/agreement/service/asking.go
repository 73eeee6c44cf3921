package service

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// asking is one request and who makes it.
type asking struct {
	caller  member.Caller
	officer string
}

func (a *asking) who() book.Who  { return book.Who{Roles: a.caller.Roles} }
func (a *asking) agency() string { return a.caller.ID.Agency }
func (a *asking) actor() state.Actor {
	return state.Actor{ID: a.caller.ID, Serial: a.caller.Serial, Officer: a.officer}
}

// may reports whether an act reaches what is between a consumer and a provider.
func (a *asking) may(act member.Act, consumer, provider string) bool {
	return a.caller.Roles.May(act).Covers(a.agency(), consumer, provider)
}

// identify says who asks.
func (s *Server) identify(ctx context.Context) (*asking, error) {
	cert, ok := member.FromContext(ctx)
	if !ok {
		return nil, reason.IdentityUnknown
	}
	caller, err := s.cfg.Members().Caller(cert, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	officer, err := member.OfficerOf(ctx)
	if err != nil {
		return nil, err
	}
	return &asking{caller, officer}, s.cfg.Officer(caller.ID.Agency, officer)
}

// rejudge says who asks once more, in the transaction: while the change waited for others, they may have revoked it.
func (s *Server) rejudge(ctx context.Context, tx *state.Tx, a *asking) (err error) {
	if s.cfg.Reread == nil {
		return nil
	}
	members, err := s.cfg.Reread(ctx, tx.Tx)
	if err != nil {
		return err
	}
	cert, _ := member.FromContext(ctx) // identify has seen it
	if a.caller, err = members.Caller(cert, s.cfg.Now()); err != nil {
		return err
	}
	return members.CheckWords(a.agency(), a.officer, "")
}

// answer makes the answer to one request. A panic is a failure of this request alone.
func answer[T any](ctx context.Context, s *Server, q proto.Message, do func(context.Context, *asking) (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.cfg.Log.Error("agreement service panicked", "method", methodOf(q), "stack", string(debug.Stack()))
			err = reason.Internal.GRPCStatus().Err()
		}
	}()
	within, cancel := context.WithTimeout(ctx, s.cfg.Deadline)
	defer cancel()
	a, err := s.identify(within)
	if err == nil {
		out, err = do(within, a)
	}
	if err != nil {
		var nothing T
		return nothing, s.refuse(ctx, q, err)
	}
	return out, nil
}

// change makes one change, and answers when it is in force and recorded.
func change[T any](ctx context.Context, s *Server, q proto.Message, do func(context.Context, *state.Tx, *asking) (T, error)) (T, error) {
	return answer(ctx, s, q, func(ctx context.Context, a *asking) (out T, err error) {
		made, err := s.cfg.DB.Change(ctx, a.actor(), func(tx *state.Tx) (err error) {
			if err := s.rejudge(ctx, tx, a); err != nil {
				return err
			}
			out, err = do(ctx, tx, a)
			return err
		})
		if err == nil && made.Revision > 0 {
			err = s.cfg.Changed(ctx, made)
		}
		return out, err
	})
}

// maxProblems is how many problems an error names: it travels in a header.
const maxProblems = 100

// methodOf is the short name of the method that a request is for.
func methodOf(q proto.Message) string {
	return strings.TrimSuffix(string(q.ProtoReflect().Descriptor().Name()), "Request")
}

// refuse is what a caller hears of an error. A refusal is recorded before; if it cannot be, they hear that instead.
func (s *Server) refuse(ctx context.Context, q proto.Message, err error) error {
	fault := reason.Of(err)
	if fault.Reason.Refuses() {
		if failed := s.record(ctx, q, fault.Reason); failed != nil {
			fault, err = reason.LedgerUnavailable.Because(failed), nil
		}
	}
	if fault.Reason == reason.Internal || fault.Reason == reason.LedgerUnavailable {
		s.cfg.Log.Error("agreement service failed", "method", methodOf(q), "reason", string(fault.Reason), "error", fault.Cause)
	}
	st := fault.GRPCStatus()
	var invalid *book.Invalid
	if !errors.As(err, &invalid) {
		return st.Err()
	}
	bad := new(errdetails.BadRequest)
	for i, p := range invalid.Problems {
		if i == maxProblems {
			more := fmt.Sprintf("%d further problems", len(invalid.Problems)-i)
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: "more", Description: more})
			break
		}
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: p.Place(), Description: clip(p.Text)})
	}
	if detailed, err := st.WithDetails(bad); err == nil {
		st = detailed
	}
	return st.Err()
}

// record has a ledger take that a caller was refused.
func (s *Server) record(ctx context.Context, q proto.Message, why reason.Reason) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Deadline)
	defer cancel()
	kind, object := s.subjectOf(ctx, q)
	return s.cfg.Refused(ctx, methodOf(q), member.Refusal(ctx, kind, methodOf(q), object, why))
}

// subjectOf says what a request is about: a consumer or an agreement, if it is one that there is. What else was written
// in its place is not said, for it may be anything.
func (s *Server) subjectOf(ctx context.Context, q proto.Message) (kind hubv1.Change_Kind, object string) {
	switch q := q.(type) {
	case *hubv1.ListSuspensionsRequest:
		return hubv1.Change_KIND_CONSUMER, ""
	case interface {
		GetAgency() string
		GetSystem() string
	}: // suspend and resume a consumer
		if s.known(q.GetAgency(), q.GetSystem()) {
			object = strings.TrimSuffix(q.GetAgency()+"/"+q.GetSystem(), "/")
		}
		return hubv1.Change_KIND_CONSUMER, object
	case *hubv1.ConfirmDestructionRequest:
		return hubv1.Change_KIND_DESTRUCTION, s.agreement(ctx, q.GetAgreement())
	case interface{ GetId() string }:
		return hubv1.Change_KIND_AGREEMENT, s.agreement(ctx, q.GetId())
	}
	return hubv1.Change_KIND_AGREEMENT, ""
}

// agreement is the id of an agreement, and nothing if there is none.
func (s *Server) agreement(ctx context.Context, id string) string {
	if id == "" {
		return ""
	}
	_, _, err := book.Parties(ctx, s.cfg.DB.Read, id)
	if err == nil {
		return id
	}
	if reason.Of(err).Reason != reason.AgreementUnknown {
		s.cfg.Log.Error("a refusal is recorded without the agreement that it is about", "error", err)
	}
	return ""
}

// maxProblem is how long the text of one problem may be, in bytes.
const maxProblem = 600

func clip(text string) string {
	if len(text) <= maxProblem {
		return text
	}
	end := maxProblem
	for end > 0 && text[end]&0xC0 == 0x80 { // not within a character
		end--
	}
	return text[:end] + "…"
}
