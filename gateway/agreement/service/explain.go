package service

import (
	"context"
	"database/sql"
	"strings"

	"github.com/lienthong/lienthong/gateway/member"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// Explain implements hubv1.AgreementServiceServer.
func (s *Server) Explain(ctx context.Context, q *hubv1.ExplainRequest) (*hubv1.ExplainResponse, error) {
	return answer(ctx, s, q, func(ctx context.Context, a *asking) (*hubv1.ExplainResponse, error) {
		consumer := a.caller.ID
		if q.GetConsumer() != "" {
			id, err := peer.ParseID(q.GetConsumer())
			if err != nil {
				return nil, reason.FieldInvalid.At("consumer")
			}
			consumer = id
		}
		if q.GetMethod() == "" {
			return nil, reason.FieldRequired.At("method")
		}
		if err := s.mayExplain(ctx, a, consumer, q); err != nil {
			return nil, err
		}
		return s.cfg.Explain(ctx, consumer, q)
	})
}

// mayExplain says whether the caller may know what would become of a consumer's question: about its own agency, or as
// steward of the one that would be asked.
func (s *Server) mayExplain(ctx context.Context, a *asking, consumer peer.ID, q *hubv1.ExplainRequest) error {
	if a.may(member.ExplainDecision, consumer.Agency, "") {
		return nil
	}
	return s.read(ctx, func(tx *sql.Tx) error {
		c, err := s.cfg.Catalog(ctx, tx)
		if err != nil {
			return err
		}
		method, ok := c.Method("/" + strings.TrimPrefix(q.GetMethod(), "/"))
		if !ok {
			return reason.ActNotAllowed
		}
		_, provider, err := method.Route(q.GetRequest())
		if err != nil || !a.may(member.ExplainDecision, "", provider.Agency) {
			return reason.ActNotAllowed
		}
		return nil
	})
}
