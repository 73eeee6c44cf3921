package authority_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

// later moves the authority's clock.
func later(a *authority.Authority, d time.Duration) {
	a.SetClock(func() time.Time { return time.Now().Add(d) })
}

const day = 24 * time.Hour

// serials returns the serial of every identity as it lies on disk.
func serials(t *testing.T, dir string) map[string]string {
	all := map[string]string{}
	for _, text := range authority.SandboxIDs() {
		id, err := peer.ParseID(text)
		require.NoError(t, err)
		all[text] = peer.Serial(load(t, dir, id).Certificate.Leaf)
	}
	return all
}

func TestARevocationIsOnDiskAndStays(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	first, err := a.Issue(authority.Order{ID: portal, Roles: member.Consumer})
	require.NoError(t, err)
	second, err := a.Issue(authority.Order{ID: portal})
	require.NoError(t, err)
	require.False(t, members(t, dir).Revoked(first.Serial), "a later certificate does not revoke an earlier one")

	pasted := strings.ToUpper(first.Serial[:2]) + ":" + strings.ToUpper(first.Serial[2:]) // as openssl prints it
	got, err := a.Revoke(pasted)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.True(t, members(t, dir).Revoked(first.Serial))
	require.False(t, members(t, dir).Revoked(second.Serial))

	got, err = open(t, dir).Revoke(portal.String())
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.True(t, members(t, dir).Revoked(second.Serial))
	again, err := a.Revoke(portal.String())
	require.NoError(t, err)
	require.Equal(t, got, again, "revoking twice is revoking once")

	for _, unknown := range []string{"", "0", "abc", "G99/none", "G22/*"} {
		_, err = a.Revoke(unknown)
		require.ErrorIs(t, err, authority.ErrUnknown, unknown)
	}
	_, err = a.Renew(portal)
	require.ErrorIs(t, err, authority.ErrRevoked)
	_, err = a.Renew(peer.ID{Agency: "G01", System: "none"})
	require.ErrorIs(t, err, authority.ErrUnknown)

	back, err := a.Issue(authority.Order{ID: portal})
	require.NoError(t, err)
	require.False(t, members(t, dir).Revoked(back.Serial), "a system may come back with a new certificate")
}

func TestARevocationIsDroppedOnlyWhenTheCertificateHasExpired(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	r, err := a.Issue(authority.Order{ID: portal, Roles: member.Consumer, Validity: 10 * day})
	require.NoError(t, err)
	_, err = a.Revoke(r.Serial)
	require.NoError(t, err)
	touch := func(after time.Duration) bool {
		later(a, after)
		_, err = a.Issue(authority.Order{ID: peer.ID{Agency: "G01", System: "x"}, Roles: member.Consumer})
		require.NoError(t, err)
		return members(t, dir).Revoked(r.Serial)
	}
	require.True(t, touch(9*day))
	require.False(t, touch(12*day))
}

func TestARenewedCertificateIsLikeTheOneBefore(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	id := peer.ID{Agency: "G01", System: "registry-population"}
	_, err := a.Issue(authority.Order{ID: id, Roles: member.Provider, Server: true, Hosts: []string{"db.example"}, Validity: 7 * day})
	require.NoError(t, err)
	before := load(t, dir, id).Certificate.Leaf
	_, err = a.Renew(id)
	require.NoError(t, err)
	after := load(t, dir, id).Certificate.Leaf
	require.NotEqual(t, before.SerialNumber, after.SerialNumber)
	require.NotEqual(t, before.PublicKey, after.PublicKey, "the key is new")
	require.NoError(t, after.VerifyHostname("db.example"))
	require.WithinDuration(t, before.NotAfter, after.NotAfter, 10*time.Second)

	records, err := a.List()
	require.NoError(t, err)
	require.Equal(t, authority.Superseded, records[0].State(time.Now()))
	require.Equal(t, authority.Valid, records[1].State(time.Now()))
	require.Equal(t, authority.Expired, records[1].State(time.Now().Add(8*day)))
	require.Equal(t, member.Provider, records[1].Roles)
}

func TestTheSandboxIsIssuedOnceAndThenLeftAlone(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	require.NoError(t, a.EnsureSandbox(t.Context()))
	first := serials(t, dir)
	for _, need := range []string{
		"G22/dvc-portal", "H27/one-stop", "H27.07/clinic", "G24/claims", "G15/civil-status", "COM.3000000012/ekyc", "G06/operator-a",
		"G06/operator-b", "G01/steward", "G15/steward", "G24/steward", "G13/steward", "H27/steward", "H60/steward", "G20/auditor", "G06/gateway",
		"G01/registry-population", "G15/registry-civilstatus", "G24/registry-insurance", "G13/registry-land", "H27/registry-land", "H60/registry-land",
	} {
		require.Contains(t, first, need)
	}
	require.NoError(t, open(t, dir).EnsureSandbox(t.Context()))
	require.Equal(t, first, serials(t, dir))
}

func TestTheSandboxRenewsWhatIsDueAndMendsWhatIsBroken(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	require.NoError(t, a.EnsureSandbox(t.Context()))
	first := serials(t, dir)
	certFile, _, _ := authority.Files(dir, portal)
	otherCert, _, _ := authority.Files(dir, peer.ID{Agency: "H27", System: "one-stop"})
	data, err := os.ReadFile(otherCert)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(certFile, data, 0o600)) // as after a crash between key and certificate

	later(a, 21*day) // 9 of 30 days left, 69 of 90
	require.NoError(t, a.EnsureSandbox(t.Context()))
	for id, serial := range serials(t, dir) {
		service := strings.Contains(id, "registry-") || strings.Contains(id, "gateway")
		require.Equal(t, service || id == portal.String(), serial != first[id], id)
	}
	renewed, err := a.RenewDue(t.Context())
	require.NoError(t, err)
	require.Empty(t, renewed)
	later(a, 42*day)
	renewed, err = a.RenewDue(t.Context())
	require.NoError(t, err)
	require.Len(t, renewed, 7)
}

func TestTheSandboxDoesNotUndoWhatOperatorsDecided(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	require.NoError(t, a.EnsureSandbox(t.Context()))
	_, err := a.Revoke("H27/one-stop")
	require.NoError(t, err)
	membertest.Change(t, openState(t, dir), func(ctx context.Context, tx *state.Tx) error {
		s, err := member.FindSystem(ctx, tx.Tx, portal)
		require.NoError(t, err)
		s.Status, s.Roles = member.Suspended, member.Consumer|member.Auditor
		require.NoError(t, member.CloseAgency(ctx, tx, "G24", "", ""))
		return member.SetSystem(ctx, tx, s)
	})

	before := serials(t, dir)
	later(a, 200*day)
	require.NoError(t, a.EnsureSandbox(t.Context()))
	require.Equal(t, before["H27/one-stop"], serials(t, dir)["H27/one-stop"], "a revoked identity is not issued again")
	require.Equal(t, before["G24/claims"], serials(t, dir)["G24/claims"], "nor one of an agency that is closed")
	s, _ := members(t, dir).Lookup(portal)
	require.Equal(t, member.Suspended, s.Status)
	require.Equal(t, member.Consumer|member.Auditor, s.Roles)
}
