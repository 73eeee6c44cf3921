package book_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func TestAListHasTheVersionThatDecidesOrElseTheNewest(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	w.next("a", lasting("2026-09-01", "2027-06-30"))
	w.must("b", "propose", "approve")
	_, err := w.propose(desk, false, document("b", titled("more")))
	require.NoError(t, err)
	w.must("c", "propose", "refuse")
	_, err = w.propose(desk, false, document("c", titled("less")))
	require.NoError(t, err)
	w.must("d", "draft")
	list := func(p person, f book.Filter) (names []string) {
		if f.Limit == 0 {
			f.Limit = 100
		}
		f.Size = 1 << 20
		found, more, err := book.List(t.Context(), w.db.Read, book.Who{Roles: p.roles}, p.actor(t).ID.Agency, w.now, f)
		require.NoError(t, err)
		for _, v := range found {
			names = append(names, fmt.Sprint(v.GetAgreement().GetId(), v.GetAgreement().GetVersion()))
		}
		if more {
			names = append(names, "more")
		}
		return names
	}
	require.Equal(t, []string{"a1", "b1", "c2", "d1"}, list(desk, book.Filter{}))
	require.Equal(t, []string{"a1", "b1", "c2"}, list(steward, book.Filter{Provider: "G01"}))
	require.Equal(t, []string{"c2"}, list(operator, book.Filter{States: []hubv1.AgreementState{proposed}}))
	require.Equal(t, []string{"b1", "c2", "more"}, list(operator, book.Filter{After: "a", Limit: 2}))
	require.Empty(t, list(operator, book.Filter{Service: "other"}))
	require.Empty(t, list(person{"G24/claims", "", desk.roles}, book.Filter{}))
	w.now = w.now.Add(90 * 24 * time.Hour)
	require.Equal(t, []string{"a2", "b1", "c2", "d1"}, list(operator, book.Filter{Consumer: "H27"}))
}
