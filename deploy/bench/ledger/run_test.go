package ledger

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/proto/journal"
)

var little = effort{proofs: 20, sample: 300, repeats: 1, people: 2, segment: journal.MinSegmentSize}

func TestRunMeasuresEverythingAndLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	work := t.TempDir()
	r, err := run(t.Context(), Config{Work: work, Records: 3000, Time: 100 * time.Millisecond, Say: t.Logf}, little)
	require.NoError(t, err)
	for _, s := range r.Stages {
		require.Positive(t, s.PerSecond, s.Name)
	}
	require.Len(t, r.Stages, 9)
	kinds := map[lookupKind]bool{}
	for _, l := range r.Lookups {
		require.Positive(t, l.Max, l.Name)
		kinds[l.kind] = true
	}
	require.Len(t, kinds, 5)
	require.Len(t, r.Opens, 3)
	require.Len(t, r.Disk, 4)
	for _, d := range r.Disk {
		require.Positive(t, d.PerRecord, d.Part)
	}
	require.Len(t, r.Goals, 10, "all but the disk's, for which the ledger is too small")
	requireEmpty(t, work)
}

func TestStoppedRunLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, step := range []string{"making a ledger", "generated and appended", stageCheck} {
		work := t.TempDir()
		ctx, stop := context.WithCancel(t.Context())
		say := func(format string, args ...any) {
			if strings.HasPrefix(fmt.Sprintf(format, args...), step) {
				stop()
			}
		}
		_, err := run(ctx, Config{Work: work, Records: 3000, Time: 50 * time.Millisecond, Say: say}, little)
		require.ErrorIs(t, err, context.Canceled, step)
		requireEmpty(t, work)
	}
}

func requireEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
