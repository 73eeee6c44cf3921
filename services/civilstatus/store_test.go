package civilstatus

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/proto/contract"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/nation"
)

func empty(t *testing.T) *Registry {
	r, err := Open(t.Context(), filepath.Join(t.TempDir(), "civil.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func TestContractIsLabelled(t *testing.T) {
	var service protoreflect.ServiceDescriptor = civilstatusv1.File_registry_civilstatus_v1_service_proto.Services().Get(0)
	require.NoError(t, contract.Check(service))
}

func TestNoStatementScansATable(t *testing.T) {
	r := empty(t)
	for _, s := range append(r.read.statements(), r.write.statements()...) {
		args := make([]any, strings.Count(s.text, "$"))
		for i := range args {
			args[i] = "1"
		}
		rows, err := r.db.Write.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.text, args[:highest(s.text)]...)
		require.NoError(t, err, s.name)
		for rows.Next() {
			var id, parent, unused int
			var detail string
			require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
			require.NotContains(t, detail, "SCAN", s.name)
		}
		require.NoError(t, rows.Err())
	}
}

// highest is the highest placeholder of a statement.
func highest(text string) int {
	n := 0
	for i, c := range text[1:] {
		if text[i] == '$' {
			n = max(n, int(c-'0'))
		}
	}
	return n
}

func TestIndicesForbidASecondCurrentMarriage(t *testing.T) {
	r := empty(t)
	insert := func(id int, husband, wife string, state int) error {
		_, err := r.db.Write.ExecContext(t.Context(), `INSERT INTO marriage (id, entry, husband_id, wife_id, state) VALUES ($1, 'x', $2, $3, $4)`,
			id, husband, wife, state)
		return err
	}
	require.NoError(t, insert(1, "a", "b", 2), "ended")
	require.NoError(t, insert(2, "a", "c", 1))
	require.Error(t, insert(3, "a", "d", 1))
	require.Error(t, insert(4, "e", "c", 1))
	_, err := r.db.Write.ExecContext(t.Context(), `UPDATE marriage SET state = 1 WHERE id = 1`)
	require.Error(t, err)
}

func TestCommittedMeansSynced(t *testing.T) {
	r := empty(t)
	var synchronous int
	require.NoError(t, r.db.Write.QueryRowContext(t.Context(), `PRAGMA synchronous`).Scan(&synchronous))
	require.Equal(t, 2, synchronous, "FULL")
}

func TestFillThatWasCutOffIsDoneAgain(t *testing.T) {
	n, err := nation.Generate(t.Context(), nation.Config{Population: 200, Seed: 3})
	require.NoError(t, err)
	r := empty(t)
	cutOff, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Fill(cutOff, n), context.Canceled)
	filled, err := r.Filled(t.Context())
	require.NoError(t, err)
	require.False(t, filled)
	require.NoError(t, r.Fill(t.Context(), n))
	filled, err = r.Filled(t.Context())
	require.NoError(t, err)
	require.True(t, filled)
	var people int
	require.NoError(t, r.db.Read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM person`).Scan(&people))
	require.Equal(t, len(n.People), people)
}
