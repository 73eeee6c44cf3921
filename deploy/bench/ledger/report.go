package ledger

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/lienthong/lienthong/deploy/bench/figures"
)

// Stage is what was done to many records.
type Stage struct {
	Name      string  `json:"name"`
	Records   int     `json:"records"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"records_per_s"`
	CPU       float64 `json:"cpu_us_per_record,omitempty"` // of the whole process; not where two things took turns
	P50       float64 `json:"p50_ms,omitempty"`            // of one record, where each was waited for
	P99       float64 `json:"p99_ms,omitempty"`
}

// Lookup is a question that was asked often.
type Lookup struct {
	Name  string  `json:"name"`
	Times int     `json:"times"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`

	kind lookupKind
}

// lookupKind is what a question has its goal from.
type lookupKind string

// Kinds of lookups, as goals name them.
const (
	lookupProof   lookupKind = "proof.json, p99 ms"
	lookupFilter  lookupKind = "first page of each filter alone, the slowest, ms"
	lookupPair    lookupKind = "first page of each pair of filters, the slowest, ms"
	lookupWithin  lookupKind = "first page of each filter within a time, the slowest, ms"
	lookupCitizen lookupKind = "list of a citizen, the slowest, ms"
)

func lookup(kind lookupKind, name string, times []time.Duration) Lookup {
	all := sorted(times)
	return Lookup{name, len(all), milli(quantile(all, 0.5)), milli(quantile(all, 0.99)), milli(quantile(all, 1)), kind}
}

// judged is the figure that the goal is about.
func (l Lookup) judged() float64 {
	if l.kind == lookupProof {
		return l.P99
	}
	return l.Max
}

// limit is what the goal allows, in milliseconds.
func (k lookupKind) limit() float64 {
	switch k {
	case lookupProof:
		return 5
	case lookupCitizen:
		return 50
	}
	return 100
}

// Opening is how long the ledger took to open.
type Opening struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Disk is what a part takes of the disk.
type Disk struct {
	Part      string  `json:"part"`
	MB        float64 `json:"mb"`
	PerRecord float64 `json:"bytes_per_record"`
}

// diskAll is all parts together.
const diskAll = "all"

// Report is all that a run found.
type Report struct {
	Machine figures.Machine `json:"machine"`
	Date    time.Time       `json:"date"`
	Records int             `json:"records"` // of the ledger that was made
	Stages  []Stage         `json:"stages"`
	Lookups []Lookup        `json:"lookups"`
	Opens   []Opening       `json:"opens"`
	Disk    []Disk          `json:"disk"`
	PeakMB  float64         `json:"peak_rss_mb"` // of the process that did it all
	Goals   figures.Goals   `json:"goals"`

	oneAppender, oneSync time.Duration // means; zero where not measured
}

// settled is from how many records on the size of a ledger says something: below, space that is prepared for more
// records is most of it.
const settled = 1_000_000

// judge compares what was measured with the goals. What was not measured is not judged.
func (r *Report) judge() {
	r.fastEnough("records/s of the "+aloneName(256), aloneName(256), 300_000)
	if r.oneSync > 0 {
		r.Goals.AtMost("1 appender, mean time in that of one fdatasync", float64(r.oneAppender)/float64(r.oneSync), 1.2)
	}
	r.fastEnough("records/s of the "+stageNotary, stageNotary, 20_000)
	r.fastEnough("records/s of the "+stageCheck, stageCheck, 500_000)
	r.judgeWholeCheck()
	r.judgeLookups()
	for _, d := range r.Disk {
		if d.Part == diskAll && r.Records >= settled {
			r.Goals.AtMost("bytes of disk per record", d.PerRecord, 1024)
		}
	}
}

// judgeLookups judges the worst of each kind.
func (r *Report) judgeLookups() {
	for _, kind := range []lookupKind{lookupProof, lookupFilter, lookupPair, lookupWithin, lookupCitizen} {
		asked, worst := false, 0.0
		for _, l := range r.Lookups {
			if l.kind == kind {
				asked, worst = true, max(worst, l.judged())
			}
		}
		if asked {
			r.Goals.AtMost(string(kind), worst, kind.limit())
		}
	}
}

func (r *Report) fastEnough(what, stage string, limit float64) {
	if s, ok := r.find(stage); ok {
		r.Goals.AtLeast(what, s.PerSecond, limit)
	}
}

// judgeWholeCheck judges journal and transparency log one after the other.
func (r *Report) judgeWholeCheck() {
	journal, one := r.find(stageCheck)
	log, other := r.find(stageCheckLog)
	if one && other {
		r.Goals.AtLeast("records/s of both checks together", 1/(1/journal.PerSecond+1/log.PerSecond), 500_000)
	}
}

func (r *Report) find(stage string) (Stage, bool) {
	for _, s := range r.Stages {
		if s.Name == stage {
			return s, true
		}
	}
	return Stage{}, false
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %s\na ledger of %d records\n\n", r.Date.Format(time.DateOnly), r.Machine, r.Records)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "step\trecords\trecords/s\tp50 ms\tp99 ms\tCPU µs/record\t")
	for _, s := range r.Stages {
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%s\t%s\t%s\t\n", s.Name, s.Records, s.PerSecond, unlessZero("%.3f", s.P50), unlessZero("%.3f", s.P99), unlessZero("%.1f", s.CPU))
	}
	fmt.Fprintln(t, "\t\t\t\t\t\t")
	fmt.Fprintln(t, "question\ttimes\tp50 ms\tp99 ms\tslowest ms\tgoal ms\t")
	for _, l := range r.Lookups {
		verdict := ""
		if l.judged() > l.kind.limit() {
			verdict = "NOT MET"
		}
		fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2f\t%g\t%s\n", l.Name, l.Times, l.P50, l.P99, l.Max, l.kind.limit(), verdict)
	}
	_ = t.Flush()
	fmt.Fprintln(w)
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range r.Opens {
		fmt.Fprintf(t, "%s\t%.2f s\n", o.Name, o.Seconds)
	}
	for _, d := range r.Disk {
		fmt.Fprintf(t, "disk: %s\t%.0f MB\t%.0f bytes per record\n", d.Part, d.MB, d.PerRecord)
	}
	fmt.Fprintf(t, "most memory of this process\t%.0f MB\n\n", r.PeakMB)
	_ = t.Flush()
	r.Goals.Print(w)
}

func unlessZero(format string, f float64) string {
	if f == 0 {
		return "-"
	}
	return fmt.Sprintf(format, f)
}
