package ledger

import (
	"time"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// search is a question to the index.
type search struct {
	kind  lookupKind
	name  string // of the filters it uses
	query index.Query
	hits  bool // something must be found
}

// pairs are filters that are used together.
var pairs = [][2]string{
	{"consumer", "outcome"}, {"consumer", "method"}, {"provider", "reason"}, {"purpose", "officer"}, {"consumer", "case"},
	{"method", "outcome"}, {"method", "min_latency"}, {"consumer", "reason"}, {"consumer", "subject"},
}

// chooser chooses what to search for, from a sample of the records and when the first and the last was made.
type chooser struct {
	sample      []*hubv1.LedgerRecord
	first, last time.Time
	tallies     map[string]tally
}

func newChooser(sample []*hubv1.LedgerRecord, first, last time.Time) *chooser {
	c := &chooser{sample: sample, first: first, last: last, tallies: map[string]tally{}}
	for _, f := range fields {
		c.tallies[f.name] = tally{}
		for _, record := range sample {
			for _, value := range f.values(record) {
				c.tallies[f.name][value]++
			}
		}
	}
	return c
}

// searches are all that is asked: each filter alone, the pairs, and each filter within a time.
func (c *chooser) searches() []search {
	all := c.times()
	for _, f := range fields {
		all = append(all, c.alone(f)...)
	}
	for _, p := range pairs {
		all = append(all, c.pair(fieldNamed(p[0]), fieldNamed(p[1]))...)
	}
	for _, f := range fields {
		all = append(all, c.within(f)...)
	}
	return all
}

// alone looks for common, rare and absent values of a field.
func (c *chooser) alone(f field) []search {
	var all []search
	for _, value := range c.tallies[f.name].pick() {
		s := search{kind: lookupFilter, name: f.name, hits: true}
		f.set(&s.query, value)
		all = append(all, s)
	}
	if f.absent != "" {
		s := search{kind: lookupFilter, name: f.name}
		f.set(&s.query, f.absent)
		all = append(all, s)
	}
	return all
}

// pair looks for common and rare values of two fields together, met or not, and for those that are most common each
// and were never met: where nothing can be found the most must be looked through.
func (c *chooser) pair(a, b field) []search {
	name := a.name + " + " + b.name
	ask := func(x, y string, hits bool) search {
		s := search{kind: lookupPair, name: name, hits: hits}
		a.set(&s.query, x)
		b.set(&s.query, y)
		return s
	}
	met := c.met(a, b)
	var all []search
	for _, x := range c.tallies[a.name].pick() {
		for _, y := range c.tallies[b.name].pick() {
			all = append(all, ask(x, y, met[[2]string{x, y}]))
		}
	}
	if x, y, ok := c.strangers(a, b, met); ok {
		all = append(all, ask(x, y, false))
	}
	return all
}

// met are the values of two fields that records of the sample have together.
func (c *chooser) met(a, b field) map[[2]string]bool {
	met := map[[2]string]bool{}
	for _, record := range c.sample {
		for _, x := range a.values(record) {
			for _, y := range b.values(record) {
				met[[2]string{x, y}] = true
			}
		}
	}
	return met
}

// strangers are the two values, each as common as can be, that were never met together.
func (c *chooser) strangers(a, b field, met map[[2]string]bool) (x, y string, ok bool) {
	const most = 100 // values of a field that are looked at
	ta, tb := c.tallies[a.name], c.tallies[b.name]
	xs, ys := ta.byCount(), tb.byCount()
	best := 0
	for _, one := range xs[:min(len(xs), most)] {
		for _, other := range ys[:min(len(ys), most)] {
			if together := min(ta[one], tb[other]); together > best && !met[[2]string{one, other}] {
				x, y, ok, best = one, other, true, together
			}
		}
	}
	return x, y, ok
}

// span is a time to search in.
type span struct {
	from, to time.Time
	hits     bool
}

// spans are the newest and the oldest records, some between, and a time when there was no hub.
func (c *chooser) spans() []span {
	whole := c.last.Sub(c.first)
	piece := min(time.Hour, whole/8)
	middle := c.first.Add(whole / 2)
	return []span{
		{c.last.Add(-piece), c.last.Add(time.Second), true},
		{middle, middle.Add(piece), true},
		{c.first.Add(-time.Second), c.first.Add(piece), true},
		{c.first.Add(-2 * time.Hour), c.first.Add(-time.Hour), false},
	}
}

// times are searches by time alone.
func (c *chooser) times() []search {
	var all []search
	for _, s := range c.spans() {
		all = append(all,
			search{lookupFilter, "from", index.Query{From: s.from}, true},
			search{lookupFilter, "to", index.Query{To: s.to}, s.hits},
			search{lookupPair, "from + to", index.Query{From: s.from, To: s.to}, s.hits})
	}
	return append(all, search{lookupFilter, "from", index.Query{From: c.last.Add(time.Hour)}, false})
}

// within looks for values of a field in each of the spans.
func (c *chooser) within(f field) []search {
	var all []search
	for _, s := range c.spans() {
		for _, alone := range c.alone(f) {
			q := alone.query
			q.From, q.To = s.from, s.to
			all = append(all, search{kind: lookupWithin, name: "time + " + f.name, query: q})
		}
	}
	return all
}
