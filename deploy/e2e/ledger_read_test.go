package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// entry is an entry of the ledger as --json shows it.
type entry struct {
	Position, Exchange, Kind string
	Record                   map[string]any
}

// page is a page of entries.
type page struct {
	Entries []entry
	Next    string `json:"next_cursor"`
}

// read runs a ledger command that reads, with something on stdin, and expects an answer.
func (h *hub) read(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	r := command(t, stdin, append(append([]string{bin, "ledger"}, args...), "--dir", h.dir)...)
	require.Zero(t, r.code, "%v: %s", args, r.err)
	return r.out
}

// personOf is the number that the first query asks about.
func (h *hub) personOf() string {
	for _, arg := range h.ready.FirstQuery {
		if number, ok := strings.CutPrefix(arg, "personal_id="); ok {
			return number
		}
	}
	return ""
}

func TestAnExchangeIsSearchedShownProvenAndVerified(t *testing.T) {
	h := sandbox.get(t)
	dir := t.TempDir()
	answer, request := filepath.Join(dir, "answer"), filepath.Join(dir, "request")
	got := h.ask(t, "--raw", answer, "--raw-request", request)

	found := decode[page](t, h.read(t, "", "search", "--exchange", got.Exchange, "--json"))
	require.Len(t, found.Entries, 1)
	require.Equal(t, got.Ledger, found.Entries[0].Position)
	require.Contains(t, h.read(t, "", "search", "--consumer", "H27", "--since", "1m", "--outcome", "answered"), got.Exchange)
	require.NotContains(t, h.read(t, "", "search", "--consumer", "G24", "--json"), got.Exchange)

	for _, id := range []string{got.Exchange, got.Ledger} {
		text := h.read(t, "", "show", id)
		for _, part := range []string{got.Ledger, got.Exchange, "H27/one-stop", "CT-TT", "permanent", "registry", "total, to the record"} {
			require.Contains(t, text, part)
		}
	}

	proof := filepath.Join(dir, "proof.json")
	require.NoError(t, os.WriteFile(proof, []byte(h.read(t, "", "prove", got.Exchange)), 0o600))
	key := filepath.Join(h.dir, "ledger", "log.pub")
	verify := func(more ...string) result {
		return lienthong(t, append([]string{"ledger", "verify", proof, "--key", key}, more...)...)
	}
	sheet := filepath.Join(dir, "page.html")
	r := verify("--answer", answer, "--request", request, "--receipt", got.Receipt, "--page", sheet, "--lang", "vi", "--json")
	require.Zero(t, r.code, r.err)
	require.True(t, decode[struct{ OK bool }](t, r.out).OK)
	require.FileExists(t, sheet)

	require.NoError(t, os.WriteFile(answer, []byte("another answer"), 0o600))
	r = verify("--answer", answer, "--receipt", got.Receipt)
	require.Equal(t, 1, r.code, "other bytes were not the answer")
	require.Contains(t, r.err, "does not hold")
	require.Equal(t, 2, verify("--answer", answer).code, "bytes need their receipt")
	key = filepath.Join(dir, "other.pub")
	require.NoError(t, os.WriteFile(key, []byte("nobody+00000000+AAAA\n"), 0o600))
	require.Equal(t, 2, verify().code)
}

func TestACitizenSeesEveryExchangeAboutThem(t *testing.T) {
	h := sandbox.get(t)
	number := h.personOf()
	answered := h.ask(t)
	bank := append([]string{}, h.ready.FirstQuery[1:]...)
	for i, arg := range bank {
		if arg == "--as" {
			bank[i+1] = "COM.3000000012/ekyc"
		}
	}
	r := lienthong(t, append(bank, "--json")...)
	require.Equal(t, 1, r.code)
	refused := decode[refusal](t, r.err)
	var other person
	for _, p := range h.sample(t, "married", "5") {
		if p.PersonalID != number {
			other = p
		}
	}
	batch := h.query(t, "G22/dvc-portal", "DVC-XT", "population.v1.PopulationService/BatchVerify",
		"people.0.personal_id="+other.PersonalID, "people.0.full_name="+other.FullName, "people.0.birth_date="+other.BirthDate,
		"people.1.personal_id="+number, "people.1.full_name=Ai Đó", "people.1.birth_date=1990-01-01")

	list := h.read(t, number+"\n", "citizen", "--all", "--json")
	for _, id := range []string{answered.Exchange, refused.Exchange, batch.Exchange} {
		require.Contains(t, list, id)
	}
	require.Contains(t, h.read(t, number, "citizen"), answered.Exchange)
	require.Contains(t, h.read(t, number, "search", "--subject", "-", "--outcome", "refused", "--since", "1m"), refused.Exchange)
	require.NotContains(t, h.read(t, other.PersonalID, "citizen", "--all", "--json"), answered.Exchange)

	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte(h.read(t, number, "token", "--life", "1m")), 0o600))
	own := h.read(t, "", "citizen", "--token-file", token, "--as", "G22/dvc-portal", "--all", "--json")
	require.Contains(t, own, refused.Exchange)
	require.Contains(t, own, "ListCitizen", "who looked at the list is on the list")
	require.Contains(t, h.read(t, "", "prove", answered.Exchange), answered.Ledger[strings.IndexByte(answered.Ledger, ':')+1:])

	h.read(t, "", "rotate-key", "--yes")
	require.Contains(t, h.read(t, number, "citizen", "--all", "--json"), answered.Exchange, "keys before the newest stay for looking up")
}

func TestPagesFollowEachOtherAndMissNothing(t *testing.T) {
	h := sandbox.get(t)
	for range 3 {
		h.ask(t)
	}
	filter := []string{"search", "--kind", "exchange", "--consumer", "H27/one-stop", "--until", time.Now().Format(time.RFC3339Nano), "--json"}
	var one []string
	for _, line := range strings.Split(strings.TrimSpace(h.read(t, "", append(filter, "--all", "--limit", "2")...)), "\n") {
		one = append(one, decode[entry](t, line).Position)
	}
	var paged []string
	for cursor := ""; ; {
		args := append(filter, "--limit", "2")
		if cursor != "" {
			args = append(args, "--cursor", cursor)
		}
		p := decode[page](t, h.read(t, "", args...))
		for _, e := range p.Entries {
			paged = append(paged, e.Position)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	require.Equal(t, one, paged)
	require.GreaterOrEqual(t, len(one), 3)
}

func TestFollowShowsEntriesAsTheyComeUntilItIsStopped(t *testing.T) {
	h := sandbox.get(t)
	p := start(t, "ledger", "search", "--follow", "--json", "--consumer", "H27/one-stop", "--kind", "exchange", "--dir", h.dir)
	var last receipt
	eventually(t, func() bool { // entries come from the moment on at which the hub began to follow
		last = h.ask(t)
		return p.out.String() != ""
	}, "nothing was followed")
	last = h.ask(t)
	eventually(t, func() bool { return strings.Contains(p.out.String(), last.Exchange) }, "an entry did not come")
	p.signal(syscall.SIGINT)
	require.Zero(t, p.code(t), p.err.String())
	for _, line := range strings.Split(strings.TrimSpace(p.out.String()), "\n") {
		require.True(t, json.Valid([]byte(line)), line)
	}
}

func TestAnExportIsWholeAndSigned(t *testing.T) {
	h := sandbox.get(t)
	got := h.ask(t)
	file := filepath.Join(t.TempDir(), "export")
	for _, format := range []string{"jsonl", "csv"} {
		h.read(t, "", "export", "-o", file+"."+format, "--format", format, "--kind", "exchange", "--since", "1h")
		written := string(must(os.ReadFile(file + "." + format)))
		if format == "csv" {
			require.True(t, strings.Contains(written, got.Exchange))
		}
		for _, line := range strings.Split(strings.TrimSpace(written), "\n") {
			require.Equal(t, format == "jsonl", json.Valid([]byte(line)))
		}
		require.Contains(t, string(must(os.ReadFile(file+"."+format+".sig"))), "— lienthong/G06/gateway ")
	}
	r := h.run(t, "ledger", "export", "-o", file+".csv", "--format", "csv")
	require.Equal(t, 2, r.code, "an export is not overwritten by accident")
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 4, "nothing half written stays")
}

func TestVolumesAndStatusShowTheLedger(t *testing.T) {
	h := sandbox.get(t)
	h.ask(t)
	require.Contains(t, h.read(t, "", "volumes"), "H27/one-stop")
	volumes := decode[[]struct {
		Outcome string
		Count   uint64
	}](t, h.read(t, "", "volumes", "--by", "outcome", "--json"))
	require.NotEmpty(t, volumes)
	require.Contains(t, h.read(t, "", "status"), "takes records")
	status := decode[struct{ Records, Proven uint64 }](t, h.read(t, "", "status", "--json"))
	require.Positive(t, status.Records)
}

func TestOthersReadTheirOwnExchangesOnly(t *testing.T) {
	h := sandbox.get(t)
	got := h.ask(t)
	require.Contains(t, h.read(t, "", "search", "--exchange", got.Exchange, "--as", "H27/one-stop"), got.Exchange)
	r := h.run(t, "ledger", "show", got.Exchange, "--as", "G24/claims")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "ENTRY_UNKNOWN")
	r = h.run(t, "ledger", "rotate-key", "--yes", "--as", "H27/one-stop")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "LEDGER_READ_NOT_ALLOWED")
	require.Contains(t, h.read(t, "", "search", "--kind", "access", "--reason", "LEDGER_READ_NOT_ALLOWED"), "H27/one-stop", "refused reads are recorded too")
}

// Somebody whose data merely came along in another person's answer is on the record, too.
func TestACitizenSeesTheHouseholdThatMerelyContainsThem(t *testing.T) {
	h := sandbox.get(t)
	for _, p := range h.sample(t, "married", "20") {
		home := h.query(t, "H27/one-stop", "CT-TT", "population.v1.PopulationService/GetHousehold", p.fields("")...)
		for _, m := range at[[]any](home.Answer, "members") {
			if id := at[string](m, "personal_id"); id != "" && id != p.PersonalID {
				list := h.read(t, id, "citizen", "--all", "--json")
				require.True(t, strings.Contains(list, home.Exchange), "the household is not on the member's list")
				return
			}
		}
	}
	require.Fail(t, "nobody of the sample lives with somebody")
}
