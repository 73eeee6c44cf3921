package ledger

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDiskMustHoldTheLedger(t *testing.T) {
	require.NoError(t, checkSpace(t.TempDir(), 0))
	require.ErrorContains(t, checkSpace(t.TempDir(), 1<<50), "choose fewer --records")
	require.Error(t, checkSpace(filepath.Join(t.TempDir(), "missing"), 0))
}

func TestDiskIsCountedBelowADirectory(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "below"), 0o700))
	before, err := onDisk(dir)
	require.NoError(t, err)
	file := filepath.Join(dir, "below", "file")
	require.NoError(t, os.WriteFile(file, make([]byte, 1<<20), 0o600))
	after, err := onDisk(dir)
	require.NoError(t, err)
	alone, err := onDisk(file)
	require.NoError(t, err)
	require.Equal(t, alone, after-before)
	missing, err := onDisk(filepath.Join(dir, "missing"))
	require.NoError(t, err)
	require.Zero(t, missing)
}
