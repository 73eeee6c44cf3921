// Package land is the land registry of one jurisdiction: parcels, certificates, their holders and what rests on
// them, as the provincial land registration office keeps them.
//
// What does not belong here: who may ask (the hub decides), questions over several provinces (whoever asks puts
// the answers together), and who the people of the book really are (the population registry knows).
//
// Invariants:
//   - A registry holds and answers for the parcels of its own provinces only; a question about another province
//     is refused, not answered NO_MATCH.
//   - What lies in a commune without a land database is not here: questions that name such a commune are
//     answered MISSING, and a list over an area with one is never answered as if it were whole.
//   - A record that is known to be wrong is not given out.
package land

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"google.golang.org/grpc"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	"github.com/lienthong/lienthong/services/store"
)

// Registry answers for one land database. It is safe for concurrent use.
type Registry struct {
	landv1.UnimplementedLandServiceServer

	jurisdiction Jurisdiction
	db           *store.DB
	stmts        statements
	communes     atomic.Pointer[gazetteer]
}

// Open opens the land database of a jurisdiction at a path and makes it, empty, if there is none. The caller
// closes it.
func Open(ctx context.Context, path string, jurisdiction Jurisdiction) (*Registry, error) {
	if !jurisdiction.known() {
		return nil, fmt.Errorf("open land: no jurisdiction %q; there are %v", string(jurisdiction), Jurisdictions())
	}
	db, err := store.Open(ctx, store.Config{Path: path})
	if err != nil {
		return nil, fmt.Errorf("open land %s: %w", jurisdiction, err)
	}
	r := &Registry{jurisdiction: jurisdiction, db: db}
	if err := r.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open land %s: %w", jurisdiction, err), db.Close())
	}
	return r, nil
}

// Jurisdiction is what the registry answers for.
func (r *Registry) Jurisdiction() Jurisdiction { return r.jurisdiction }

// Register puts the service on a gRPC server or a connector.
func (r *Registry) Register(s grpc.ServiceRegistrar) { landv1.RegisterLandServiceServer(s, r) }

// Filled reports whether the database holds its part of a nation, whole.
func (r *Registry) Filled(ctx context.Context) (bool, error) { return r.db.Filled(ctx) }

// Close closes the database.
func (r *Registry) Close() error { return r.db.Close() }

func found(code hubv1.Result_Code) *hubv1.Result { return &hubv1.Result{Code: code} }
