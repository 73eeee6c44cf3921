// Package civilstatus is the civil-status registry: births, marriages and deaths as communes entered them, and the
// rules of law for entering new ones.
//
// What does not belong here: personal numbers, which the population registry issues; who may ask, which the hub
// decides; and anything about other registries.
//
// Invariants:
//   - Nobody has two current marriages, two birth entries or two death entries: unique indices say so.
//   - Nothing more is entered about a person after their death.
//   - A registration, its number and its request id are written in one transaction, which is on disk before the
//     answer leaves. A refused registration leaves nothing, not even its request id.
//   - An entry is never changed: what became of a marriage is kept beside it.
package civilstatus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/person"
	"github.com/lienthong/lienthong/services/store"
)

// Registry answers for one civil-status database. It is safe for concurrent use.
type Registry struct {
	civilstatusv1.UnimplementedCivilStatusServiceServer

	// Now is the clock, which says what day it is; time.Now unless changed before the first call.
	Now func() time.Time

	db    *store.DB
	read  reads
	write writes

	catalogue atomic.Pointer[catalogue]
}

// Open opens the database at a path and makes it, empty, if there is none. The caller closes it.
func Open(ctx context.Context, path string) (*Registry, error) {
	db, err := store.Open(ctx, store.Config{Path: path})
	if err != nil {
		return nil, fmt.Errorf("open civil status: %w", err)
	}
	r := &Registry{Now: time.Now, db: db}
	if err := r.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open civil status: %w", err), db.Close())
	}
	return r, nil
}

// Register puts the service on a gRPC server or a connector.
func (r *Registry) Register(s grpc.ServiceRegistrar) {
	civilstatusv1.RegisterCivilStatusServiceServer(s, r)
}

// Filled reports whether the database holds a nation, whole.
func (r *Registry) Filled(ctx context.Context) (bool, error) { return r.db.Filled(ctx) }

// Close closes the database.
func (r *Registry) Close() error { return r.db.Close() }

// today is the day in Viet Nam.
func (r *Registry) today() person.Date { return person.DateOf(r.Now()) }
