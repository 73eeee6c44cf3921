package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/deploy/bench/figures"
)

func TestMedianOfRoundsIsTakenForEachFigure(t *testing.T) {
	rounds := []row{
		{Name: "hub", Callers: 64, CallsPerSecond: 300, P50: 1, P99: 9, CPU: 50},
		{Name: "hub", Callers: 64, CallsPerSecond: 100, P50: 3, P99: 7, CPU: 70},
		{Name: "hub", Callers: 64, CallsPerSecond: 200, P50: 2, P99: 8, CPU: 10},
	}
	require.Equal(t, row{Name: "hub", Callers: 64, CallsPerSecond: 200, P50: 2, P99: 8, CPU: 50}, medianRow(rounds))
	require.Equal(t, 200.0, medianRow(rounds[:2]).CallsPerSecond, "of two it is the middle")
	require.Equal(t, 300.0, medianRow(rounds[:1]).CallsPerSecond)
}

func TestGoalsAreJudgedAtTheirLimits(t *testing.T) {
	rows := func(hubCalls, hubP99 float64) []row {
		return []row{
			{Name: "nginx", Callers: 64, CallsPerSecond: 1000, P99: 10},
			{Name: "haproxy", Callers: 64, CallsPerSecond: 2000, P99: 5},
			{Name: "hub", Callers: 64, CallsPerSecond: hubCalls, P99: hubP99},
			{Name: "hub", Callers: 1, CallsPerSecond: 1, P99: 1},
		}
	}
	ledgers := func(hubCalls, hubP50 float64) []row {
		return []row{
			{Name: "hub", Callers: 64, CallsPerSecond: hubCalls}, {Name: inMemory, Callers: 64, CallsPerSecond: 1000},
			{Name: "hub", Callers: 256, CallsPerSecond: hubCalls}, {Name: inMemory, Callers: 256, CallsPerSecond: 1000},
			{Name: "hub", Callers: 1, P50: hubP50}, {Name: inMemory, Callers: 1, P50: 1},
		}
	}
	for _, c := range []struct {
		name   string
		report report
		met    []bool
	}{
		{"as fast as nginx", report{Rows: rows(1000, 10)}, []bool{true, true, false, false}},
		{"slower than nginx", report{Rows: rows(999, 10.1)}, []bool{false, false, false, false}},
		{"within reach of HAProxy", report{Rows: rows(1400, 10)}, []bool{true, true, true, false}},
		{"as fast as HAProxy", report{Rows: rows(2000, 10)}, []bool{true, true, true, true}},
		{"only the hub measured", report{Rows: rows(1, 1)[2:]}, nil},
		{"ledger on disk as wished", report{Rows: ledgers(850, 1.5)}, []bool{true, true, true}},
		{"ledger on disk too slow", report{Rows: ledgers(849, 1.51)}, []bool{false, false, false}},
		{"ledger in memory at 64 callers only", report{Rows: ledgers(850, 1)[:2]}, []bool{true}},
		{"agreements cost what they may", report{Rows: []row{{Name: inMemory, Callers: 64, CPU: 100}, {Name: withMany, Callers: 64, CPU: 110}}}, []bool{true}},
		{"agreements cost more", report{Rows: []row{{Name: inMemory, Callers: 64, CPU: 100}, {Name: withMany, Callers: 64, CPU: 111}}}, []bool{false}},
		{"starts in time", report{Starts: []startTime{{Name: "first start", People: 100_000, Seconds: 5}, {Name: "second start", People: 100_000, Seconds: 1}, {Name: "first start", People: million, Seconds: 30}}}, []bool{true, true, true}},
		{"starts too late", report{Starts: []startTime{{Name: "first start", People: 100_000, Seconds: 5.01}, {Name: "second start", People: 100_000, Seconds: 1.01}, {Name: "first start", People: million, Seconds: 30.01}}}, []bool{false, false, false}},
		{"a start of another nation", report{Starts: []startTime{{Name: "first start", People: 5000, Seconds: 60}}}, nil},
		{"little memory", report{Memory: []memory{{idleMemory("first start", 100_000), 300}}}, []bool{true}},
		{"much memory", report{Memory: []memory{{idleMemory("first start", 100_000), 301}, {"loaded: hub", 900}}}, []bool{false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.report.judge()
			var met []bool
			for _, g := range c.report.Goals {
				met = append(met, g.Met)
			}
			require.Equal(t, c.met, met)
		})
	}
}

func TestReportSaysPlainlyWhatIsNotMet(t *testing.T) {
	r := report{Rows: []row{
		{Name: "nginx", Callers: 64, CallsPerSecond: 1000, P99: 10},
		{Name: "hub", Callers: 64, CallsPerSecond: 500, P99: 5},
	}}
	r.judge()
	var out bytes.Buffer
	r.print(&out)
	require.Regexp(t, `calls/s of the hub, in those of nginx: at least 1 +NOT MET +\(0\.50\)`, out.String())
	require.Regexp(t, `p99 of the hub, in that of nginx: at most 1 +met +\(0\.50\)`, out.String())
}

func TestWrittenRowsHaveExactlyTheAgreedFields(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run", "bench.json")
	r := report{Rows: []row{{Name: "hub", Callers: 64}}}
	require.NoError(t, figures.Write(file, r))
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var read struct {
		Rows []map[string]any `json:"rows"`
	}
	require.NoError(t, json.Unmarshal(raw, &read))
	require.Equal(t, []string{"callers", "calls_per_s", "cpu_us_per_call", "name", "p50_ms", "p99_ms"},
		slices.Sorted(maps.Keys(read.Rows[0])))
}
