package state_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/services/store"
)

var steward = state.Actor{ID: peer.ID{Agency: "G01", System: "steward"}, Serial: "abc", Officer: "an.nv"}

func open(t testing.TB, path string) *state.DB {
	db, err := state.Open(t.Context(), state.Config{Config: store.Config{Path: path}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func fresh(t testing.TB) *state.DB { return open(t, filepath.Join(t.TempDir(), "hub.db")) }

// change records one change of an object.
func change(t testing.TB, db *state.DB, object string) state.Made {
	made, err := db.Change(t.Context(), steward, func(tx *state.Tx) error {
		tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_AGREEMENT, Object: object, Text: "suspended"})
		return nil
	})
	require.NoError(t, err)
	return made
}

func TestAChangeCountsARevisionAndSaysWho(t *testing.T) {
	db := fresh(t)
	require.Equal(t, state.Made{Revision: 1, Numbers: []int64{1}}, change(t, db, "a"))
	require.Equal(t, state.Made{Revision: 2, Numbers: []int64{2}}, change(t, db, "b"))
	history, err := db.History(t.Context(), hubv1.Change_KIND_AGREEMENT, "b", 10)
	require.NoError(t, err)
	require.Len(t, history, 1)
	require.Equal(t, []string{"G01", "steward", "abc", "an.nv"},
		[]string{history[0].GetAgency(), history[0].GetSystem(), history[0].GetCertificate(), history[0].GetOfficer()})
	require.EqualValues(t, 2, history[0].GetRevision())
	require.Empty(t, history[0].Position)
}

func TestAChangeThatFailsOrChangesNothingLeavesNothing(t *testing.T) {
	db := fresh(t)
	broken := errors.New("broken")
	_, err := db.Change(t.Context(), steward, func(tx *state.Tx) error {
		tx.Record(&hubv1.Change{Object: "a"})
		return broken
	})
	require.ErrorIs(t, err, broken)
	made, err := db.Change(t.Context(), steward, func(*state.Tx) error { return nil })
	require.NoError(t, err)
	require.Zero(t, made)
	revision, err := db.Revision(t.Context())
	require.NoError(t, err)
	require.Zero(t, revision)
}

func TestManyChangeAtOnceAndNoNumberIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	sides := []*state.DB{open(t, path), open(t, path)}
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() { change(t, sides[i%2], fmt.Sprint(i)) })
	}
	wait.Wait()
	revision, err := sides[0].Revision(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 40, revision)
	var count, last int64
	require.NoError(t, sides[1].Read.QueryRow(`SELECT COUNT(*), MAX(number) FROM change`).Scan(&count, &last))
	require.EqualValues(t, 40, count)
	require.EqualValues(t, 40, last)
}

// shelf is a ledger of changes.
type shelf struct {
	mu   sync.Mutex
	kept []int64
	fail error
}

func (s *shelf) record(_ context.Context, c *hubv1.Change) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return "", s.fail
	}
	s.kept = append(s.kept, c.GetNumber())
	return fmt.Sprintf("G06/gateway:%d", len(s.kept)-1), nil
}

func TestEachChangeIsRecordedOnceByWhoeverComes(t *testing.T) {
	db := fresh(t)
	for i := range 250 {
		change(t, db, fmt.Sprint(i))
	}
	var s shelf
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			_, err := db.Deliver(context.Background(), fmt.Sprint("gateway", i), s.record)
			require.NoError(t, err)
		})
	}
	wait.Wait()
	require.Len(t, s.kept, 250)
	seen := map[int64]bool{}
	for _, n := range s.kept {
		require.False(t, seen[n])
		seen[n] = true
	}
	position, err := db.Position(t.Context(), 250)
	require.NoError(t, err)
	require.NotEmpty(t, position)
	again, err := db.Deliver(t.Context(), "gateway0", s.record)
	require.NoError(t, err)
	require.Zero(t, again)
}

func TestAChangeThatCouldNotBeRecordedWaitsForTheNextTime(t *testing.T) {
	db := fresh(t)
	change(t, db, "a")
	change(t, db, "b")
	s := shelf{fail: errors.New("disk full")}
	_, err := db.Deliver(t.Context(), "one", s.record)
	require.ErrorIs(t, err, s.fail)
	s.fail = nil
	n, err := db.Deliver(t.Context(), "other", s.record)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, []int64{1, 2}, s.kept)
}

func TestAGatewayThatDiedWithChangesInItsHandsIsReplaced(t *testing.T) {
	now := time.Now()
	path := filepath.Join(t.TempDir(), "hub.db")
	db, err := state.Open(t.Context(), state.Config{Config: store.Config{Path: path}, Now: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	change(t, db, "a")
	died := func(context.Context, *hubv1.Change) (string, error) { panic("killed") }
	require.Panics(t, func() { _, _ = db.Deliver(context.Background(), "one", died) })
	var s shelf
	n, err := db.Deliver(t.Context(), "other", s.record)
	require.NoError(t, err)
	require.Zero(t, n, "it may be at work yet")
	now = now.Add(time.Minute)
	n, err = db.Deliver(t.Context(), "other", s.record)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestASecretIsTheSameForAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	one, err := open(t, path).Secret(t.Context(), "tally")
	require.NoError(t, err)
	require.Len(t, one, 32)
	other, err := open(t, path).Secret(t.Context(), "tally")
	require.NoError(t, err)
	require.Equal(t, one, other)
	third, err := open(t, path).Secret(t.Context(), "seal")
	require.NoError(t, err)
	require.NotEqual(t, one, third)
}

func TestAReaderSeesOneRevision(t *testing.T) {
	db := fresh(t)
	tx, err := db.Read.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	before, err := state.RevisionOf(t.Context(), tx)
	require.NoError(t, err)
	change(t, db, "a")
	after, err := state.RevisionOf(t.Context(), tx)
	require.NoError(t, err)
	require.Equal(t, before, after)
}
