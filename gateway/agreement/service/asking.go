package service

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/metadata"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/reason"
)

// WordOfficer names the metadata that says for which officer something is done.
const WordOfficer = "lt-officer"

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
	officer, err := officerOf(ctx)
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

// officerOf is the officer that the caller names: an account name, given once.
func officerOf(ctx context.Context) (string, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	given := md[WordOfficer]
	if len(given) == 0 {
		return "", nil
	}
	if word := given[0]; len(given) == 1 && (word == "" || member.CheckAccount(word) == nil) {
		return word, nil
	}
	return "", reason.MetadataInvalid.At(WordOfficer)
}

// answer makes the answer to one request. A panic is a failure of this request alone.
func answer[T any](ctx context.Context, s *Server, method string, do func(context.Context, *asking) (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.cfg.Log.Error("agreement service panicked", "method", method, "stack", string(debug.Stack()))
			err = reason.Internal.GRPCStatus().Err()
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Deadline)
	defer cancel()
	a, err := s.identify(ctx)
	if err == nil {
		out, err = do(ctx, a)
	}
	if err != nil {
		var nothing T
		return nothing, s.refuse(ctx, method, err)
	}
	return out, nil
}

// change makes one change, and answers when it is in force and recorded.
func change[T any](ctx context.Context, s *Server, method string, do func(context.Context, *state.Tx, *asking) (T, error)) (T, error) {
	return answer(ctx, s, method, func(ctx context.Context, a *asking) (out T, err error) {
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

// refuse is what a caller hears of an error.
func (s *Server) refuse(ctx context.Context, method string, err error) error {
	fault := reason.Of(err)
	if fault.Reason == reason.Internal {
		s.cfg.Log.Error("agreement service failed", "method", method, "error", fault.Cause)
	} else if who, ok := member.FromContext(ctx); ok {
		s.cfg.Log.Warn("act refused", "method", method, "system", who.ID.String(), "serial", who.Serial, "reason", string(fault.Reason))
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
