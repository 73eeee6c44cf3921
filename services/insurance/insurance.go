// Package insurance is the national insurance database as a registry: who has a health-insurance card, what it
// covers, and what was paid into social insurance.
//
// What does not belong here: whether a birth, a death or an identity is true. Other registries know that; this one
// answers from its own records, errors included.
//
// Invariants:
//   - Nothing of a record is returned unless number, full name and birth date agree with it.
//   - A person has at most one card that counts. IssueCard refuses a second.
//   - IssueCard answers after its change is on disk, and changes once for each request id.
package insurance

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"

	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Registry answers for insurance from its own database. It is safe for concurrent use.
type Registry struct {
	insurancev1.UnimplementedInsuranceServiceServer

	// Clock tells the time. Default time.Now; set it before Register.
	Clock func() time.Time

	db *store.DB
	st statements
}

// Open opens the registry's database at a path, and makes it if there is none. The caller closes the registry.
func Open(ctx context.Context, path string) (*Registry, error) {
	db, err := store.Open(ctx, store.Config{Path: path})
	if err != nil {
		return nil, fmt.Errorf("insurance: %w", err)
	}
	r := &Registry{Clock: time.Now, db: db}
	if err := r.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("insurance: %w", err), db.Close())
	}
	return r, nil
}

func (r *Registry) prepare(ctx context.Context) error {
	if err := r.db.Migrate(ctx, migrations); err != nil {
		return err
	}
	return r.st.prepare(ctx, r.db)
}

// Register offers InsuranceService on a server.
func (r *Registry) Register(s grpc.ServiceRegistrar) {
	insurancev1.RegisterInsuranceServiceServer(s, r)
}

// Close closes the database.
func (r *Registry) Close() error { return r.db.Close() }
