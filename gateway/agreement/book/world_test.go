package book_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/store"
)

// States, in short.
const (
	none       = hubv1.AgreementState_AGREEMENT_STATE_UNSPECIFIED
	draft      = hubv1.AgreementState_AGREEMENT_STATE_DRAFT
	proposed   = hubv1.AgreementState_AGREEMENT_STATE_PROPOSED
	active     = hubv1.AgreementState_AGREEMENT_STATE_ACTIVE
	suspended  = hubv1.AgreementState_AGREEMENT_STATE_SUSPENDED
	terminated = hubv1.AgreementState_AGREEMENT_STATE_TERMINATED
	refused    = hubv1.AgreementState_AGREEMENT_STATE_REFUSED
	superseded = hubv1.AgreementState_AGREEMENT_STATE_SUPERSEDED
	expired    = hubv1.AgreementState_AGREEMENT_STATE_EXPIRED
)

// person is somebody who acts.
type person struct {
	name    string // AGENCY/SYSTEM
	officer string
	roles   member.Roles
}

// Those who act in the tests.
var (
	desk     = person{"H27/one-stop", "hoa", member.Consumer}
	steward  = person{"G01/steward", "an", member.Steward}
	operator = person{"G06/operator", "binh", member.Operator}
)

// summer is when the tests begin.
var summer = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// world is a state with a catalog, and a clock that a test moves.
type world struct {
	t     testing.TB
	db    *state.DB
	path  string
	now   time.Time
	rules book.Rules
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, now: summer, rules: book.Rules{Catalog: catalogtest.Load(t)}, path: filepath.Join(t.TempDir(), "hub.db")}
	w.db = w.open()
	return w
}

// open opens the world's state as one more process would.
func (w *world) open() *state.DB {
	db, err := state.Open(context.Background(), state.Config{Config: store.Config{Path: w.path}, Now: func() time.Time { return w.now }})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, db.Close()) })
	return db
}

func (p person) actor(t require.TestingT) state.Actor {
	id, err := peer.ParseID(p.name)
	require.NoError(t, err)
	return state.Actor{ID: id, Serial: "abc", Officer: p.officer}
}

// do makes one change as somebody.
func (w *world) do(p person, f func(context.Context, *state.Tx, book.Who) error) (state.Made, error) {
	return w.db.Change(context.Background(), p.actor(w.t), func(tx *state.Tx) error { return f(context.Background(), tx, book.Who{Roles: p.roles}) })
}

// document is an agreement of Hà Tĩnh's one-stop desk with G01, unlike every other of another id.
func document(id string, change ...func(*hubv1.Agreement)) *hubv1.Agreement {
	doc := &hubv1.Agreement{
		Id: id, Title: "Tra cứu dân cư", Consumer: &hubv1.Agreement_Consumer{Agency: "H27", Systems: []string{"one-stop"}},
		Provider: "G01", Service: catalogtest.Service, ValidFrom: "2026-01-01", ValidTo: "2026-12-31",
		Purposes: []*hubv1.Agreement_Purpose{{Code: "P-" + id, Title: "Đăng ký khai sinh", LegalBasis: "Luật Hộ tịch 60/2014/QH13"}},
		Methods:  []*hubv1.Agreement_Method{{Name: "GetPerson", Fields: []string{"person.birth_date", "person.name"}}},
	}
	for _, f := range change {
		f(doc)
	}
	return doc
}

// titled gives a document another title, and lasting other days.
func titled(title string) func(*hubv1.Agreement) {
	return func(d *hubv1.Agreement) { d.Title = title }
}

func lasting(from, to string) func(*hubv1.Agreement) {
	return func(d *hubv1.Agreement) { d.ValidFrom, d.ValidTo = from, to }
}

func (w *world) propose(p person, draft bool, docs ...*hubv1.Agreement) ([]*hubv1.ProposedAgreement, error) {
	var got []*hubv1.ProposedAgreement
	_, err := w.do(p, func(ctx context.Context, tx *state.Tx, who book.Who) (err error) {
		got, err = book.Propose(ctx, tx, w.rules, who, book.Proposal{Documents: docs, Draft: draft})
		return err
	})
	return got, err
}

// acts are the operations on one agreement by their names.
var acts = map[string]func(context.Context, *state.Tx, book.Rules, book.Who, book.Motion) (*hubv1.AgreementVersion, error){
	"submit": book.Submit, "approve": book.Approve,
	"refuse": func(ctx context.Context, tx *state.Tx, _ book.Rules, who book.Who, m book.Motion) (*hubv1.AgreementVersion, error) {
		m.Ground = hubv1.RefusalGround_REFUSAL_GROUND_FIELDS_EXCESSIVE
		return book.Refuse(ctx, tx, who, m)
	},
	"suspend": free(book.Suspend), "resume": free(book.Resume), "terminate": free(book.Terminate),
}

func free(f func(context.Context, *state.Tx, book.Who, book.Motion) (*hubv1.AgreementVersion, error)) func(context.Context, *state.Tx, book.Rules, book.Who, book.Motion) (*hubv1.AgreementVersion, error) {
	return func(ctx context.Context, tx *state.Tx, _ book.Rules, who book.Who, m book.Motion) (*hubv1.AgreementVersion, error) {
		return f(ctx, tx, who, m)
	}
}

// act does one of acts as somebody.
func (w *world) act(p person, act string, m book.Motion) (*hubv1.AgreementVersion, error) {
	var got *hubv1.AgreementVersion
	_, err := w.do(p, func(ctx context.Context, tx *state.Tx, who book.Who) (err error) {
		got, err = acts[act](ctx, tx, w.rules, who, m)
		return err
	})
	return got, err
}

// must does acts that succeed, each as who may: "approve" is both approvals.
func (w *world) must(id string, names ...string) {
	for _, name := range names {
		switch name {
		case "draft", "propose":
			_, err := w.propose(desk, name == "draft", document(id))
			require.NoError(w.t, err)
		case "approve":
			w.mustAs(steward, "approve", id)
			w.mustAs(operator, "approve", id)
		case "submit":
			w.mustAs(desk, name, id)
		default:
			w.mustAs(steward, name, id)
		}
	}
}

func (w *world) mustAs(p person, act, id string) *hubv1.AgreementVersion {
	v, err := w.act(p, act, book.Motion{ID: id})
	require.NoError(w.t, err, act)
	return v
}

// versions are those of an agreement as an operator sees them, the newest first.
func (w *world) versions(id string) []*hubv1.AgreementVersion {
	all, err := book.Find(context.Background(), w.db.Read, book.Who{Roles: member.Operator}, "G06", w.now, id)
	require.NoError(w.t, err)
	return all
}

// states are those of an agreement's versions, from the first.
func (w *world) states(id string) []hubv1.AgreementState {
	all := w.versions(id)
	states := make([]hubv1.AgreementState, len(all))
	for i, v := range all {
		states[len(all)-1-i] = v.GetState()
	}
	return states
}

// history is what was done, the newest first.
func (w *world) history(id string) []state.Recorded {
	all, err := w.db.History(context.Background(), hubv1.Change_KIND_AGREEMENT, id, 1000)
	require.NoError(w.t, err)
	return all
}

// isRefused wants an error of a reason; none means no error.
func isRefused(t require.TestingT, err error, want reason.Reason, message ...any) {
	if want == "" {
		require.NoError(t, err, message...)
		return
	}
	require.Error(t, err, message...)
	require.Equal(t, want, reason.Of(err).Reason, message...)
}
