package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// receipt is what comes with an answer.
type receipt struct {
	Exchange, Ledger, Receipt string
}

// ask asks for one person's residence and expects an answer.
func (h *hub) ask(t *testing.T, more ...string) receipt {
	t.Helper()
	r := lienthong(t, append(append(h.ready.FirstQuery[1:len(h.ready.FirstQuery):len(h.ready.FirstQuery)], "--json"), more...)...)
	require.Zero(t, r.code, r.err)
	return decode[receipt](t, r.out)
}

// checked is what ledger check found.
type checked struct {
	OK        bool
	Next      uint64
	Leaves    uint64
	Published uint64
	Cosigned  int
	Faults    []struct {
		Part, File, What string
		Position, Offset int64
	}
}

// check verifies a ledger, and expects that it holds or not.
func check(t *testing.T, holds bool, args ...string) checked {
	t.Helper()
	r := lienthong(t, append([]string{"ledger", "check", "--json"}, args...)...)
	c := decode[checked](t, r.out)
	require.Equal(t, holds, c.OK, "%s %s", r.out, r.err)
	require.Equal(t, map[bool]int{true: 0, false: 1}[holds], r.code)
	return c
}

func TestALedgerIsCheckedBesideTheHubThatKeepsIt(t *testing.T) {
	h := sandbox.get(t)
	before := check(t, true, "--dir", h.dir)
	h.ask(t)
	after := check(t, true, "--dir", h.dir)
	require.Greater(t, after.Next, before.Next)
	text := h.run(t, "ledger", "check")
	require.Zero(t, text.code, text.err)
	require.Contains(t, text.out, "all of it holds")

	kept := filepath.Join(t.TempDir(), "kept")
	point, err := os.ReadFile(filepath.Join(h.dir, "ledger", "log", "checkpoint"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(kept, point, 0o600))
	check(t, true, "--dir", h.dir, "--since", kept)
}

func TestAStoppedHubsLedgerIsFoundDamagedWhereItIs(t *testing.T) {
	dir := t.TempDir()
	h := up(t, dir)
	h.ask(t)
	r := h.run(t, "ledger", "reindex")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "stop it first")
	h.stop(t, syscall.SIGTERM)
	whole := check(t, true, "--dir", dir)
	require.GreaterOrEqual(t, whole.Published+1, whole.Next, "all but that it was closed is in the last checkpoint")

	require.Zero(t, lienthong(t, "ledger", "reindex", "--dir", dir).code)
	segments, err := filepath.Glob(filepath.Join(dir, "ledger", "journal", "*.seg"))
	require.NoError(t, err)
	data, err := os.ReadFile(segments[0])
	require.NoError(t, err)
	at := strings.Index(string(data), "GetResidence")
	require.Positive(t, at)
	data[at] ^= 1
	require.NoError(t, os.WriteFile(segments[0], data, 0o600))
	found := check(t, false, "--dir", dir)
	require.Equal(t, segments[0], found.Faults[0].File)
	require.NotZero(t, found.Faults[0].Position)
	text := lienthong(t, "ledger", "check", "--dir", dir)
	require.Equal(t, 1, text.code)
	require.Contains(t, text.out, segments[0])
	r = lienthong(t, upArgs(dir)...)
	require.Equal(t, 1, r.code, "a hub does not go on with it")
}

func TestARestoredHubAnswersAndBeginsANewLedger(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "restored")
	file := filepath.Join(t.TempDir(), "hub.backup")
	h := up(t, dir)
	before := h.ask(t)
	require.True(t, strings.HasPrefix(before.Ledger, "G06/gateway:"), before.Ledger)
	proven := h.run(t, "ledger", "prove", before.Exchange, "--wait", "20s")
	require.Zero(t, proven.code, proven.err) // a checkpoint covers it
	r := h.run(t, "backup", file)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.err, "private keys")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.Equal(t, 2, h.run(t, "backup", file).code, "a backup is not overwritten by accident")
	require.Equal(t, 2, h.run(t, "backup", filepath.Join(dir, "mine")).code, "it is not written where it would be lost too")
	require.Equal(t, 2, lienthong(t, "restore", filepath.Join(dir, "none"), "--dir", to).code)
	r = lienthong(t, "restore", file, "--dir", to, "--complete")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "a hub ran while it was made")
	require.NoDirExists(t, to)
	h.stop(t, syscall.SIGTERM)

	r = lienthong(t, "restore", file, "--dir", to)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "ledger.1")
	require.Equal(t, 1, lienthong(t, "restore", file, "--dir", to).code, "a directory with something in it is left alone")
	aside := filepath.Join(to, "ledger.1")
	require.NotZero(t, check(t, true, "--ledger", aside).Next)
	proof := filepath.Join(t.TempDir(), "proof.json")
	r = lienthong(t, "ledger", "prove", before.Exchange, "--ledger", aside)
	require.Zero(t, r.code, r.err)
	require.NoError(t, os.WriteFile(proof, []byte(r.out), 0o600))
	r = lienthong(t, "ledger", "verify", proof, "--key", filepath.Join(dir, "ledger", "log.pub"))
	require.Zero(t, r.code, "what was restored is still provable: %s", r.err)
	require.Contains(t, lienthong(t, "ledger", "show", before.Ledger, "--ledger", aside).out, before.Exchange)
	found := lienthong(t, "ledger", "search", "--ledger", aside, "--method", "GetResidence", "--json")
	require.Contains(t, found.out, before.Exchange, found.err)

	again := up(t, to)
	after := again.ask(t)
	require.Regexp(t, `^G06/gateway\.20[0-9]{12}:`, after.Ledger)
	check(t, true, "--dir", to)
	check(t, true, "--ledger", aside)
}

func TestAHubThatWasStoppedBeforeItsBackupGoesOnWithItsLedger(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "restored")
	file := filepath.Join(t.TempDir(), "hub.backup")
	h := up(t, dir)
	h.ask(t)
	h.stop(t, syscall.SIGTERM)
	require.Zero(t, lienthong(t, "backup", file, "--dir", dir).code)
	had := check(t, true, "--dir", dir)
	r := lienthong(t, "restore", file, "--dir", to, "--complete", "--json")
	require.Zero(t, r.code, r.err)
	require.Empty(t, decode[struct{ Aside string }](t, r.out).Aside)
	again := up(t, to)
	after := again.ask(t)
	require.True(t, strings.HasPrefix(after.Ledger, "G06/gateway:"), after.Ledger)
	require.Greater(t, check(t, true, "--dir", to).Next, had.Next)
}

func TestABackupMayHoldTheRegistries(t *testing.T) {
	h := sandbox.get(t)
	file := filepath.Join(t.TempDir(), "all")
	r := h.run(t, "backup", file, "--registries")
	require.Zero(t, r.code, r.err)
	to := filepath.Join(t.TempDir(), "restored")
	r = lienthong(t, "restore", file, "--dir", to)
	require.Zero(t, r.code, r.err)
	require.FileExists(t, filepath.Join(to, "registries", "population.db"))
}

func TestAWitnessCosignsTheHubsCheckpoints(t *testing.T) {
	dir, own := t.TempDir(), filepath.Join(t.TempDir(), "witness")
	h := up(t, dir)
	h.ask(t)
	h.stop(t, syscall.SIGTERM)
	pub := filepath.Join(dir, "ledger", "log.pub")
	r := lienthong(t, "witness", pub, "--dir", dir)
	require.Equal(t, 2, r.code)
	require.Contains(t, r.err, "is a hub's directory")

	w := start(t, "witness", pub, "--dir", own, "--listen", "127.0.0.1:0", "--json")
	eventually(t, func() bool { return strings.Contains(w.out.String(), "}") }, "the witness did not say where it is")
	said := decode[struct{ URL, Verifier_key string }](t, w.out.String())
	again := up(t, dir, "--witness", said.URL+"="+said.Verifier_key, "--witness-required")
	again.ask(t)
	again.stop(t, syscall.SIGTERM)
	require.Equal(t, 1, check(t, true, "--dir", dir, "--witness", said.Verifier_key).Cosigned)
	w.signal(syscall.SIGTERM)
	require.Zero(t, w.code(t), w.err.String())
	require.Contains(t, string(must(os.ReadFile(filepath.Join(own, "witness.pub")))), said.Verifier_key)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestLedgerCommandsSayWhatIsWrong(t *testing.T) {
	h := sandbox.get(t)
	none := filepath.Join(t.TempDir(), "none")
	for line, says := range map[string]string{
		"ledger":                                      "lienthong ledger --help",
		"ledger search --since soon":                  "no point in time",
		"ledger search --limit 501":                   "choose 1 to 500",
		"ledger search --subject 040094997317":        "seen by every user",
		"ledger search 040094997317":                  "seen by every user",
		"ledger citizen 040094997317":                 "seen by every user",
		"ledger token 040094997317":                   "seen by every user",
		"ledger citizen --kind passport":              "there are the kinds",
		"ledger search --outcome good":                "there are answered",
		"ledger search --follow --since 1h":           "begins now",
		"ledger search --follow --all":                "can't be used together",
		"ledger show 040094997317":                    "neither an exchange",
		"ledger prove G06/gateway":                    "neither an exchange",
		"ledger volumes --by officer":                 "there are minute, hour",
		"ledger export":                               "--output",
		"ledger export -o x --format xml":             "must be one of",
		"ledger token --life 2h":                      "1s to 1h",
		"ledger rotate-key":                           "--yes",
		"ledger archive":                              "--older-than",
		"ledger archive --older-than 90d":             "with --yes",
		"ledger archive --remove-older-than 1y --yes": "two years",
		"ledger verify " + none:                       "no such file",
		"ledger check --ledger " + none:               "no ledger in",
		"backup":                                      "<file>",
		"restore " + none:                             none,
		"witness " + none + " --dir " + none:          "no such file",
	} {
		r := command(t, "040094997317\n", append([]string{bin}, append(strings.Fields(line), dirUnless(line, h.dir)...)...)...)
		require.Equal(t, 2, r.code, "%s: %s", line, r.err)
		require.Contains(t, r.err, says, line)
		require.NotContains(t, r.err, "040094997317", "%s: numbers are not repeated", line)
		require.Empty(t, r.out, line)
	}
}

func dirUnless(line, dir string) []string {
	if strings.Contains(line, "--dir") {
		return nil
	}
	return []string{"--dir", dir}
}

func TestHelpIsThereForEveryLedgerCommand(t *testing.T) {
	for _, c := range strings.Split("ledger,ledger search,ledger show,ledger prove,ledger verify,ledger check,ledger citizen,ledger volumes,ledger status,"+
		"ledger reindex,ledger export,ledger archive,ledger rotate-key,ledger token,backup,restore,witness", ",") {
		r := lienthong(t, append(strings.Fields(c), "--help")...)
		require.Zero(t, r.code, c)
		require.Contains(t, r.out, "Usage: lienthong "+c, c)
	}
}
