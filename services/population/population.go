// Package population is the population registry: who the people of the country are, where and with whom they live,
// and the numbers they are given.
//
// What does not belong here: who may ask, which the hub decides; births, marriages and deaths as entered in books,
// which are civil status's; and anything about other registries.
//
// Invariants:
//   - A number is given once, and never again, even after its holder's death: a unique index says so.
//   - A record is returned only for a number that agrees with the name and the birth date, where the contract asks
//     for them; what does not agree is not said but in differing_fields.
//   - The record of a dead person is never changed again.
//   - A number issued or cancelled, and the request id it was done for, are one transaction, on disk before the
//     answer leaves. A refused request leaves nothing, not even its request id.
package population

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"math/big"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Registry answers for one population database. It is safe for concurrent use.
type Registry struct {
	populationv1.UnimplementedPopulationServiceServer

	// Now is the clock, which says what day it is; time.Now unless changed before the first call.
	Now func() time.Time

	serial    func() (int, error) // the random digits of a new number
	db        *store.DB
	ask       statements
	catalogue atomic.Pointer[catalogue]
}

// Open opens the database at a path and makes it, empty, if there is none. The caller closes it.
func Open(ctx context.Context, path string) (*Registry, error) {
	db, err := store.Open(ctx, store.Config{Path: path})
	if err != nil {
		return nil, fmt.Errorf("open population: %w", err)
	}
	r := &Registry{Now: time.Now, serial: randomSerial, db: db}
	if err := r.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open population: %w", err), db.Close())
	}
	return r, nil
}

// prepare migrates the database, prepares the statements and reads the shared catalogue.
func (r *Registry) prepare(ctx context.Context) error {
	if err := r.db.Migrate(ctx, migrations); err != nil {
		return err
	}
	if err := r.ask.prepare(ctx, r.db); err != nil {
		return err
	}
	return r.readCatalogue(ctx)
}

// Register puts the service on a gRPC server or a connector.
func (r *Registry) Register(s grpc.ServiceRegistrar) {
	populationv1.RegisterPopulationServiceServer(s, r)
}

// Close closes the database.
func (r *Registry) Close() error { return r.db.Close() }

// randomSerial draws the last six digits of a number: they tell nothing and cannot be guessed from another's.
func randomSerial() (int, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return 0, fmt.Errorf("draw number: %w", err)
	}
	return int(n.Int64()), nil
}
