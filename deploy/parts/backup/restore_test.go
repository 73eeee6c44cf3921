package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/deploy/parts/backup"
)

func TestARestoredHubBeginsANewLedger(t *testing.T) {
	dir := hubDir(t)
	someLedger(t, dir)
	last := uint64(1)
	for range 2 {
		data, _ := written(t, backup.Config{Dir: dir})
		to := filepath.Join(t.TempDir(), "restored")
		done, err := restored(t, data, backup.RestoreConfig{Dir: to})
		require.NoError(t, err)
		require.Greater(t, done.Epoch, last)
		require.NoDirExists(t, filepath.Join(to, "ledger"), "the hub makes a new one")
		require.NoFileExists(t, filepath.Join(to, "ledger.head"))
		require.FileExists(t, filepath.Join(done.Aside, "keys.json"))
		require.FileExists(t, filepath.Join(done.Aside, "journal", "00000000000000000200.seg"))
		head, err := os.ReadFile(filepath.Join(done.Aside, "head"))
		require.NoError(t, err)
		require.Equal(t, headOf(300), string(head))
		require.FileExists(t, filepath.Join(done.Aside, "head.checkpoint"))
		require.NoFileExists(t, filepath.Join(to, "ledger.head.checkpoint"))
		origin, err := parts.Dir(to).LedgerOrigin()
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("G06/gateway.%d", done.Epoch), origin)
		require.DirExists(t, filepath.Join(to, fmt.Sprintf("ledger.%d", last)))

		someLedger(t, to) // it ran, and is backed up again
		dir, last = to, done.Epoch
	}
	require.DirExists(t, filepath.Join(dir, "ledger.1"))
}

func TestABackupThatIsRestoredTwiceBeginsTwoLedgers(t *testing.T) {
	dir := hubDir(t)
	someLedger(t, dir)
	data, _ := written(t, backup.Config{Dir: dir})
	now := time.Date(2026, 11, 22, 15, 4, 5, 0, time.UTC)
	var origins []string
	for range 2 {
		to := filepath.Join(t.TempDir(), "restored")
		_, err := restored(t, data, backup.RestoreConfig{Dir: to, Now: func() time.Time { return now }})
		require.NoError(t, err)
		origin, err := parts.Dir(to).LedgerOrigin()
		require.NoError(t, err)
		origins = append(origins, origin)
		now = now.Add(time.Second)
	}
	require.Equal(t, []string{"G06/gateway.20261122150405", "G06/gateway.20261122150406"}, origins)
}

func TestALedgerIsOnlyContinuedWhenNothingCanBeMissing(t *testing.T) {
	dir := hubDir(t)
	someLedger(t, dir)
	lock := holdLock(t, filepath.Join(dir, "ledger", "journal", "lock"))
	data, m := written(t, backup.Config{Dir: dir})
	require.True(t, m.Running)
	to := filepath.Join(t.TempDir(), "restored")
	_, err := restored(t, data, backup.RestoreConfig{Dir: to, Complete: true})
	require.ErrorIs(t, err, backup.ErrIncomplete)
	nothing(t, to)

	head := filepath.Join(t.TempDir(), "ledger.head")
	for _, seen := range []string{headOf(299), headOf(301), "", "something"} {
		require.NoError(t, os.WriteFile(head, []byte(seen), 0o600))
		_, err = restored(t, data, backup.RestoreConfig{Dir: to, Complete: true, Head: head})
		require.ErrorIs(t, err, backup.ErrIncomplete, "the head that was kept elsewhere decides: %q", seen)
		nothing(t, to)
	}
	require.NoError(t, os.WriteFile(head, []byte(headOf(300)), 0o600))
	done, err := restored(t, data, backup.RestoreConfig{Dir: to, Complete: true, Head: head})
	require.NoError(t, err)
	require.Empty(t, done.Aside)

	require.NoError(t, lock.Close())
	data, m = written(t, backup.Config{Dir: dir})
	require.False(t, m.Running)
	_, err = restored(t, data, backup.RestoreConfig{Dir: filepath.Join(t.TempDir(), "stopped"), Complete: true})
	require.NoError(t, err)
}

func TestALedgerThatDoesNotHoldIsNotRestored(t *testing.T) {
	dir := hubDir(t)
	someLedger(t, dir)
	data, _ := written(t, backup.Config{Dir: dir})
	to := filepath.Join(t.TempDir(), "restored")
	broken := errors.New("record 17 is not what was written")
	_, err := restored(t, data, backup.RestoreConfig{Dir: to, Check: func(context.Context, string, string) (uint64, error) { return 0, broken }})
	require.ErrorIs(t, err, broken)
	nothing(t, to)
}

func TestADirectoryWithSomethingInItIsLeftAlone(t *testing.T) {
	data, _ := written(t, backup.Config{Dir: hubDir(t)})
	to := t.TempDir()
	put(t, to, map[string]string{"mine": "precious"})
	_, err := restored(t, data, backup.RestoreConfig{Dir: to})
	require.ErrorContains(t, err, "not empty")
	require.Equal(t, map[string]string{"mine": "precious"}, contents(t, to))

	empty := t.TempDir()
	_, err = restored(t, data, backup.RestoreConfig{Dir: empty})
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(empty, "ca.pem"))
}

func TestAChangedOrCutBackupIsRefusedWhole(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"ca.pem": noise(100), "ca/ca.key": noise(3_000), "agreements/a.yaml": strings.Repeat("field\n", 500)})
	data, _ := written(t, backup.Config{Dir: dir})
	rapid.Check(t, func(r *rapid.T) {
		changed := bytes.Clone(data)
		if rapid.Bool().Draw(r, "cut") {
			changed = changed[:rapid.IntRange(0, len(data)-1).Draw(r, "length")]
		} else {
			at := rapid.IntRange(0, len(data)-1).Draw(r, "at")
			changed[at] ^= byte(rapid.IntRange(1, 255).Draw(r, "flip"))
		}
		to := filepath.Join(t.TempDir(), "restored")
		_, err := backup.Restore(context.Background(), bytes.NewReader(changed), backup.RestoreConfig{Dir: to, Check: holds})
		if err == nil { // a bit that means nothing, such as an unused one of a frame's header
			require.Equal(r, contents(t, dir), contents(t, to))
			return
		}
		nothing(t, to)
	})
}

func TestACancelledRestoreLeavesNothing(t *testing.T) {
	data, _ := written(t, backup.Config{Dir: hubDir(t)})
	ctx, cancel := context.WithCancel(t.Context())
	to := filepath.Join(t.TempDir(), "restored")
	_, err := backup.Restore(ctx, bytes.NewReader(data), backup.RestoreConfig{Dir: to, Check: holds, Progress: func(int64) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
	nothing(t, to)
}

// made is a tar that somebody else made.
func made(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	require.NoError(t, err)
	w := tar.NewWriter(z)
	label := []byte(backup.Format + "\n")
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "lienthong-backup", Size: int64(len(label)), Mode: 0o600}))
	_, err = w.Write(label)
	require.NoError(t, err)
	for _, e := range entries {
		require.NoError(t, w.WriteHeader(&e))
		_, err = w.Write(make([]byte, e.Size))
		require.NoError(t, err)
	}
	require.NoError(t, errors.Join(w.Close(), z.Close()))
	return out.Bytes()
}

func TestABackupCannotWriteOutsideOfItsDirectory(t *testing.T) {
	for name, e := range map[string]tar.Header{
		"up":          {Name: "files/../../escaped", Size: 1},
		"absolute":    {Name: "/tmp/escaped", Size: 1},
		"no prefix":   {Name: "escaped", Size: 1},
		"link":        {Name: "files/link", Typeflag: tar.TypeSymlink, Linkname: "/etc"},
		"hard link":   {Name: "files/link", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
		"device":      {Name: "files/null", Typeflag: tar.TypeChar},
		"directory":   {Name: "files/dir", Typeflag: tar.TypeDir},
		"itself":      {Name: "files/a/..", Size: 1},
		"no manifest": {Name: "files/a", Size: 1},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			to := filepath.Join(top, "restored")
			_, err := restored(t, made(t, e), backup.RestoreConfig{Dir: to})
			require.Error(t, err)
			require.Empty(t, contents(t, top))
			nothing(t, to)
		})
	}
	_, err := restored(t, made(t, tar.Header{Name: "files/a", Size: 1}, tar.Header{Name: "files/a", Size: 1}),
		backup.RestoreConfig{Dir: filepath.Join(t.TempDir(), "twice")})
	require.ErrorIs(t, err, os.ErrExist)
	_, err = restored(t, []byte("something else"), backup.RestoreConfig{Dir: filepath.Join(t.TempDir(), "other")})
	require.ErrorContains(t, err, "no backup")
}

func FuzzRestore(f *testing.F) {
	f.Add(made(f, tar.Header{Name: "files/a", Size: 10}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		to := filepath.Join(t.TempDir(), "restored")
		if _, err := restored(t, data, backup.RestoreConfig{Dir: to}); err != nil {
			nothing(t, to)
		}
	})
}
