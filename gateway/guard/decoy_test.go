package guard_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/guard"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// decoy adds or removes decoys and returns how many were.
func (w *world) decoy(change func(*state.Tx, []byte) (int64, error)) (n int64) {
	key, err := guard.DecoyKey(w.t.Context(), w.db)
	require.NoError(w.t, err)
	require.NoError(w.t, w.change(func(tx *state.Tx) (err error) { n, err = change(tx, key); return err }))
	return n
}

func (w *world) addDecoys(people ...*hubv1.DataSubject) int64 {
	return w.decoy(func(tx *state.Tx, key []byte) (int64, error) { return guard.AddDecoys(w.t.Context(), tx, key, people) })
}

func TestWhoeverAsksForADecoyRaisesAnAlarm(t *testing.T) {
	w := newWorld(t)
	require.EqualValues(t, 2, w.addDecoys(person(7), person(8)))
	require.EqualValues(t, 1, w.addDecoys(person(8), person(9)))
	count := func(people ...*hubv1.DataSubject) bool {
		return w.Count("H27", "CT-TT", "an.nv", uint32(len(people)), 0, people)
	}
	require.False(t, count(person(7)), "not read yet")
	w.step(w.Guard)
	require.True(t, count(person(1), person(7), person(9)), "revealed is as good as asked for")
	require.True(t, count(person(8)))
	require.False(t, count(person(1), person(2)))
	require.False(t, count(&hubv1.DataSubject{Kind: hubv1.Subject_SUBJECT_OLD_ID, Value: person(7).GetValue()}), "another kind of number")
	require.Empty(t, w.raised())
	w.step(w.Guard)
	require.Len(t, w.raised(), 2)
	require.Equal(t, guard.Alarm{Agency: "H27", Purpose: "CT-TT", Officer: "an.nv", Decoy: true, At: w.now()}, w.raised()[0])
	history, err := w.db.History(t.Context(), hubv1.Change_KIND_GUARD, "H27/CT-TT/an.nv", 10)
	require.NoError(t, err)
	require.Len(t, history, 1)
	require.Contains(t, history[0].GetText(), "2 exchanges")
	require.NotContains(t, history[0].String(), person(7).GetValue())

	require.EqualValues(t, 1, w.decoy(func(tx *state.Tx, key []byte) (int64, error) {
		return guard.RemoveDecoys(t.Context(), tx, key, []*hubv1.DataSubject{person(7), person(1)})
	}))
	w.step(w.Guard)
	require.False(t, count(person(7)))
	require.True(t, count(person(8)))
	left, err := guard.CountDecoys(t.Context(), w.db)
	require.NoError(t, err)
	require.EqualValues(t, 2, left)
}

func TestADecoyThatIsNotFoundIsOneTooAndNothingElseIsKept(t *testing.T) {
	w := newWorld(t)
	w.addDecoys(person(123456789012))
	w.step(w.Guard)
	require.True(t, w.Count("H27", "CT-TT", "", 0, 1, []*hubv1.DataSubject{person(123456789012)}))
	require.True(t, w.Count("H27", "CT-TT", "", 0, 0, []*hubv1.DataSubject{person(123456789012)}))
	w.step(w.Guard)
	for _, table := range []string{"change", "decoy", "guard_count", "guard_stop"} {
		rows, err := w.db.Read.Query(`SELECT * FROM ` + table)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			require.NoError(t, rows.Scan(into...))
			for _, v := range values {
				switch v := v.(type) {
				case []byte:
					require.NotContains(t, string(v), "123456789012", table)
				case string:
					require.NotContains(t, v, "123456789012", table)
				}
			}
		}
		require.NoError(t, rows.Close())
	}
}

func TestWhoAsksForDecoysAllTheTimeIsRememberedOnce(t *testing.T) {
	w := newWorld(t)
	w.addDecoys(person(7))
	w.step(w.Guard)
	for range 5_000 {
		w.Count("H27", "CT-TT", "an.nv", 1, 0, []*hubv1.DataSubject{person(7)})
	}
	w.step(w.Guard)
	require.LessOrEqual(t, len(w.raised()), 1024)
	history, err := w.db.History(t.Context(), hubv1.Change_KIND_GUARD, "H27/CT-TT/an.nv", 10)
	require.NoError(t, err)
	require.Len(t, history, 1)
	require.Contains(t, history[0].GetText(), "5000 exchanges")
}
