package authority_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// changer makes changes of the members in one transaction.
type changer struct {
	t   testing.TB
	ctx context.Context
	tx  *state.Tx
}

func (c changer) add(a member.Agency) { require.NoError(c.t, member.AddAgency(c.ctx, c.tx, a)) }

func change(t testing.TB, dir string, do func(changer)) {
	membertest.Change(t, openState(t, dir), func(ctx context.Context, tx *state.Tx) error {
		do(changer{t, ctx, tx})
		return nil
	})
}

func TestASystemThatIsRevokedIsRefusedWhateverItShows(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	own, err := a.Issue(authority.Order{ID: portal, Roles: member.Consumer})
	require.NoError(t, err)
	now := time.Now()
	given := &member.Certificate{ID: portal, Serial: "feed", NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)} // of another authority
	_, err = members(t, dir).Caller(given, now)
	require.NoError(t, err)
	_, err = a.Revoke(portal.String())
	require.NoError(t, err)
	_, err = members(t, dir).Caller(given, now)
	require.ErrorIs(t, err, reason.CertificateRevoked)
	_, err = a.Renew(portal)
	require.ErrorIs(t, err, authority.ErrRevoked)

	fresh, err := a.Issue(authority.Order{ID: portal})
	require.NoError(t, err)
	d := members(t, dir)
	_, err = d.Caller(given, now)
	require.ErrorIs(t, err, reason.CertificateRevoked, "what it had before stays refused")
	leaf := load(t, dir, portal).Certificate.Leaf
	require.False(t, time.Now().Before(leaf.NotBefore), "the new one is good at once")
	_, err = d.Caller(&member.Certificate{ID: portal, Serial: fresh.Serial, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter}, now)
	require.NoError(t, err)
	_, err = d.Caller(&member.Certificate{ID: portal, Serial: own.Serial, NotBefore: now, NotAfter: leaf.NotAfter}, now)
	require.ErrorIs(t, err, reason.CertificateRevoked)

	renewed, err := a.Renew(portal)
	require.NoError(t, err)
	leaf = load(t, dir, portal).Certificate.Leaf
	_, err = d.Caller(&member.Certificate{ID: portal, Serial: renewed.Serial, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter}, now)
	require.NoError(t, err, "a renewal begins no earlier")
}

func TestNothingByItselfLetsASystemBackIn(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	_, err := a.Issue(authority.Order{ID: vehicle, Roles: member.Provider, Server: true, Validity: day})
	require.NoError(t, err)
	later(a, 2*day) // its certificate has expired, so that there is none to revoke
	records, err := a.Revoke(vehicle.String())
	require.NoError(t, err)
	require.Empty(t, records)
	renewed, err := a.RenewDue(t.Context())
	require.NoError(t, err)
	require.Empty(t, renewed)
	_, err = a.Renew(vehicle)
	require.ErrorIs(t, err, authority.ErrRevoked)
	_, err = members(t, dir).Caller(&member.Certificate{ID: vehicle, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}, time.Now())
	require.ErrorIs(t, err, reason.CertificateRevoked)
}

func TestAMemberWithoutCertificatesOnRecordCanBeRevoked(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	id := peer.ID{Agency: "H01", System: "own-authority"}
	change(t, dir, func(c changer) {
		require.NoError(t, member.SetSystem(c.ctx, c.tx, member.System{ID: id, Roles: member.Consumer, Status: member.Active}))
	})
	records, err := a.Revoke(id.String())
	require.NoError(t, err)
	require.Empty(t, records)
	_, err = members(t, dir).Caller(&member.Certificate{ID: id, Serial: "a1", NotAfter: time.Now().Add(time.Hour)}, time.Now())
	require.ErrorIs(t, err, reason.CertificateRevoked)
}

func TestEveryChangeSaysWhoMadeItAndIsHeardOnce(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	hub, err := authority.Open(dir, db)
	require.NoError(t, err)
	var heard []state.Made
	by := state.Actor{ID: peer.ID{Agency: "G06", System: "operator-a"}, Officer: "an.nv"}
	a := hub.As(by, func(m state.Made) { heard = append(heard, m) })
	r, err := a.Issue(authority.Order{ID: portal, Roles: member.Consumer})
	require.NoError(t, err)
	_, err = a.Revoke(portal.String())
	require.NoError(t, err)
	_, err = a.Revoke(portal.String())
	require.NoError(t, err, "which changes nothing")
	require.Len(t, heard, 2)
	history, err := db.History(t.Context(), hubv1.Change_KIND_MEMBER, portal.String(), 10)
	require.NoError(t, err)
	require.Len(t, history, 3)
	for _, h := range history {
		require.Equal(t, "operator-a", h.GetSystem())
		require.Equal(t, "an.nv", h.GetOfficer())
	}
	require.Contains(t, history[2].GetText(), r.Serial+" issued")
	require.Contains(t, history[1].GetText(), "denied")
	require.Contains(t, history[0].GetText(), "revoked")
}
