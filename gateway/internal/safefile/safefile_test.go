package safefile_test

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

func TestAFileIsReplacedWholeWithTheRightsAskedFor(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a", "b", "file")
	for _, text := range []string{"one", "two, longer", ""} {
		require.NoError(t, safefile.Write(path, []byte(text), 0o600))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(data))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing half written is left")
}

func TestAFileThatCannotBeWrittenLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "file", "x"), 0o700)) // a directory stands where the file should
	require.Error(t, safefile.Write(filepath.Join(dir, "file"), []byte("x"), 0o600))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

func TestAnUpdateThatChangesNothingTouchesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, safefile.Update(path, []byte("x"), 0o600))
	before, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, safefile.Update(path, []byte("x"), 0o600))
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after))
	require.NoError(t, safefile.Update(path, []byte("y"), 0o600))
	after, err = os.Stat(path)
	require.NoError(t, err)
	require.False(t, os.SameFile(before, after))
}

func TestALockIsHeldByOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var wg sync.WaitGroup
	var held atomic.Int32
	for range 20 {
		wg.Go(func() {
			unlock, err := safefile.Lock(path)
			if err != nil {
				t.Error(err)
				return
			}
			if n := held.Add(1); n != 1 {
				t.Errorf("%d hold it", n)
			}
			runtime.Gosched()
			held.Add(-1)
			unlock()
		})
	}
	wg.Wait()
}
