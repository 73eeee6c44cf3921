package service

import (
	"context"
	"database/sql"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Bounds of lists.
const (
	defaultList = 500
	maxList     = 10_000
	maxAnswer   = 1 << 20   // bytes of an answer
	maxVersions = 600 << 10 // bytes of the versions of one agreement
	maxEvents   = 1000      // of one agreement, if they fit beside the versions
)

// ListAgreements implements hubv1.AgreementServiceServer.
func (s *Server) ListAgreements(ctx context.Context, q *hubv1.ListAgreementsRequest) (*hubv1.ListAgreementsResponse, error) {
	return answer(ctx, s, q, func(ctx context.Context, a *asking) (*hubv1.ListAgreementsResponse, error) {
		if q.GetLimit() < 0 || q.GetLimit() > maxList {
			return nil, reason.FieldInvalid.At("limit")
		}
		f := book.Filter{
			Consumer: q.GetConsumer(), Provider: q.GetProvider(), Service: q.GetService(), States: q.GetStates(), After: q.GetAfter(),
			Limit: int(q.GetLimit()), Size: maxAnswer,
		}
		if f.Limit == 0 {
			f.Limit = defaultList
		}
		out := new(hubv1.ListAgreementsResponse)
		return out, s.read(ctx, func(tx *sql.Tx) (err error) {
			out.Agreements, out.More, err = book.List(ctx, tx, a.who(), a.agency(), s.cfg.Now(), f)
			return err
		})
	})
}

// GetAgreement implements hubv1.AgreementServiceServer.
func (s *Server) GetAgreement(ctx context.Context, q *hubv1.GetAgreementRequest) (*hubv1.GetAgreementResponse, error) {
	return answer(ctx, s, q, func(ctx context.Context, a *asking) (*hubv1.GetAgreementResponse, error) {
		var versions []*hubv1.AgreementVersion
		if err := s.read(ctx, func(tx *sql.Tx) (err error) {
			versions, err = book.Find(ctx, tx, a.who(), a.agency(), s.cfg.Now(), q.GetId())
			return err
		}); err != nil {
			return nil, err
		}
		versions = fitting(versions)
		seen := map[int64]bool{}
		for _, v := range versions {
			seen[v.GetAgreement().GetVersion()] = true
		}
		history, err := s.cfg.DB.History(ctx, hubv1.Change_KIND_AGREEMENT, q.GetId(), maxEvents)
		if err != nil {
			return nil, err
		}
		out := &hubv1.GetAgreementResponse{Versions: versions}
		size := proto.Size(out)
		for _, c := range history {
			if e := book.Event(c.Change, c.Position); seen[c.GetVersion()] {
				if size += proto.Size(e); size > maxAnswer {
					break
				}
				out.Events = append(out.Events, e)
			}
		}
		return out, nil
	})
}

// fitting are as many of the newest versions as an answer has room for.
func fitting(versions []*hubv1.AgreementVersion) []*hubv1.AgreementVersion {
	size := 0
	for i, v := range versions {
		if size += proto.Size(v); size > maxVersions && i > 0 {
			return versions[:i]
		}
	}
	return versions
}

// ProposeAgreements implements hubv1.AgreementServiceServer.
func (s *Server) ProposeAgreements(ctx context.Context, q *hubv1.ProposeAgreementsRequest) (*hubv1.ProposeAgreementsResponse, error) {
	return change(ctx, s, q, func(ctx context.Context, tx *state.Tx, a *asking) (*hubv1.ProposeAgreementsResponse, error) {
		rules, err := s.rules(ctx, tx.Tx)
		if err != nil {
			return nil, err
		}
		done, err := book.Propose(ctx, tx, rules, a.who(), book.Proposal{Documents: q.GetAgreements(), Draft: q.GetDraft(), DryRun: q.GetDryRun()})
		return &hubv1.ProposeAgreementsResponse{Agreements: done}, err
	})
}

// judged is an operation that needs the rules, unjudged one that does not.
type (
	judged   func(context.Context, *state.Tx, book.Rules, book.Who, book.Motion) (*hubv1.AgreementVersion, error)
	unjudged func(context.Context, *state.Tx, book.Who, book.Motion) (*hubv1.AgreementVersion, error)
)

func (s *Server) judge(ctx context.Context, q proto.Message, do judged, m book.Motion) (*hubv1.AgreementVersion, error) {
	return change(ctx, s, q, func(ctx context.Context, tx *state.Tx, a *asking) (*hubv1.AgreementVersion, error) {
		rules, err := s.rules(ctx, tx.Tx)
		if err != nil {
			return nil, err
		}
		return do(ctx, tx, rules, a.who(), m)
	})
}

func (s *Server) move(ctx context.Context, q proto.Message, do unjudged, m book.Motion) (*hubv1.AgreementVersion, error) {
	return change(ctx, s, q, func(ctx context.Context, tx *state.Tx, a *asking) (*hubv1.AgreementVersion, error) {
		return do(ctx, tx, a.who(), m)
	})
}

// SubmitAgreement implements hubv1.AgreementServiceServer.
func (s *Server) SubmitAgreement(ctx context.Context, q *hubv1.SubmitAgreementRequest) (*hubv1.SubmitAgreementResponse, error) {
	v, err := s.judge(ctx, q, book.Submit, book.Motion{ID: q.GetId(), Version: q.GetVersion()})
	return &hubv1.SubmitAgreementResponse{Agreement: v}, err
}

// approve is book.Approve of a document that was read.
func approve(ctx context.Context, tx *state.Tx, rules book.Rules, who book.Who, m book.Motion) (*hubv1.AgreementVersion, error) {
	if len(m.Digest) == 0 {
		return nil, reason.FieldRequired.At("digest")
	}
	return book.Approve(ctx, tx, rules, who, m)
}

// ApproveAgreement implements hubv1.AgreementServiceServer.
func (s *Server) ApproveAgreement(ctx context.Context, q *hubv1.ApproveAgreementRequest) (*hubv1.ApproveAgreementResponse, error) {
	v, err := s.judge(ctx, q, approve, book.Motion{ID: q.GetId(), Version: q.GetVersion(), Digest: q.GetDigest()})
	return &hubv1.ApproveAgreementResponse{Agreement: v}, err
}

// RefuseAgreement implements hubv1.AgreementServiceServer.
func (s *Server) RefuseAgreement(ctx context.Context, q *hubv1.RefuseAgreementRequest) (*hubv1.RefuseAgreementResponse, error) {
	v, err := s.move(ctx, q, book.Refuse, book.Motion{ID: q.GetId(), Version: q.GetVersion(), Ground: q.GetGround(), Reason: q.GetReason()})
	return &hubv1.RefuseAgreementResponse{Agreement: v}, err
}

// SuspendAgreement implements hubv1.AgreementServiceServer.
func (s *Server) SuspendAgreement(ctx context.Context, q *hubv1.SuspendAgreementRequest) (*hubv1.SuspendAgreementResponse, error) {
	v, err := s.move(ctx, q, book.Suspend, book.Motion{ID: q.GetId(), Reason: q.GetReason()})
	return &hubv1.SuspendAgreementResponse{Agreement: v}, err
}

// ResumeAgreement implements hubv1.AgreementServiceServer.
func (s *Server) ResumeAgreement(ctx context.Context, q *hubv1.ResumeAgreementRequest) (*hubv1.ResumeAgreementResponse, error) {
	v, err := s.move(ctx, q, book.Resume, book.Motion{ID: q.GetId(), Reason: q.GetReason()})
	return &hubv1.ResumeAgreementResponse{Agreement: v}, err
}

// TerminateAgreement implements hubv1.AgreementServiceServer.
func (s *Server) TerminateAgreement(ctx context.Context, q *hubv1.TerminateAgreementRequest) (*hubv1.TerminateAgreementResponse, error) {
	v, err := s.move(ctx, q, book.Terminate, book.Motion{ID: q.GetId(), Reason: q.GetReason()})
	return &hubv1.TerminateAgreementResponse{Agreement: v}, err
}
