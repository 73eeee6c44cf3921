package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/lienthong/lienthong/deploy/bench/figures"
)

// row is what one path did under a number of callers: medians of the rounds.
type row struct {
	Name           string  `json:"name"`
	Callers        int     `json:"callers"`
	CallsPerSecond float64 `json:"calls_per_s"`
	P50            float64 `json:"p50_ms"`
	P99            float64 `json:"p99_ms"`
	CPU            float64 `json:"cpu_us_per_call"` // of all processes on the server's side

	client float64 // CPU of the caller, µs per call
	others float64 // share of the machine that went to processes that have no part in this
}

// String is the row as a line of progress.
func (r row) String() string {
	line := fmt.Sprintf("%-10s %3d callers %8.0f calls/s  p50 %6.2f ms  p99 %6.2f ms  CPU per call %4.0f µs, of the caller %3.0f µs",
		r.Name, r.Callers, r.CallsPerSecond, r.P50, r.P99, r.CPU, r.client)
	if r.others > disturbed {
		line += fmt.Sprintf("  (others took %.0f %% of the machine)", 100*r.others)
	}
	return line
}

// disturbed is the share of the machine from which on others disturb a measurement.
const disturbed = 0.1

type rowKey struct {
	name    string
	callers int
}

// startTime is from exec to the first answered query.
type startTime struct {
	Name    string  `json:"name"`
	People  int     `json:"people"`
	Seconds float64 `json:"seconds"` // from exec to the first answered query

	ReadySeconds float64 `json:"ready_seconds"` // from exec until every registry answers
}

// memory is resident memory, in millions of bytes.
type memory struct {
	Name     string  `json:"name"`
	Resident float64 `json:"rss_mb"`
}

// report is all that a run found.
type report struct {
	Machine figures.Machine `json:"machine"`
	Date    time.Time       `json:"date"`
	Rows    []row           `json:"rows"`
	Starts  []startTime     `json:"starts"`
	Memory  []memory        `json:"memory"`
	Goals   figures.Goals   `json:"goals"`

	// OthersPercent is the share of the machine that went to processes that have no part in this while calls were
	// measured. Where it is large the figures say little.
	OthersPercent float64 `json:"others_percent"`
}

// medianRow takes the median of each figure.
func medianRow(rounds []row) row {
	m := rounds[0]
	m.CallsPerSecond = median(rounds, func(r row) float64 { return math.Round(r.CallsPerSecond) })
	m.P50 = median(rounds, func(r row) float64 { return r.P50 })
	m.P99 = median(rounds, func(r row) float64 { return r.P99 })
	m.CPU = median(rounds, func(r row) float64 { return math.Round(10*r.CPU) / 10 })
	m.client = median(rounds, func(r row) float64 { return r.client })
	m.others = median(rounds, func(r row) float64 { return r.others })
	return m
}

func median(rounds []row, figure func(row) float64) float64 {
	all := make([]float64, len(rounds))
	for i, r := range rounds {
		all[i] = figure(r)
	}
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}

// find returns the row of a path under so many callers.
func (r *report) find(name string, callers int) (row, bool) {
	for _, row := range r.Rows {
		if row.Name == name && row.Callers == callers {
			return row, true
		}
	}
	return row{}, false
}

// idleMemory names the memory of a hub that idles after a start.
func idleMemory(what string, people int) string {
	return fmt.Sprintf("idle: hub after %s, %d people", what, people)
}

// judge compares what was measured with the goals. What was not measured is not judged.
func (r *report) judge() {
	for _, row := range r.Rows {
		r.OthersPercent = max(r.OthersPercent, 100*row.others)
	}
	r.judgeCalls()
	r.judgeLedger()
	r.judgeMany()
	for _, s := range r.Starts {
		limit, known := startLimits[startTime{Name: s.Name, People: s.People}]
		if known {
			r.Goals.AtMost(fmt.Sprintf("%s with %d people, seconds to the first answer", s.Name, s.People), s.Seconds, limit)
		}
	}
	for _, m := range r.Memory {
		if m.Name == idleMemory("first start", 100_000) {
			r.Goals.AtMost("resident memory, idle with 100000 people, MB", m.Resident, 300)
		}
	}
}

// startLimits are the goals of starts, in seconds.
var startLimits = map[startTime]float64{
	{Name: "first start", People: 100_000}:  5,
	{Name: "second start", People: 100_000}: 1,
	{Name: "first start", People: million}:  30,
}

func (r *report) judgeCalls() {
	hub, ok := r.find("hub", judgedCallers)
	if !ok {
		return
	}
	if nginx, ok := r.find("nginx", judgedCallers); ok {
		r.Goals.AtLeast("calls/s of the hub, in those of nginx", hub.CallsPerSecond/nginx.CallsPerSecond, 1)
		r.Goals.AtMost("p99 of the hub, in that of nginx", hub.P99/nginx.P99, 1)
	}
	if haproxy, ok := r.find("haproxy", judgedCallers); ok {
		ratio := hub.CallsPerSecond / haproxy.CallsPerSecond
		r.Goals.AtLeast("calls/s of the hub, in those of HAProxy", ratio, 0.7)
		r.Goals.AtLeast("stretch: calls/s of the hub, in those of HAProxy", ratio, 1)
	}
}

// judgeLedger says what the disk under the ledger costs: the hub against one that keeps its ledger in memory.
func (r *report) judgeLedger() {
	for _, callers := range []int{64, 256} {
		hub, with := r.find("hub", callers)
		memory, without := r.find(inMemory, callers)
		if with && without {
			what := fmt.Sprintf("calls/s of the hub at %d callers, in those with its ledger in memory", callers)
			r.Goals.AtLeast(what, hub.CallsPerSecond/memory.CallsPerSecond, 0.85)
		}
	}
	hub, with := r.find("hub", 1)
	memory, without := r.find(inMemory, 1)
	if with && without {
		r.Goals.AtMost("p50 of the hub at 1 caller, ms more than with its ledger in memory", hub.P50-memory.P50, 0.5)
	}
}

// judgeMany says what a country's agreements cost an exchange.
func (r *report) judgeMany() {
	few, without := r.find(inMemory, judgedCallers)
	many, with := r.find(withMany, judgedCallers)
	if with && without {
		what := fmt.Sprintf("CPU per call of the hub with %d agreements over %d services, in that with the sandbox's", manyAgreements, manyServices)
		r.Goals.AtMost(what, many.CPU/few.CPU, 1.1)
	}
}

// print writes the report for people.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %s\n\n", r.Date.Format(time.DateOnly), r.Machine)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "path\tcallers\tcalls/s\tp50 ms\tp99 ms\tCPU µs/call\t× direct\t× nginx\t× haproxy\t× "+inMemory+"\t")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.2f\t%.2f\t%.0f\t%s\t%s\t%s\t%s\t\n", row.Name, row.Callers, row.CallsPerSecond, row.P50, row.P99, row.CPU,
			r.ratio(row, "direct"), r.ratio(row, "nginx"), r.ratio(row, "haproxy"), r.ratio(row, inMemory))
	}
	_ = t.Flush()
	if r.OthersPercent > 100*disturbed {
		fmt.Fprintf(w, "\nOther processes took up to %.0f %% of the machine meanwhile: measure again when it is quiet.\n", r.OthersPercent)
	}
	fmt.Fprintln(w)
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range r.Starts {
		fmt.Fprintf(t, "%s, %d people\tfirst query answered after %.2f s, all registries after %.2f s\n", s.Name, s.People, s.Seconds, s.ReadySeconds)
	}
	for _, m := range r.Memory {
		fmt.Fprintf(t, "%s\t%.0f MB resident\n", m.Name, m.Resident)
	}
	_ = t.Flush()
	fmt.Fprintln(w)
	r.Goals.Print(w)
}

// ratio is a row's calls/s in those of another path under as many callers.
func (r *report) ratio(of row, path string) string {
	base, ok := r.find(path, of.Callers)
	if !ok || base.CallsPerSecond == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", of.CallsPerSecond/base.CallsPerSecond)
}
