package service

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger/service/token"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// tokenLife is how long a token is taken when nothing is said.
const tokenLife = 15 * time.Minute

// GetStatus implements hubv1.LedgerServiceServer.
func (s *Server) GetStatus(ctx context.Context, _ *hubv1.GetStatusRequest) (*hubv1.GetStatusResponse, error) {
	return answer(ctx, s, methodGetStatus, func(ctx context.Context, _ *reading) (*hubv1.GetStatusResponse, error) {
		return s.cfg.Statuser.Status(ctx)
	})
}

// IssueCitizenToken implements hubv1.LedgerServiceServer. Whose token it is is in the Access, so that it is on the
// person's own list.
func (s *Server) IssueCitizenToken(ctx context.Context, request *hubv1.IssueCitizenTokenRequest) (*hubv1.IssueCitizenTokenResponse, error) {
	return answer(ctx, s, methodIssueCitizenToken, func(_ context.Context, r *reading) (*hubv1.IssueCitizenTokenResponse, error) {
		life, err := lifeOf(request)
		if err != nil {
			return nil, err
		}
		subject := request.GetSubject()
		if subject.GetKind() != hubv1.Subject_SUBJECT_PERSONAL_ID {
			return nil, reason.FilterInvalid.At("subject")
		}
		if err := goodSubject(subject, "subject"); err != nil {
			return nil, err
		}
		hashes, key := s.cfg.Hasher.Hash(subject.GetKind(), subject.GetValue())
		if len(hashes) == 0 {
			return nil, errNoKey
		}
		r.about(hashes, key)
		r.say("lifetime=" + life.String())
		text, expires, err := s.cfg.Tokens.Make(hashes, key, r.caller.ID, life)
		if err != nil {
			return nil, err
		}
		return &hubv1.IssueCitizenTokenResponse{Token: text, Expires: timestamppb.New(expires)}, nil
	})
}

func lifeOf(request *hubv1.IssueCitizenTokenRequest) (time.Duration, error) {
	d := request.GetLifetime()
	if d == nil {
		return tokenLife, nil
	}
	if !d.IsValid() || d.AsDuration() < time.Second || d.AsDuration() > token.MaxLife {
		return 0, reason.FilterInvalid.At("lifetime")
	}
	return d.AsDuration(), nil
}

// RotateSubjectKey implements hubv1.LedgerServiceServer.
func (s *Server) RotateSubjectKey(ctx context.Context, _ *hubv1.RotateSubjectKeyRequest) (*hubv1.RotateSubjectKeyResponse, error) {
	return answer(ctx, s, methodRotateSubjectKey, func(ctx context.Context, r *reading) (*hubv1.RotateSubjectKeyResponse, error) {
		key, err := s.cfg.Rotator.RotateSubjectKey(ctx, &hubv1.Change{
			Agency: r.caller.ID.Agency, System: r.caller.ID.System, Certificate: r.caller.Serial,
		})
		if err != nil {
			return nil, err
		}
		return &hubv1.RotateSubjectKeyResponse{Key: key}, nil
	})
}
