package hubtest

import (
	"context"
	"fmt"
	"io/fs"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/policy"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// State is the hub's own state. Changes made through it directly are in force within two seconds; see Change.
func (h *Hub) State() *state.DB { return h.creds.State }

// Policy is what decides at this moment.
func (h *Hub) Policy() *policy.Policy { return h.gateway.Policy() }

// Change changes the hub's state, as whoever has its machine, and returns when the change is in force and recorded.
func (h *Hub) Change(t testing.TB, do func(ctx context.Context, tx *state.Tx) error) {
	t.Helper()
	if err := h.change(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}

func (h *Hub) change(ctx context.Context, do func(context.Context, *state.Tx) error) error {
	made, err := h.creds.State.Change(ctx, state.Actor{ID: parts.GatewayID}, func(tx *state.Tx) error { return do(ctx, tx) })
	if err != nil {
		return err
	}
	return h.gateway.Changed(ctx, made)
}

// Agree puts agreements in force, each as the next version of its id: one of the hub's operators proposes them, the
// provider's steward and another operator approve. It is one change, which the ledger has as the last one's. When it
// returns they decide.
func (h *Hub) Agree(t testing.TB, yaml ...string) {
	t.Helper()
	if err := h.agree(t.Context(), yaml); err != nil {
		t.Fatal(err)
	}
}

func (h *Hub) agree(ctx context.Context, yaml []string) error {
	var docs []*hubv1.Agreement
	for i, text := range yaml {
		d, err := agreement.Parse(fmt.Sprintf("agreement %d", i), []byte(text))
		if err != nil {
			return err
		}
		docs = append(docs, d.Doc)
	}
	rules := book.Rules{Catalog: h.Policy().Catalog}
	operator := book.Who{Roles: member.Operator}
	return h.change(ctx, func(ctx context.Context, tx *state.Tx) error {
		as := func(agency, system string) {
			tx.By = state.Actor{ID: peer.ID{Agency: agency, System: system}, Officer: system}
		}
		as("G06", "operator-a")
		if _, err := book.Propose(ctx, tx, rules, operator, book.Proposal{Documents: docs}); err != nil {
			return err
		}
		for _, doc := range docs {
			as(doc.GetProvider(), "steward")
			if _, err := book.Approve(ctx, tx, rules, book.Who{Roles: member.Steward}, book.Motion{ID: doc.GetId()}); err != nil {
				return err
			}
			as("G06", "operator-b")
			if _, err := book.Approve(ctx, tx, rules, operator, book.Motion{ID: doc.GetId()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Enlist changes what the hub's operators say about a system, such as "H27/one-stop".
func (h *Hub) Enlist(t testing.TB, id string, change func(*member.System)) {
	t.Helper()
	parsed := h.id(t, id)
	s, ok := h.Policy().Members.Lookup(parsed)
	if !ok {
		t.Fatalf("no system %s", id)
	}
	change(&s)
	h.Change(t, func(ctx context.Context, tx *state.Tx) error { return member.SetSystem(ctx, tx, s) })
}

// publishOwn publishes the contracts of registries that are the test's own, by their offers below catalog/ in files, and
// puts the agreements below agreements/ in force.
func (h *Hub) publishOwn(ctx context.Context, files fs.FS) error {
	_, err := h.creds.State.Change(ctx, state.Actor{ID: parts.GatewayID}, func(tx *state.Tx) error {
		offers, err := fs.Glob(files, "catalog/*.yaml")
		if err != nil {
			return err
		}
		for _, name := range offers {
			if err := publishOffer(ctx, tx, files, name); err != nil {
				return err
			}
		}
		docs, err := readAgreements(files)
		if err != nil || len(docs) == 0 {
			return err
		}
		return book.Seed(ctx, tx, docs)
	})
	return err
}

func publishOffer(ctx context.Context, tx *state.Tx, files fs.FS, name string) error {
	offer, err := catalog.ReadOffer(files, name)
	if err != nil {
		return err
	}
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(offer.Name()))
	if err != nil {
		return fmt.Errorf("%s: its generated code is not linked: %w", offer.Name(), err)
	}
	none := func(string) ([]catalog.Use, error) { return nil, nil }
	return catalog.Publish(ctx, tx, nil, offer.Publication(catalog.FileSet(found.ParentFile())), none)
}

func readAgreements(files fs.FS) (docs []*hubv1.Agreement, err error) {
	names, err := fs.Glob(files, "agreements/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		d, err := agreement.Parse(name, text)
		if err != nil {
			return nil, err
		}
		docs = append(docs, d.Doc)
	}
	return docs, nil
}
