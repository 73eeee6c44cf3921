package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/deploy/parts"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

func TestAFreshDirectoryGivesAnAnswerThatAnybodyCanAskForByPasting(t *testing.T) {
	h := sandbox.get(t)
	require.Regexp(t, `^127\.0\.0\.1:\d+$`, h.ready.Addresses["grpc"])
	require.Regexp(t, `^127\.0\.0\.1:\d+$`, h.ready.Addresses["http"])
	require.Regexp(t, `^nats://127\.0\.0\.1:\d+$`, h.ready.Addresses["nats"])
	require.FileExists(t, h.ready.CA)
	require.FileExists(t, h.ready.Observer)
	require.Equal(t, h.cmd.Process.Pid, h.ready.PID)
	for _, id := range []string{
		"G22/dvc-portal", "H27/one-stop", "H27.07/clinic", "G24/claims", "G15/civil-status", "COM.3000000012/ekyc",
		"G06/operator-a", "G06/operator-b", "G01/steward", "G15/steward", "G24/steward", "G13/steward", "H27/steward",
		"H60/steward", "G20/auditor",
	} {
		require.FileExists(t, h.ready.Identities[id].Cert, id)
		require.FileExists(t, h.ready.Identities[id].Key, id)
		require.Equal(t, filepath.Join(h.dir, "identities", id, "cert.pem"), h.ready.Identities[id].Cert)
	}

	r := command(t, "", h.ready.FirstQuery...) // in another working directory
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "permanent.province_code")
	require.Contains(t, r.out, "exchange ")
	require.Contains(t, h.out.String(), "lienthong query registry.population.v1.PopulationService/GetResidence personal_id=")
}

func TestKeysAndRecordsAreTheirOwnersAlone(t *testing.T) {
	h := sandbox.get(t)
	for _, path := range []string{
		h.ready.Identities["H27/one-stop"].Key, filepath.Join(h.dir, "ca", "ca.key"), h.ready.Observer,
		filepath.Join(h.dir, "nats", "bus.nk"), filepath.Join(h.dir, "ledger", "keys.json"), filepath.Join(h.dir, "ledger", "log.key"),
	} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, path)
	}
}

func TestTwoHubsDoNotRunInOneDirectory(t *testing.T) {
	h := sandbox.get(t)
	r := lienthong(t, upArgs(h.dir)...)
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "another hub runs in "+h.dir)
	require.FileExists(t, filepath.Join(h.dir, "ready.json"), "the running hub's")
}

func TestAHubThatStopsTakesItsReadyFileAlongAndLosesNothing(t *testing.T) {
	dir := t.TempDir()
	children := []string{"An", "Long"}
	numbers := map[string]string{}
	for i, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		h := up(t, dir)
		require.Equal(t, i == 0, strings.Contains(h.err.String(), "nation made"), "only the first start makes the nation")
		number := at[string](h.issueNumber(t, children[i]).Answer, "personal_id")
		require.Len(t, number, 12)
		numbers[children[i]] = number
		exchange := h.query(t, "H27/one-stop", "CT-TT", residence, "personal_id="+number).Exchange
		h.stop(t, s)
		require.NoFileExists(t, filepath.Join(dir, "ready.json"))
		require.Contains(t, recorded(t, dir), exchange)
		r := lienthong(t, "services", "--dir", dir)
		require.Equal(t, 1, r.code)
		require.Contains(t, r.err, "no hub runs from "+dir)
	}
	h := up(t, dir)
	for child, number := range numbers {
		again := h.issueNumber(t, child)
		require.Equal(t, number, at[string](again.Answer, "personal_id"), "the same request is answered the same, not done twice")
	}
}

func TestAnAnsweredWriteOutlivesAKill(t *testing.T) {
	dir := t.TempDir()
	h := up(t, dir)
	number := at[string](h.issueNumber(t, "An").Answer, "personal_id")
	h.kill()
	h = up(t, dir)
	require.Equal(t, number, at[string](h.issueNumber(t, "An").Answer, "personal_id"))
}

func TestAFirstFillThatWasKilledIsFilledByTheNextStart(t *testing.T) {
	for _, moment := range []string{"nation made", "filling the registries", "registry filled"} {
		dir := t.TempDir()
		p := start(t, upArgs(dir)...)
		p.says(t, moment)
		p.kill()
		require.NoFileExists(t, filepath.Join(dir, "ready.json"))
		h := up(t, dir)
		require.Zero(t, command(t, "", h.ready.FirstQuery...).code, moment)
		h.stop(t, syscall.SIGTERM)
	}
}

func TestAFirstFillThatWasStoppedIsFilledByTheNextStart(t *testing.T) {
	dir := t.TempDir()
	p := start(t, upArgs(dir)...)
	p.says(t, "nation made")
	p.signal(syscall.SIGINT)
	require.Zero(t, p.code(t), p.err.String())
	require.NotContains(t, p.err.String(), "lienthong: ")
	h := up(t, dir)
	require.Zero(t, command(t, "", h.ready.FirstQuery...).code)
}

func TestUpOpensNoDoorButItsThree(t *testing.T) {
	h := sandbox.get(t)
	require.Len(t, listening(t, h.ready.PID), 3, "gRPC, HTTP and the bus")
}

func TestHealthAndMetricsAreThere(t *testing.T) {
	h := sandbox.get(t)
	for path, expected := range map[string]string{"/healthz": "", "/readyz": `"ready":true`, "/metrics": "lienthong_bus_connected 1"} {
		require.Contains(t, get(t, "http://"+h.ready.Addresses["http"]+path), expected)
	}
}

const residence = "population.v1.PopulationService/GetResidence"

// issueNumber has the ministry of justice ask for a number for a child of the sandbox's first family.
func (h *hub) issueNumber(t *testing.T, given string) answer {
	t.Helper()
	return h.query(t, "G15/civil-status", "HT-KS", populationService+"IssueNumber", newborn(t, h, given)...)
}

// recorded lists the ids of the exchanges that the hub has recorded.
func recorded(t *testing.T, dir string) map[string]bool {
	t.Helper()
	reader, err := journal.OpenReader(parts.Dir(dir).Ledger().Journal())
	require.NoError(t, err)
	first, next := reader.Bounds()
	ids := map[string]bool{}
	for entry, err := range reader.Scan(t.Context(), first, next) {
		require.NoError(t, err)
		var record hubv1.LedgerRecord
		require.NoError(t, proto.Unmarshal(entry.Payload, &record))
		if e := record.GetExchange(); e != nil {
			ids[uuid.UUID(e.GetId()).String()] = true
		}
	}
	return ids
}
