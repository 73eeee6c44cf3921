package population

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoStatementScansATable(t *testing.T) {
	r := fixture(t)
	for _, st := range append(r.ask.reads(), r.ask.writes()...) {
		args := make([]any, strings.Count(st.text, "$"))
		rows, err := r.db.Write.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+st.text, args...)
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
