package parts

import (
	"context"
	"database/sql"
	"time"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	agreements "github.com/lienthong/lienthong/gateway/agreement/service"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/exchange"
	grpcface "github.com/lienthong/lienthong/gateway/face/grpc"
	"github.com/lienthong/lienthong/gateway/guard"
	"github.com/lienthong/lienthong/gateway/member"
	officers "github.com/lienthong/lienthong/gateway/member/service"
	"github.com/lienthong/lienthong/gateway/meter"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// ruling are the services by which the parties change the hub's rules.
func (g *Gateway) ruling(hub *exchange.Hub) []grpcface.Service {
	db := g.cfg.State
	reread := func(ctx context.Context, tx *sql.Tx) (*member.Directory, error) {
		return member.Read(ctx, tx, g.Policy().Members)
	}
	return []grpcface.Service{
		agreements.New(agreements.Config{
			DB: db, Members: g.Members, Reread: reread, Changed: g.Changed, Refused: g.ledger.AppendRefusal, Log: g.cfg.Log,
			Catalog: func(ctx context.Context, tx *sql.Tx) (*catalog.Catalog, error) {
				return catalog.Read(ctx, tx, g.Policy().Catalog)
			},
			Officer: func(agency, officer string) error { return g.Members().CheckWords(agency, officer, "") },
			Explain: func(_ context.Context, consumer peer.ID, q *hubv1.ExplainRequest) (*hubv1.ExplainResponse, error) {
				return hub.Explain(consumer, q)
			},
			Destroyed: func(ctx context.Context, tx *state.Tx, d agreements.Destruction) (int64, error) {
				return meter.Confirm(ctx, tx, d.Agreement, d.Consumer, d.Through, d.Text)
			},
			Overdue: func(ctx context.Context, now time.Time) ([]*hubv1.Overdue, error) { return meter.Overdue(ctx, db, now) },
		}),
		officers.New(officers.Config{DB: db, Members: g.Members, Changed: g.Changed, Refused: g.ledger.AppendRefusal, Log: g.cfg.Log}),
	}
}

// alarm says who was stopped for guessing, or asked for a decoy.
func (g *Gateway) alarm(a guard.Alarm) {
	g.metrics.Alarm(a.Decoy)
	g.cfg.Log.Error("alarm: somebody guesses numbers, or asks for a decoy", "agency", a.Agency, "purpose", a.Purpose,
		"one_officer", a.Officer != "", "decoy", a.Decoy, "why", string(a.Why))
}

// usesOf says what agreements name of a service, for who publishes it anew.
func usesOf(ctx context.Context, tx *state.Tx, c *catalog.Catalog) catalog.Uses {
	return func(service string) ([]catalog.Use, error) { return book.Uses(ctx, tx.Tx, c, service, tx.Now) }
}
