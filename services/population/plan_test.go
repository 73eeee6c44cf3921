package population

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoStatementScansATable(t *testing.T) {
	requireNoScan(t, fixture(t))
}

// requireNoScan checks that every statement goes by an index.
func requireNoScan(t *testing.T, r *Registry) {
	t.Helper()
	for _, st := range append(r.ask.reads(), r.ask.writes()...) {
		rows, err := r.db.Write.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+st.text, make([]any, strings.Count(st.text, "$"))...)
		require.NoError(t, err, st.name)
		for rows.Next() {
			var id, parent, unused int
			var detail string
			require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
			require.NotContains(t, detail, "SCAN", st.name)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
}
