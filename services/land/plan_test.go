package land

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoQuestionReadsAWholeTable(t *testing.T) {
	r, err := Open(t.Context(), filepath.Join(t.TempDir(), "land.db"), Rest)
	require.NoError(t, err)
	defer r.Close()

	for _, s := range r.stmts.list() {
		t.Run(s.name, func(t *testing.T) {
			args := make([]any, 0, 7)
			for n := 1; strings.Contains(s.text, "$"+string(rune('0'+n))); n++ {
				args = append(args, 1)
			}
			// On the connection that made the indices: EXPLAIN does not look whether a schema is still the latest.
			rows, err := r.db.Write.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.text, args...)
			require.NoError(t, err)
			defer rows.Close()
			steps := 0
			for ; rows.Next(); steps++ {
				var id, parent, unused int
				var step string
				require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
				require.NotRegexp(t, `^SCAN`, step)
			}
			require.NoError(t, rows.Err())
			require.Positive(t, steps)
		})
	}
}
