package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// certificate is one as `identity --json` shows it.
type certificate struct {
	ID, Serial, State, Cert, Key string
	Roles                        []string
}

// certificates runs an identity command and reads what it shows.
func (h *hub) certificates(t *testing.T, args ...string) []certificate {
	t.Helper()
	r := h.run(t, append([]string{"identity"}, append(args, "--json")...)...)
	require.Zero(t, r.code, r.err)
	return decode[[]certificate](t, r.out)
}

// reason asks as a system and returns why it was refused.
func (h *hub) reason(t *testing.T, as string) refusal {
	t.Helper()
	r := h.run(t, "query", "registry."+residence, "personal_id=040094997317", "--as", as, "--purpose", "CT-TT", "--case", "E2E-1", "--json")
	require.Equal(t, 1, r.code, r.out)
	return decode[refusal](t, r.err)
}

func TestAnIssuedSystemGetsInAndARevokedOneDoesNot(t *testing.T) {
	h := sandbox.get(t)
	issued := h.certificates(t, "issue", "H27.08/clinic", "--title", "Trạm y tế minh họa")[0]
	require.Equal(t, []string{"consumer"}, issued.Roles)
	require.FileExists(t, issued.Cert)
	info, err := os.Stat(issued.Key)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077)
	eventually(t, func() bool { return h.reason(t, "H27.08/clinic").Reason == "NO_AGREEMENT" }, "it is known and has no agreement")

	r := h.run(t, "identity", "revoke", "H27.08/clinic")
	require.Equal(t, 2, r.code)
	require.Contains(t, r.out, issued.Serial)
	require.Contains(t, r.err, "nothing was revoked yet; add --yes")
	require.Equal(t, "NO_AGREEMENT", h.reason(t, "H27.08/clinic").Reason)

	revoked := h.certificates(t, "revoke", "H27.08/clinic", "--yes")
	require.Equal(t, "revoked", revoked[0].State)
	refused := h.reason(t, "H27.08/clinic")
	require.Empty(t, refused.Reason, "it does not get as far as the hub's words")
	require.Contains(t, refused.Message, "refused the certificate")
	h.says(t, issued.Serial)
	require.Contains(t, h.err.String(), "reason=REVOKED")

	again := h.certificates(t, "issue", "H27.08/clinic")[0]
	require.NotEqual(t, issued.Serial, again.Serial)
	eventually(t, func() bool { return h.reason(t, "H27.08/clinic").Reason == "NO_AGREEMENT" }, "a new certificate gets in")
}

func TestACertificateIsRenewedWhileTheHubRuns(t *testing.T) {
	h := sandbox.get(t)
	for _, id := range []string{"H27/one-stop", "G06/gateway", "G01/registry-population"} {
		before, err := os.ReadFile(h.ready.Identities[id].Cert)
		require.NoError(t, err)
		renewed := h.certificates(t, "renew", id)[0]
		require.Equal(t, "valid", renewed.State)
		after, err := os.ReadFile(h.ready.Identities[id].Cert)
		require.NoError(t, err)
		require.NotEqual(t, before, after)
		require.Equal(t, "FOUND", h.query(t, "H27/one-stop", "CT-TT", residence, "personal_id=040094997317").code(), id)
	}
	states := map[string]int{}
	for _, c := range h.certificates(t, "list", "--all") {
		if c.ID == "H27/one-stop" {
			states[c.State]++
		}
	}
	require.Equal(t, map[string]int{"valid": 1, "superseded": 1}, states)
	for _, c := range h.certificates(t, "list") {
		require.NotEqual(t, "superseded", c.State)
	}
}

func TestIdentityCommandsDoNotGuess(t *testing.T) {
	h := sandbox.get(t)
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	r := lienthong(t, "identity", "list", "--dir", nowhere)
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "no authority in "+nowhere)
	require.NoDirExists(t, nowhere, "looking does not make an authority")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"renew", "H99/nobody"}, "no such certificate"},
		{[]string{"revoke", "H99/nobody"}, "nothing to revoke"},
		{[]string{"revoke", "H99/nobody", "--yes"}, "no such certificate"},
		{[]string{"issue", "H99/nobody", "--roles", "king"}, "none of consumer"},
		{[]string{"issue", "H99/nobody", "--life=-1h"}, "--life"},
	} {
		r := h.run(t, append([]string{"identity"}, c.args...)...)
		require.Equal(t, 2, r.code, c.args)
		require.Contains(t, r.err, c.says, c.args)
	}
}

func TestANewAgencyGetsItsFirstAnswer(t *testing.T) {
	h := sandbox.get(t)
	cmd := exec.CommandContext(t.Context(), "../../scripts/first-answer", h.dir)
	cmd.Env = append(os.Environ(), "LIENTHONG="+bin)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "permanent.province_code")
	require.Contains(t, string(out), "from no agency to its first answer:")
	r := h.run(t, "agreement", "show", "H27.09-G01-population", "--as", "G20/auditor")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "G01/steward (cb.duyet), G06/operator-a (cb.hub)", "two approved it")
}
