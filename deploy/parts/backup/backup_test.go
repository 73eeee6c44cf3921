package backup_test

import (
	"bytes"
	"context"
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/deploy/parts/backup"
)

func TestARestoredDirectoryHasAllFilesOfTheHub(t *testing.T) {
	dir := hubDir(t)
	put(t, dir, map[string]string{"nation.json": "{}", "ready.json": "{}", "up.lock": "", "registries/land-42.db": "not the hub's"})
	data, m := written(t, backup.Config{Dir: dir, Version: "v1"})
	require.False(t, m.Running)
	require.Equal(t, "v1", m.Version)

	want := contents(t, dir)
	for _, gone := range []string{"ready.json", "up.lock", "ca/lock", "registries/land-42.db"} {
		delete(want, gone)
	}
	to := filepath.Join(t.TempDir(), "restored")
	_, err := restored(t, data, backup.RestoreConfig{Dir: to})
	require.NoError(t, err)
	got := contents(t, to)
	require.Contains(t, got, "ca/ca.key")
	require.Contains(t, got, "identities/G06/gateway/key.pem")
	for name := range want {
		if strings.HasSuffix(name, ".lock") || strings.HasSuffix(name, "/lock") {
			delete(want, name)
		}
	}
	for _, name := range []string{"hub.db", "hub.db-wal", "hub.db-shm"} { // copied as a database, not as bytes
		delete(want, name)
		delete(got, name)
	}
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
	for name := range want {
		require.True(t, want[name] == got[name], name)
	}
	again, err := parts.Prepare(t.Context(), parts.Dir(to))
	require.NoError(t, err, "a hub starts from it")
	t.Cleanup(again.Close)
	before, err := parts.Dir(dir).OpenState(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, before.Close()) })
	revision, err := before.Revision(t.Context())
	require.NoError(t, err)
	restoredTo, err := again.State.Revision(t.Context())
	require.NoError(t, err)
	require.Equal(t, revision, restoredTo, "the hub's state is there")
}

func TestNobodyElseReadsWhatWasRestored(t *testing.T) {
	dir := hubDir(t)
	data, _ := written(t, backup.Config{Dir: dir})
	to := filepath.Join(t.TempDir(), "restored")
	_, err := restored(t, data, backup.RestoreConfig{Dir: to})
	require.NoError(t, err)
	for _, name := range []string{"", "ca", "ca/ca.key", "identities/G06/gateway/key.pem"} {
		info, err := os.Stat(filepath.Join(to, name))
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, name)
	}
}

func TestALedgerIsCopiedAsOneState(t *testing.T) {
	dir := hubDir(t)
	someLedger(t, dir)
	data, m := written(t, backup.Config{Dir: dir})
	to := filepath.Join(t.TempDir(), "restored")
	done, err := restored(t, data, backup.RestoreConfig{Dir: to, Complete: true})
	require.NoError(t, err)
	require.Equal(t, uint64(300), done.Records)
	require.Equal(t, uint64(1), done.Epoch)

	had, got := contents(t, dir), contents(t, to)
	for name := range had {
		if strings.HasPrefix(name, "ledger") && got[name] != "" {
			require.Equal(t, had[name], got[name], name)
		}
	}
	for _, absent := range []string{
		"ledger/log/tile/0/001.p/46", "ledger/index.db", "ledger/index.db.blocks/1", "ledger/journal/blank-1", "ledger/journal/lock",
		"ledger/log/.state/treeState.lock", "ledger/archive/00000000000000000000.seg.zst",
	} {
		require.NotContains(t, got, absent)
	}
	for _, present := range []string{
		"ledger.head", "ledger/keys.json", "ledger/log.key", "ledger/log/checkpoint", "ledger/log/.state/treeState", "ledger/log/tile/0/001.p/44",
		"ledger/log/tile/0/001.p/45", "ledger/log/tile/1/000.p/1", "ledger/log/tile/entries/000", "ledger/log/tile/entries/001.p/45",
	} {
		require.Contains(t, got, present)
	}
	order := map[string]int{}
	for i, f := range m.Files {
		order[f.Path] = i
	}
	require.Less(t, order["ledger.head"], order["ledger/journal/00000000000000000200.seg"])
	require.Less(t, order["ledger/log/checkpoint"], order["ledger/journal/00000000000000000200.seg"])
	require.Less(t, order["ledger/journal/00000000000000000200.seg"], order["ledger/keys.json"])
}

func TestAPartialTileThatIsGoneIsTheBeginningOfTheFullOne(t *testing.T) {
	dir := hubDir(t)
	someLedger(t, dir)
	full := noise(256 * 32)
	put(t, dir, map[string]string{"ledger/log/tile/0/001": full})
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "ledger/log/tile/0/001.p")))
	data, _ := written(t, backup.Config{Dir: dir})
	to := filepath.Join(t.TempDir(), "restored")
	_, err := restored(t, data, backup.RestoreConfig{Dir: to, Complete: true})
	require.NoError(t, err)
	got := contents(t, to)
	require.Equal(t, full[:44*32], got["ledger/log/tile/0/001.p/44"])
	require.NotContains(t, got, "ledger/log/tile/0/001", "it is of a later tree")
}

func TestAMissingTileIsSaid(t *testing.T) {
	dir := hubDir(t)
	someLedger(t, dir)
	require.NoError(t, os.Remove(filepath.Join(dir, "ledger/log/tile/0/000")))
	_, err := backup.Write(t.Context(), new(bytes.Buffer), backup.Config{Dir: dir})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestALedgerElsewhereIsCopiedTooAndOnce(t *testing.T) {
	dir := hubDir(t)
	someLedger(t, dir)
	for _, where := range []string{filepath.Join(t.TempDir(), "other disk"), filepath.Join(dir, "inside")} {
		data, _ := written(t, backup.Config{Dir: dir})
		plain := filepath.Join(t.TempDir(), "plain")
		_, err := restored(t, data, backup.RestoreConfig{Dir: plain, Complete: true})
		require.NoError(t, err)

		require.NoError(t, os.Rename(filepath.Join(dir, "ledger"), where))
		require.NoError(t, os.Rename(filepath.Join(dir, "ledger.head"), where+".head"))
		require.NoError(t, os.Rename(filepath.Join(dir, "ledger.head.checkpoint"), where+".head.checkpoint"))
		data, _ = written(t, backup.Config{Dir: dir, Ledger: where, Head: where + ".head"})
		to := filepath.Join(t.TempDir(), "moved")
		_, err = restored(t, data, backup.RestoreConfig{Dir: to, Complete: true})
		require.NoError(t, err)
		got := contents(t, to)
		delete(got, "inside.head") // a stray file to the backup
		delete(got, "inside.head.checkpoint")
		require.Equal(t, contents(t, plain), got)
		require.NoError(t, os.Rename(where, filepath.Join(dir, "ledger")))
		require.NoError(t, os.Rename(where+".head", filepath.Join(dir, "ledger.head")))
		require.NoError(t, os.Rename(where+".head.checkpoint", filepath.Join(dir, "ledger.head.checkpoint")))
	}
}

func TestALedgerThatIsNotWhereItShouldBeIsSaid(t *testing.T) {
	_, err := backup.Write(t.Context(), new(bytes.Buffer), backup.Config{Dir: hubDir(t), Ledger: filepath.Join(t.TempDir(), "none")})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestADatabaseIsCopiedWholeWhileItIsWritten(t *testing.T) {
	dir := hubDir(t)
	path := filepath.Join(dir, "registries", "land-42.db")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
	require.NoError(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.Exec("CREATE TABLE t (n INTEGER)")
	require.NoError(t, err)
	_, err = db.Exec("INSERT INTO t VALUES (1)")
	require.NoError(t, err)
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("INSERT INTO t VALUES (2)")
	require.NoError(t, err)
	data, _ := written(t, backup.Config{Dir: dir, Registries: true})
	require.NoError(t, tx.Commit())

	to := filepath.Join(t.TempDir(), "restored")
	_, err = restored(t, data, backup.RestoreConfig{Dir: to})
	require.NoError(t, err)
	copied, err := sql.Open("sqlite", filepath.Join(to, "registries", "land-42.db"))
	require.NoError(t, err)
	defer copied.Close()
	var n int
	require.NoError(t, copied.QueryRow("SELECT count(*) FROM t").Scan(&n))
	require.Equal(t, 1, n, "what is in the WAL is copied, what is not committed is not")
}

func TestADirectoryThatIsNoHubsIsRefused(t *testing.T) {
	_, err := backup.Write(t.Context(), new(bytes.Buffer), backup.Config{Dir: t.TempDir()})
	require.ErrorContains(t, err, "no hub's directory")
}

func TestACancelledBackupSaysSo(t *testing.T) {
	dir := hubDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := backup.Write(ctx, new(bytes.Buffer), backup.Config{Dir: dir})
	require.ErrorIs(t, err, context.Canceled)
}
