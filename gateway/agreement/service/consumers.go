package service

import (
	"context"
	"database/sql"
	"time"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// SuspendConsumer implements hubv1.AgreementServiceServer.
func (s *Server) SuspendConsumer(ctx context.Context, q *hubv1.SuspendConsumerRequest) (*hubv1.SuspendConsumerResponse, error) {
	return change(ctx, s, q, func(ctx context.Context, tx *state.Tx, a *asking) (*hubv1.SuspendConsumerResponse, error) {
		stop := book.Stop{Provider: q.GetProvider(), Agency: q.GetAgency(), System: q.GetSystem(), Text: q.GetViolation()}
		done, err := book.SuspendConsumer(ctx, tx, book.Rules{Known: s.known}, a.who(), stop)
		return &hubv1.SuspendConsumerResponse{Suspension: done}, err
	})
}

// ResumeConsumer implements hubv1.AgreementServiceServer.
func (s *Server) ResumeConsumer(ctx context.Context, q *hubv1.ResumeConsumerRequest) (*hubv1.ResumeConsumerResponse, error) {
	return change(ctx, s, q, func(ctx context.Context, tx *state.Tx, a *asking) (*hubv1.ResumeConsumerResponse, error) {
		stop := book.Stop{Provider: q.GetProvider(), Agency: q.GetAgency(), System: q.GetSystem(), Text: q.GetReason()}
		return &hubv1.ResumeConsumerResponse{}, book.ResumeConsumer(ctx, tx, a.who(), stop)
	})
}

// ListSuspensions implements hubv1.AgreementServiceServer.
func (s *Server) ListSuspensions(ctx context.Context, q *hubv1.ListSuspensionsRequest) (*hubv1.ListSuspensionsResponse, error) {
	return answer(ctx, s, q, func(ctx context.Context, a *asking) (*hubv1.ListSuspensionsResponse, error) {
		if a.caller.Roles.May(member.SeeSuspension) == 0 {
			return nil, reason.ActNotAllowed
		}
		found, err := book.Suspensions(ctx, s.cfg.DB.Read, a.who(), a.agency())
		return &hubv1.ListSuspensionsResponse{Suspensions: found}, err
	})
}

// ListProposals implements hubv1.AgreementServiceServer.
func (s *Server) ListProposals(ctx context.Context, q *hubv1.ListProposalsRequest) (*hubv1.ListProposalsResponse, error) {
	return answer(ctx, s, q, func(ctx context.Context, a *asking) (*hubv1.ListProposalsResponse, error) {
		if a.caller.Roles.May(member.SeeProposals) == 0 {
			return nil, reason.ActNotAllowed
		}
		out := new(hubv1.ListProposalsResponse)
		return out, s.read(ctx, func(tx *sql.Tx) (err error) {
			out.Providers, err = book.Proposals(ctx, tx, a.who(), a.agency(), s.cfg.Now())
			return err
		})
	})
}

// ConfirmDestruction implements hubv1.AgreementServiceServer.
func (s *Server) ConfirmDestruction(ctx context.Context, q *hubv1.ConfirmDestructionRequest) (*hubv1.ConfirmDestructionResponse, error) {
	return change(ctx, s, q, func(ctx context.Context, tx *state.Tx, a *asking) (*hubv1.ConfirmDestructionResponse, error) {
		if _, err := time.Parse(time.DateOnly, q.GetThrough()); err != nil {
			return nil, reason.DateMalformed.At("through")
		}
		consumer, provider, err := book.Parties(ctx, tx, q.GetAgreement())
		if err != nil {
			return nil, err
		}
		switch {
		case !a.may(member.SeeAgreement, consumer, provider):
			return nil, reason.AgreementUnknown
		case !a.may(member.ConfirmDestruction, consumer, provider):
			return nil, reason.ActNotAllowed
		}
		text, err := book.CleanText(q.GetText(), "text")
		if err != nil {
			return nil, err
		}
		n, err := s.cfg.Destroyed(ctx, tx, Destruction{Agreement: q.GetAgreement(), Consumer: consumer, Through: q.GetThrough(), Text: text})
		return &hubv1.ConfirmDestructionResponse{Answers: n}, err
	})
}

// ListOverdue implements hubv1.AgreementServiceServer.
func (s *Server) ListOverdue(ctx context.Context, q *hubv1.ListOverdueRequest) (*hubv1.ListOverdueResponse, error) {
	return answer(ctx, s, q, func(ctx context.Context, a *asking) (*hubv1.ListOverdueResponse, error) {
		if a.caller.Roles.May(member.SeeOverdue) == 0 {
			return nil, reason.ActNotAllowed
		}
		all, err := s.cfg.Overdue(ctx, s.cfg.Now())
		if err != nil {
			return nil, err
		}
		out := new(hubv1.ListOverdueResponse)
		for _, o := range all {
			if id, err := peer.ParseID(o.GetConsumer()); err == nil && a.may(member.SeeOverdue, id.Agency, o.GetProvider()) {
				out.Overdue = append(out.Overdue, o)
			}
		}
		return out, nil
	})
}
