package authority_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/proto/peer"
)

func TestWhatWasRevokedBeforeThereWasAStateStaysRevoked(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "ca"), 0o700))
	later := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
	before := time.Now().Add(-48 * time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "members.json"), []byte(`{"systems":[
		{"id":"G24/claims","title":{"vi":"Cũ","en":""},"roles":["consumer"],"status":"active"},
		{"id":"H88/desk","title":{"vi":"","en":""},"roles":["consumer","auditor"],"status":"suspended"}],
		"revoked":[{"serial":"b2"}]}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca/issued.json"), []byte(fmt.Sprintf(`{"certificates":[
		{"serial":"a1","id":"G24/claims","roles":["consumer"],"server":false,"not_before":%q,"not_after":%q,"replaced":true},
		{"serial":"a2","id":"G24/claims","roles":["consumer"],"server":false,"not_before":%q,"not_after":%q,"revoked_at":%q}]}`,
		before, later, before, later, before)), 0o600))

	a := open(t, dir)
	d := members(t, dir)
	require.True(t, d.Revoked("a2"))
	require.True(t, d.Revoked("b2"))
	require.False(t, d.Revoked("a1"))
	s, ok := d.Lookup(peer.ID{Agency: "H88", System: "desk"})
	require.True(t, ok)
	require.Equal(t, member.Suspended, s.Status)
	records, err := a.List()
	require.NoError(t, err)
	require.Equal(t, []authority.State{authority.Superseded, authority.Revoked}, []authority.State{records[0].State(time.Now()), records[1].State(time.Now())})
	require.NoError(t, a.EnsureSandbox(t.Context()))
	require.NoDirExists(t, filepath.Join(dir, "identities", "G24", "claims"), "a revoked identity is not issued again")
	for _, name := range []string{"members.json", "ca/issued.json"} {
		require.NoFileExists(t, filepath.Join(dir, name))
		require.FileExists(t, filepath.Join(dir, name+".adopted"))
	}
	revision := d.Revision()
	open(t, dir)
	require.Equal(t, revision+1, members(t, dir).Revision(), "once")
}

func TestOldFilesThatCannotBeReadAreNotForgotten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "members.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"systems":[`), 0o600))
	_, err := authority.Open(dir, openState(t, dir))
	require.ErrorContains(t, err, "members.json")
	require.FileExists(t, path)
}
