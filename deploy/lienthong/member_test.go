package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/services/store"
)

// desk is a hub's directory in which no hub runs.
type desk struct {
	t   *testing.T
	dir string
}

func newDesk(t *testing.T) *desk {
	d := &desk{t, t.TempDir()}
	db := d.state()
	a, err := authority.Open(d.dir, db)
	require.NoError(t, err)
	require.NoError(t, a.EnsureSandbox(t.Context()))
	return d
}

func (d *desk) state() *state.DB {
	db, err := state.Open(d.t.Context(), state.Config{Config: store.Config{Path: filepath.Join(d.dir, "hub.db")}})
	require.NoError(d.t, err)
	d.t.Cleanup(func() { require.NoError(d.t, db.Close()) })
	return db
}

// run runs a command in the directory.
func (d *desk) run(args ...string) (code int, out, complaint string) {
	var said, complained bytes.Buffer
	defer func(o, e io.Writer) { stdout, stderr = o, e }(stdout, stderr)
	stdout, stderr = &said, &complained
	code = run(context.Background(), append(args, "--dir", d.dir))
	return code, said.String(), complained.String()
}

// done runs a command that must succeed and decodes its JSON.
func done[T any](d *desk, args ...string) (v T) {
	code, out, complaint := d.run(append(args, "--json")...)
	require.Zero(d.t, code, "%v: %s", args, complaint)
	require.NoError(d.t, json.Unmarshal([]byte(out), &v), "%v: %s", args, out)
	return v
}

// wrong runs a command that was called wrongly.
func (d *desk) wrong(says string, args ...string) {
	code, out, complaint := d.run(args...)
	require.Equal(d.t, exitUsage, code, "%v: %s %s", args, out, complaint)
	require.Contains(d.t, complaint, says, args)
}

func TestANewAgencysSystemGetsItsCertificateWithoutItsKeyLeavingIt(t *testing.T) {
	d := newDesk(t)
	own := filepath.Join(t.TempDir(), "own")
	d.wrong("no such agency", "agency", "show", "H27.09")
	added := done[agencyEntry](d, "agency", "add", "H27.09", "--name", "Sở Tư pháp", "--province", "42", "--safety-level", "3", "--assessed", "2026-05-01")
	require.Equal(t, []string{"open", "enrolled", "42"}, []string{added.State, added.Officers, added.Province})
	asked := done[requested](d, "identity", "request", "H27.09/desk", "--out", own)
	info, err := os.Stat(asked.Key)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077)
	d.wrong("no key is overwritten", "identity", "request", "H27.09/desk", "--out", own)
	d.wrong("somebody else made it", "identity", "approve", asked.Request, "--digest", strings.Repeat("0", 64))
	got := done[approved](d, "identity", "approve", asked.Request, "--digest", asked.KeyDigest)
	require.Equal(t, []string{"H27.09/desk", "Sở Tư pháp", asked.KeyDigest, "ECDSA P-256"}, []string{got.ID, got.Agency, got.KeyDigest, got.KeyKind})
	require.Empty(t, got.Bus)
	identity, err := peer.LoadIdentity(got.Cert, asked.Key, got.CA)
	require.NoError(t, err)
	require.Equal(t, got.Serial, peer.Serial(identity.Certificate.Leaf))
	require.NoDirExists(t, filepath.Join(d.dir, "identities", "H27.09"))
	d.wrong("let them make a new request", "identity", "renew", "H27.09/desk")

	shown := done[agencyEntry](d, "agency", "show", "H27.09")
	require.Equal(t, []systemEntry{{ID: "H27.09/desk", Roles: []string{"consumer"}, Status: "active"}}, shown.Systems)
	require.Len(t, shown.History, 1)
	require.Empty(t, shown.History[0].Ledger, "no hub has recorded it yet")
}

func TestAProvidersBusCredentialsAreForWhatItServesAndEndWithItsCertificate(t *testing.T) {
	d := newDesk(t)
	asked := done[requested](d, "identity", "request", "G01/registry-vehicle", "--out", t.TempDir(), "--hosts", "db.example")
	for says, args := range map[string][]string{
		"--serves SERVICE":       {"--roles", "provider"},
		"not both":               {"--roles", "provider,gateway"},
		"--serves is for":        {"--roles", "steward", "--serves", "registry.vehicle.v1.VehicleService"},
		"part of a bus subject":  {"--roles", "provider", "--serves", "registry.>"},
		"is none of":             {"--roles", "king"},
		"a system that only ask": {"--roles", "consumer"},
		"--life":                 {"--life=-1h"},
	} {
		d.wrong(says, append([]string{"identity", "approve", asked.Request}, args...)...)
	}
	require.Empty(t, done[agencyEntry](d, "agency", "show", "G01").systemsLike("registry-vehicle"), "nothing of that made it a member")
	got := done[approved](d, "identity", "approve", asked.Request, "--roles", "provider", "--serves", "registry.vehicle.v1.VehicleService@42", "--life", "48h")
	data, err := os.ReadFile(got.Bus)
	require.NoError(t, err)
	token, err := jwt.ParseDecoratedJWT(data)
	require.NoError(t, err)
	claims, err := jwt.DecodeUserClaims(token)
	require.NoError(t, err)
	require.Equal(t, got.NotAfter.Unix(), claims.Expires)
	require.Contains(t, claims.Sub.Allow, "lt.call.42.registry.vehicle.v1.VehicleService.*.*")
	require.NotContains(t, claims.Sub.Allow, ">")
	info, err := os.Stat(got.Bus)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077)
}

// systemsLike are the systems of an agency whose names contain a text.
func (e agencyEntry) systemsLike(text string) (ids []string) {
	for _, s := range e.Systems {
		if strings.Contains(s.ID, text) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func TestWhatEndsSomethingAsksFirstAndChecksWhetherItCould(t *testing.T) {
	d := newDesk(t)
	for says, args := range map[string][]string{
		"nothing was changed yet; with --yes, agency H27.08": {"agency", "close", "H27.08"},
		"no such agency": {"agency", "close", "H27.99"},
		"nothing was changed yet; with --yes, agency H27.07": {"agency", "replace", "H27.07", "H27.12", "--name", "Sở mới"},
		"it has no name":    {"agency", "replace", "H27.07", "H27.12"},
		"is no agency code": {"agency", "replace", "H27.07", "../x", "--name", "a"},
		"nothing was changed yet; with --yes, the closing":   {"agency", "reopen", "H27.08"},
		"nothing was changed yet; with --yes, calls of G24/": {"identity", "suspend", "G24/claims"},
		"no such system":                                       {"identity", "suspend", "G24/nobody"},
		"nothing was revoked yet":                              {"identity", "revoke", "G24/claims"},
		"nothing to revoke":                                    {"identity", "revoke", "G24/nobody"},
		"say what is to be changed":                            {"agency", "set", "G24"},
		"say how the agency is called":                         {"agency", "add", "H28"},
		"safety level and day of assessment are given togethe": {"agency", "set", "G24", "--safety-level", "0"},
		"no such authority is believed":                        {"identity", "untrust", "ffffffffff"},
	} {
		d.wrong(says, args...)
	}
	revision, err := d.state().Revision(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, revision, "all of that changed nothing")

	closed := done[agencyEntry](d, "agency", "close", "H27.08", "--successor", "H27.07", "--yes")
	require.Equal(t, []string{"closed", "H27.07"}, []string{closed.State, closed.Successor})
	for _, e := range done[[]agencyEntry](d, "agency", "list") {
		require.NotEqual(t, "H27.08", e.Code)
	}
	require.Len(t, done[[]agencyEntry](d, "agency", "list", "--all"), 12)
	d.wrong("the agency is closed", "identity", "issue", "H27.08/clinic")
	require.Equal(t, "open", done[agencyEntry](d, "agency", "reopen", "H27.08", "--yes").State)
	code, _, complaint := d.run("identity", "suspend", "G24/claims", "--yes")
	require.Zero(t, code, complaint)
	require.Equal(t, "suspended", done[agencyEntry](d, "agency", "show", "G24").Systems[0].Status)
	code, _, complaint = d.run("identity", "resume", "G24/claims")
	require.Zero(t, code, complaint)
	require.Equal(t, "active", done[agencyEntry](d, "agency", "show", "G24").Systems[0].Status)
}

func TestAnAuthorityThatIsGivenIsTrustedForItsAgencies(t *testing.T) {
	d, other := newDesk(t), t.TempDir()
	db, err := state.Open(t.Context(), state.Config{Config: store.Config{Path: filepath.Join(other, "hub.db")}})
	require.NoError(t, err)
	defer db.Close()
	_, err = authority.Open(other, db) // any authority will do
	require.NoError(t, err)
	ca := filepath.Join(other, "ca.pem")
	d.wrong("nothing was changed yet", "identity", "trust", ca, "--agency", "G15")
	d.wrong("no such agency", "identity", "trust", ca, "--agency", "G99", "--yes")
	d.wrong("it is no certificate", "identity", "trust", filepath.Join(other, "ca", "ca.key"), "--agency", "G15", "--yes")
	code, _, complaint := d.run("identity", "trust", ca, "--agency", "G15,G24", "--yes")
	require.Zero(t, code, complaint)
	code, _, complaint = d.run("identity", "admit", "G15/own", "--title", "Phần mềm")
	require.Zero(t, code, complaint)
	trusted := done[[]authorityEntry](d, "identity", "trusted")
	require.Len(t, trusted, 1)
	require.Equal(t, []string{"G15", "G24"}, trusted[0].Agencies)
	shown := done[agencyEntry](d, "agency", "show", "G15")
	require.Equal(t, trusted[0].Fingerprint, shown.Authorities[0].Fingerprint)
	require.Equal(t, []string{"G15/own"}, shown.systemsLike("own"))
	code, _, complaint = d.run("identity", "untrust", trusted[0].Fingerprint[:12], "--yes")
	require.Zero(t, code, complaint)
	require.Empty(t, done[[]authorityEntry](d, "identity", "trusted"))
}

func TestARevokedSystemIsRefusedAsAWhole(t *testing.T) {
	d := newDesk(t)
	revoked := done[[]certificateEntry](d, "identity", "revoke", "G24/claims", "--yes")
	require.Equal(t, "revoked", revoked[0].State)
	all, err := members(t.Context(), d.state())
	require.NoError(t, err)
	id := peer.ID{Agency: "G24", System: "claims"}
	cert := &member.Certificate{ID: id, Serial: "a1", NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	_, err = all.Caller(cert, time.Now())
	require.Error(t, err, "with a certificate that nobody has heard of")
	issued := done[[]certificateEntry](d, "identity", "issue", "G24/claims")
	require.NotEqual(t, revoked[0].Serial, issued[0].Serial)
}

func TestCommandsMakeNoHubByAccident(t *testing.T) {
	d := &desk{t, filepath.Join(t.TempDir(), "nowhere")}
	for _, args := range [][]string{
		{"agency", "list"}, {"agency", "show", "G01"}, {"agency", "add", "G01", "--name", "a"}, {"agency", "close", "G01", "--yes"},
		{"identity", "list"}, {"identity", "trusted"}, {"identity", "admit", "G01/x"},
	} {
		code, _, complaint := d.run(args...)
		require.Equal(t, exitFailed, code, args)
		require.Contains(t, complaint, "in "+d.dir, args)
		require.NoDirExists(t, d.dir)
	}
}
