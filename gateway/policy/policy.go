// Package policy is all that decides exchanges: members, catalog and agreements, read from the hub's state as one, and
// read anew when the bell rings.
//
// Invariants:
//   - A Policy never changes, and its parts are of one revision: they were read in one transaction.
//   - What cannot be read whole is not used: the policy before it stays, and Err says why.
//   - A policy of which nobody knows for ten seconds whether it still holds decides nothing more: Current fails with
//     POLICY_STALE.
//   - The bell makes a change known at once; without it a look each second does.
//
// What does not belong here: what the parts mean (member, catalog, agreement), and changing them.
package policy

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
)

// Policy is all that decides exchanges, at one revision of the hub's state. One exchange uses one of them from its
// first step to its last. The zero Policy knows nobody and refuses everything.
type Policy struct {
	Revision   int64
	Members    *member.Directory
	Catalog    *catalog.Catalog
	Agreements *agreement.Set
}

// Reader reads policies one after the other, and makes only what has changed since the one before. It is for one
// goroutine at a time.
type Reader struct {
	db     *state.DB
	book   book.Reader
	before Policy
}

// NewReader makes a reader of a state.
func NewReader(db *state.DB) *Reader { return &Reader{db: db} }

// Read returns the policy as it is now: the one before, if nothing has changed since.
func (r *Reader) Read(ctx context.Context) (Policy, error) {
	revision, err := r.db.Revision(ctx)
	if err != nil || r.before.Members != nil && revision == r.before.Revision {
		return r.before, err
	}
	var next Policy
	err = r.db.InReadTx(ctx, func(tx *sql.Tx) error {
		next, err = r.read(ctx, tx)
		return err
	})
	if err != nil {
		return r.before, fmt.Errorf("read policy: %w", err)
	}
	r.before = next
	return next, nil
}

func (r *Reader) read(ctx context.Context, tx *sql.Tx) (next Policy, err error) {
	if next.Revision, err = state.RevisionOf(ctx, tx); err != nil {
		return next, err
	}
	if next.Members, err = member.Read(ctx, tx, r.before.Members); err != nil {
		return next, err
	}
	if next.Catalog, err = catalog.Read(ctx, tx, r.before.Catalog); err != nil {
		return next, err
	}
	next.Agreements, err = r.book.Read(ctx, tx, next.Catalog)
	return next, err
}
