package witness_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/ledger/witness"
)

func TestADamagedMemoryIsRefused(t *testing.T) {
	l, dir := newTree(t, origin).grow("a", 500), t.TempDir()
	w, err := witness.Open(config(dir, l))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, post(w, l.ask(t, 0, 300)).Code)
	require.NoError(t, w.Close())
	path := only(t, filepath.Join(dir, "state"))
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	rapid.Check(t, func(r *rapid.T) {
		bad := bytes.Clone(good)
		bad[rapid.IntRange(0, len(bad)-1).Draw(r, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		require.NoError(r, os.WriteFile(path, bad, 0o600))
		_, err := witness.Open(config(dir, l))
		require.ErrorIs(r, err, witness.ErrState)
		require.ErrorContains(r, err, path)
	})
	require.NoError(t, os.Remove(path))
	_, err = witness.Open(config(dir, l))
	require.ErrorIs(t, err, witness.ErrState, "it does not forget")
	require.NoError(t, os.WriteFile(path, good, 0o600))
	start(t, config(dir, l))
}

func TestAWitnessThatHasOnlyItsKeyLeftDoesNotBeginAnew(t *testing.T) {
	l, dir := newTree(t, origin).grow("a", 9), t.TempDir()
	w, err := witness.Open(config(dir, l))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, post(w, l.ask(t, 0, 5)).Code)
	require.NoError(t, w.Close())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "state")))
	require.NoError(t, os.Remove(filepath.Join(dir, "origins")))
	_, err = witness.Open(config(dir, l))
	require.ErrorIs(t, err, witness.ErrState)
}

func TestAWitnessWhoseFirstStartWasCutShortBegins(t *testing.T) {
	l, dir := newTree(t, origin).grow("a", 9), t.TempDir()
	w, err := witness.Open(config(dir, l))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for _, last := range []string{"witness.pub", "origins", "state"} { // in the order in which they were made, backwards
		require.NoError(t, os.RemoveAll(filepath.Join(dir, last)))
		again := t.TempDir()
		require.NoError(t, os.CopyFS(again, os.DirFS(dir)))
		require.NoError(t, os.Chmod(filepath.Join(again, "witness.key"), 0o600))
		require.Equal(t, http.StatusOK, post(start(t, config(again, l)), l.ask(t, 0, 5)).Code)
	}
}

func TestALogThatIsNewToAnOldWitnessBegins(t *testing.T) {
	one, two, dir := newTree(t, origin).grow("a", 9), newTree(t, "else.example/log").grow("a", 9), t.TempDir()
	w, err := witness.Open(config(dir, one))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, post(w, one.ask(t, 0, 5)).Code)
	require.NoError(t, w.Close())
	w = start(t, config(dir, one, two))
	require.Equal(t, http.StatusOK, post(w, two.ask(t, 0, 5)).Code)
	require.Equal(t, http.StatusOK, post(w, one.ask(t, 5, 9)).Code)
}
