package book

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// seeded is what the ledger says of agreements that nobody approved.
const seeded = "seeded: illustrative, nobody signed or approved it"

// Seed puts documents in as active, for a fresh sandbox. An agreement that there is already, in whatever version, is left
// alone. The documents are not checked: what does not fit the catalog decides nothing (agreement.Set.Broken).
func Seed(ctx context.Context, tx *state.Tx, docs []*hubv1.Agreement) error {
	for _, doc := range docs {
		before, err := load(ctx, tx, doc.GetId())
		if err != nil {
			return err
		}
		if len(before) > 0 {
			continue
		}
		doc = proto.CloneOf(doc)
		doc.Version = max(doc.GetVersion(), 1)
		r, err := fresh(tx, doc, active)
		if err != nil {
			return fmt.Errorf("seed agreement %s: %w", doc.GetId(), err)
		}
		r.beProposed(tx)
		r.state = active
		if err := r.insert(ctx, tx); err != nil {
			return err
		}
		act, why := actOf(seeded)
		tx.Record(r.recorded(act, why))
	}
	return nil
}
