package book_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func (w *world) reader() *book.Reader { return &book.Reader{Now: func() time.Time { return w.now }} }

// read reads as a gateway does.
func (w *world) read(r *book.Reader) *agreement.Set {
	tx, err := w.db.Read.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	require.NoError(w.t, err)
	defer func() { _ = tx.Rollback() }()
	set, err := r.Read(context.Background(), tx, w.rules.Catalog)
	require.NoError(w.t, err)
	return set
}

// known are the versions that a reader has, in short.
func known(r *book.Reader) (all []string) {
	for _, v := range r.Versions() {
		all = append(all, fmt.Sprint(v.Doc.GetId(), v.Doc.GetVersion(), " ", short(v.State)))
	}
	return all
}

func short(s hubv1.AgreementState) string { return s.String()[len("AGREEMENT_STATE_"):] }

func TestAReaderKnowsWhatMayMatterAndForgetsTheRest(t *testing.T) {
	w := newWorld(t)
	r := w.reader()
	empty := w.read(r)
	require.Same(t, empty, w.read(r), "nothing has changed")
	for _, step := range []struct {
		do   func()
		want []string
	}{
		{func() { w.must("a", "draft") }, nil},
		{func() { w.must("a", "submit") }, []string{"a1 PROPOSED"}},
		{func() { w.must("a", "approve") }, []string{"a1 ACTIVE"}},
		{func() { w.must("a", "suspend") }, []string{"a1 SUSPENDED"}},
		{func() { _, _ = w.propose(desk, false, document("a", titled("more"))) }, []string{"a1 SUSPENDED", "a2 PROPOSED"}},
		{func() { w.must("a", "refuse") }, []string{"a1 SUSPENDED"}},
		{func() { w.must("a", "resume") }, []string{"a1 ACTIVE"}},
		{func() { w.next("a", titled("better")) }, []string{"a3 ACTIVE"}},
		{func() { w.next("a", lasting("2026-09-01", "2027-06-30")) }, []string{"a3 ACTIVE", "a4 ACTIVE"}},
		{func() { w.must("a", "terminate") }, []string{"a4 TERMINATED"}},
		{func() { w.next("a", titled("anew")) }, []string{"a5 ACTIVE"}},
		{func() { w.must("b", "propose", "approve") }, []string{"a5 ACTIVE", "b1 ACTIVE"}},
	} {
		step.do()
		w.read(r)
		require.Equal(t, step.want, known(r))
		again := w.reader()
		w.read(again)
		require.Equal(t, known(again), known(r), "as one who reads it all")
	}
	w.now = w.now.Add(year)
	require.Equal(t, []string{"a5 EXPIRED", "b1 EXPIRED"}, known(r), "it is named where it has expired")
}

func TestAReaderReadsAgainOnlyWhatHasChanged(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	w.must("b", "propose", "approve")
	r := w.reader()
	set := w.read(r)
	docs := r.Versions()
	w.must("b", "suspend")
	require.NotSame(t, set, w.read(r))
	require.Same(t, docs[0].Doc, r.Versions()[0].Doc)
	set = w.read(r)
	_, err := w.stop(steward, book.Stop{Agency: "H27", Text: "x"})
	require.NoError(t, err)
	require.NotSame(t, set, w.read(r), "a suspended consumer is another set")
	set = w.read(r)
	_, err = w.do(operator, func(_ context.Context, tx *state.Tx, _ book.Who) error {
		tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_MEMBER, Object: "H27"})
		return nil
	})
	require.NoError(t, err)
	require.Same(t, set, w.read(r), "what others change is not this set's")
}

func TestWhatAgreementsUseOfAServiceIsKnown(t *testing.T) {
	w := newWorld(t)
	_, err := w.propose(desk, false, document("a"), document("over", lasting("2026-01-01", "2026-07-02")), document("refused"))
	require.NoError(t, err)
	w.must("refused", "refuse")
	w.now = w.now.AddDate(0, 0, 7)
	uses := func(service string) []catalog.Use {
		tx, err := w.db.Read.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		all, err := book.Uses(t.Context(), tx, w.rules.Catalog, service, w.now)
		require.NoError(t, err)
		return all
	}
	all := uses(catalogtest.Service)
	require.Len(t, all, 1)
	require.Equal(t, []string{"a", "GetPerson"}, []string{all[0].Agreement, all[0].Method})
	require.Contains(t, all[0].Fields, "person.birth_date")
	require.Empty(t, uses("other.v1.Service"))
}

func TestSeedsAreInForceAndMarked(t *testing.T) {
	w := newWorld(t)
	seed := func(docs ...*hubv1.Agreement) {
		_, err := w.do(operator, func(ctx context.Context, tx *state.Tx, _ book.Who) error {
			return book.Seed(ctx, tx, docs)
		})
		require.NoError(t, err)
	}
	seed(document("a"), document("b", versioned(3)))
	require.Equal(t, []hubv1.AgreementState{active}, w.states("a"))
	require.EqualValues(t, 3, w.versions("b")[0].GetAgreement().GetVersion())
	require.Contains(t, w.history("a")[0].GetText(), "illustrative")
	w.must("a", "terminate")
	seed(document("a"), document("c"))
	require.Equal(t, []hubv1.AgreementState{terminated}, w.states("a"), "what there is is left alone")
	require.Equal(t, []hubv1.AgreementState{active}, w.states("c"))
}
