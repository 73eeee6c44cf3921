package backup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/deploy/parts/backup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hubDir makes the directory of a hub that has never run.
func hubDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "hub")
	creds, err := parts.Prepare(context.Background(), parts.Dir(dir))
	require.NoError(t, err)
	creds.Close()
	return dir
}

// put writes files below a directory.
func put(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
}

// someLedger makes what a ledger of 300 records looks like from outside. Its content means nothing.
func someLedger(t testing.TB, dir string) {
	t.Helper()
	put(t, dir, map[string]string{
		"ledger.head": headOf(300), "ledger.head.checkpoint": "point",
		"ledger/journal/00000000000000000000.seg":     noise(70_000),
		"ledger/journal/00000000000000000200.seg":     noise(5_000) + strings.Repeat("\x00", 60_000),
		"ledger/journal/blank-1":                      strings.Repeat("\x00", 60_000),
		"ledger/journal/lock":                         "1234\n",
		"ledger/log/checkpoint":                       "lienthong/G06/gateway\n300\nAAAA\n\n— sig\n",
		"ledger/log/.state/treeState":                 `{"size":301,"root":"AAAA"}`,
		"ledger/log/.state/treeState.lock":            "",
		"ledger/log/tile/0/000":                       noise(256 * 32),
		"ledger/log/tile/0/001.p/44":                  noise(44 * 32),
		"ledger/log/tile/0/001.p/45":                  noise(45 * 32),
		"ledger/log/tile/0/001.p/46":                  noise(46 * 32), // of a later tree
		"ledger/log/tile/1/000.p/1":                   noise(32),
		"ledger/log/tile/entries/000":                 noise(256 * 34),
		"ledger/log/tile/entries/001.p/44":            noise(44 * 34),
		"ledger/log/tile/entries/001.p/45":            noise(45 * 34),
		"ledger/log.key":                              "secret",
		"ledger/log.pub":                              "public",
		"ledger/keys.json":                            "{}",
		"ledger/index.db":                             "made again",
		"ledger/index.db.blocks/1":                    "made again",
		"ledger/archive/00000000000000000000.seg.zst": "the same as in the journal",
	})
}

// headOf is a head file that has seen n entries.
func headOf(n int) string {
	return fmt.Sprintf("lienthong journal head v1\nnext %d\ndigest 00\nchecksum 00\n", n)
}

func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return string(b)
}

// contents reads all files below a directory.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		found[filepath.ToSlash(name)] = string(data)
		return err
	}))
	return found
}

// written makes a backup.
func written(t testing.TB, cfg backup.Config) ([]byte, *backup.Manifest) {
	t.Helper()
	var out bytes.Buffer
	m, err := backup.Write(context.Background(), &out, cfg)
	require.NoError(t, err)
	return out.Bytes(), m
}

// holds is a Check that believes everything.
func holds(context.Context, string, string) (uint64, error) { return 300, nil }

// restored makes a directory of a backup.
func restored(t testing.TB, data []byte, cfg backup.RestoreConfig) (*backup.Restored, error) {
	t.Helper()
	if cfg.Check == nil {
		cfg.Check = holds
	}
	return backup.Restore(context.Background(), bytes.NewReader(data), cfg)
}

// nothing expects that neither a directory nor a part of it is left.
func nothing(t testing.TB, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(dir))
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	for _, e := range entries {
		require.NotContains(t, e.Name(), filepath.Base(dir), fmt.Sprint(entries))
	}
}

// holdLock holds a lock as a running hub does.
func holdLock(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
	return f
}
