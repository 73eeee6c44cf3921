package member_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/proto/peer"
)

// put replaces the list of members by one that revokes the serials.
func put(t *testing.T, dir string, serials ...string) {
	f := member.File{Systems: []member.System{{ID: portal, Roles: member.Consumer, Status: member.Active}}}
	for _, s := range serials {
		f.Revoked = append(f.Revoked, member.Revocation{Serial: s, ID: portal})
	}
	data, err := f.Encode()
	require.NoError(t, err)
	require.NoError(t, safefile.Write(filepath.Join(dir, member.FileName), data, 0o644))
}

func tick() {
	<-time.After(501 * time.Millisecond)
	synctest.Wait()
}

func TestAChangeOfTheListIsSeenWithinHalfASecond(t *testing.T) {
	dir := t.TempDir()
	put(t, dir)
	synctest.Test(t, func(t *testing.T) {
		w, err := member.Watch(context.Background(), dir)
		require.NoError(t, err)
		defer w.Close()
		before := w.Directory()
		tick()
		require.Same(t, before, w.Directory(), "nothing changed, nothing read")
		put(t, dir, "a1")
		tick()
		require.True(t, w.Directory().Revoked("a1"))
		require.False(t, before.Revoked("a1"), "a directory never changes")
		require.NotEqual(t, before.Version(), w.Directory().Version())
		put(t, dir, "a2") // same size, perhaps the same tick of the file system's clock
		tick()
		require.True(t, w.Directory().Revoked("a2"))
		require.False(t, w.Directory().Revoked("a1"))
	})
}

func TestAListThatCannotBeReadChangesNothingAndIsReported(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a1")
	synctest.Test(t, func(t *testing.T) {
		w, err := member.Watch(context.Background(), dir)
		require.NoError(t, err)
		defer w.Close()
		before := w.Directory()
		require.NoError(t, w.Err())
		path := filepath.Join(dir, member.FileName)
		require.NoError(t, os.WriteFile(path, []byte(`{"systems":[`), 0o600))
		tick()
		require.Same(t, before, w.Directory())
		require.Error(t, w.Err())
		require.NoError(t, os.Remove(path))
		tick()
		require.Same(t, before, w.Directory())
		require.ErrorIs(t, w.Err(), os.ErrNotExist)
		put(t, dir, "a2")
		tick()
		require.NoError(t, w.Err())
		require.True(t, w.Directory().Revoked("a2"))
	})
}

func TestWatchingNeedsAListToBeginWith(t *testing.T) {
	_, err := member.Watch(context.Background(), t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, member.FileName), []byte("{"), 0o600))
	_, err = member.Watch(context.Background(), dir)
	require.Error(t, err)
}

// A list that is copied over with its times is as large and as old as the one before it.
func TestARevocationInAListOfTheSameSizeAndTimeIsSeen(t *testing.T) {
	dir := t.TempDir()
	path, old := filepath.Join(dir, member.FileName), time.Unix(0, 0)
	put(t, dir, "a1")
	require.NoError(t, os.Chtimes(path, old, old))
	synctest.Test(t, func(t *testing.T) {
		w, err := member.Watch(context.Background(), dir)
		require.NoError(t, err)
		defer w.Close()
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for range 100 { // the file system's clock ticks every few milliseconds, and not by the bubble's
			require.NoError(t, os.WriteFile(path, bytes.Replace(data, []byte(`"a1"`), []byte(`"a2"`), 1), 0o600))
			require.NoError(t, os.Chtimes(path, old, old))
			tick()
			if w.Directory().Revoked("a2") {
				return
			}
		}
		require.Fail(t, "not seen")
	})
}

func TestWhoAnswersIsJudgedByStandingAndRole(t *testing.T) {
	dir := t.TempDir()
	write := func(s member.System, revoked ...member.Revocation) *member.Watcher {
		f := member.File{Systems: []member.System{s}, Revoked: revoked}
		data, err := f.Encode()
		require.NoError(t, err)
		require.NoError(t, safefile.Write(filepath.Join(dir, member.FileName), data, 0o644))
		w, err := member.Watch(t.Context(), dir)
		require.NoError(t, err)
		t.Cleanup(w.Close)
		return w
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(0xa1)}
	good := member.System{ID: portal, Roles: member.Provider | member.Consumer, Status: member.Active}
	require.NoError(t, write(good).AcceptAs(member.Provider)(portal, cert))
	require.ErrorIs(t, write(good).AcceptAs(member.Gateway)(portal, cert), peer.NotAccepted)
	require.ErrorIs(t, write(good).AcceptAs(member.Provider)(peer.ID{Agency: "G99", System: "x"}, cert), peer.NotAccepted)
	require.ErrorIs(t, write(good, member.Revocation{Serial: "a1"}).AcceptAs(member.Provider)(portal, cert), peer.Revoked)
	good.Status = member.Suspended
	require.ErrorIs(t, write(good).AcceptAs(member.Provider)(portal, cert), peer.NotAccepted)
}
