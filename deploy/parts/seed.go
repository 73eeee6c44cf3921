package parts

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lienthong/lienthong/deploy/lienthong/sandbox"
	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/state"
)

// seed publishes the contracts of this binary's registries, and puts the sandbox's agreements in force in a state that
// never had any. Later the state is its operators': what they end stays ended.
func seed(ctx context.Context, db *state.DB) error {
	_, err := db.Change(ctx, state.Actor{ID: GatewayID}, func(tx *state.Tx) error {
		fresh, err := publish(ctx, tx)
		if err != nil || !fresh {
			return err
		}
		docs, err := sandbox.Agreements()
		if err != nil {
			return err
		}
		return book.Seed(ctx, tx, docs)
	})
	return err
}

// publish publishes the contracts as the sandbox offers them. fresh says that there were none.
func publish(ctx context.Context, tx *state.Tx) (fresh bool, err error) {
	before, err := catalog.Read(ctx, tx.Tx, nil)
	if err != nil {
		return false, err
	}
	fresh = len(before.Services()) == 0
	published := map[string]bool{}
	for _, r := range Registries() {
		if published[r.Service] {
			continue
		}
		published[r.Service] = true
		if _, known := before.Service(r.Service); !fresh && !known {
			continue // its operators withdrew it
		}
		desc, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(r.Service))
		if err != nil {
			return false, fmt.Errorf("%s: %w", r.Service, err)
		}
		offer, err := sandbox.Offer(r.Service)
		if err != nil {
			return false, err
		}
		if err := catalog.Publish(ctx, tx, before, offer.Publication(catalog.FileSet(desc.ParentFile())), usesOf(ctx, tx, before)); err != nil {
			return false, fmt.Errorf("publish %s: %w", r.Service, err)
		}
	}
	return fresh, nil
}
