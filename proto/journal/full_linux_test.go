package journal_test

import (
	"bytes"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/journal"
	"github.com/lienthong/lienthong/proto/journal/journaltest"
)

// tiny mounts a file system of so many bytes, if this process may; else it answers false, and the seam must do.
func tiny(t *testing.T, dir, options string) bool {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	if err := syscall.Mount("journal-test", dir, "tmpfs", 0, options); err != nil {
		t.Logf("no file system of its own: %v", err)
		return false
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return true
}

// TestAFullFileSystemLosesNothing fills a real one where it may mount one, and a pretended one elsewhere.
func TestAFullFileSystemLosesNothing(t *testing.T) {
	d := &journaltest.Disk{}
	cfg := onDisk(t, d)
	space := func() { d.FailCreate(nil) }
	if tiny(t, cfg.Dir, "size=3m") {
		space = func() {
			require.NoError(t, syscall.Mount("journal-test", cfg.Dir, "tmpfs", syscall.MS_REMOUNT, "size=20m"))
		}
	} else {
		d.FailCreate(syscall.ENOSPC)
	}
	j := open(t, cfg)
	record := bytes.Repeat([]byte("full disk "), 1000)
	kept := uint64(0)
	for ; ; kept++ {
		if _, err := j.Append(record); err != nil {
			require.ErrorIs(t, err, journal.ErrUnavailable)
			require.ErrorIs(t, err, syscall.ENOSPC)
			break
		}
	}
	require.GreaterOrEqual(t, kept, uint64(100))
	require.Equal(t, kept, j.Durable())
	space()
	ctx := t.Context()
	require.NoError(t, j.Watch(ctx, kept))
	next := until(t, j, "space again")
	for e, err := range j.Reader().Scan(ctx, 0, kept) {
		require.NoError(t, err)
		require.Equal(t, record, e.Payload)
	}
	require.NoError(t, j.Close())
	intact(t, cfg, next+1)
}

// TestAReadOnlyFileSystemIsRefused opens on a real one where it may mount one.
func TestAReadOnlyFileSystemIsRefused(t *testing.T) {
	cfg := onDisk(t, nil)
	if !tiny(t, cfg.Dir, "size=8m") {
		return // TestAReadOnlyDirectoryIsRefused has shown it with a pretended one
	}
	j := open(t, cfg)
	until(t, j, "first")
	require.NoError(t, j.Close())
	require.NoError(t, syscall.Mount("journal-test", cfg.Dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	began := time.Now()
	_, _, err := journal.Open(cfg)
	require.ErrorIs(t, err, syscall.EROFS)
	require.Less(t, time.Since(began), cfg.Patience)
	r, err := journal.OpenReader(cfg.Dir)
	require.NoError(t, err)
	e, err := r.Get(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, "first", string(e.Payload))
}
