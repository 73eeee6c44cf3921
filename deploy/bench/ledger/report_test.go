package ledger

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGoalsAreJudgedAtTheirLimits(t *testing.T) {
	ms := func(n float64) []time.Duration { return []time.Duration{time.Duration(n * float64(time.Millisecond))} }
	for _, c := range []struct {
		name   string
		report Report
		met    []bool
	}{
		{"nothing measured", Report{}, nil},
		{"journal as fast as wished", Report{Stages: []Stage{{Name: aloneName(256), PerSecond: 300_000}}, oneAppender: 120, oneSync: 100}, []bool{true, true}},
		{"journal too slow", Report{Stages: []Stage{{Name: aloneName(256), PerSecond: 299_999}}, oneAppender: 121, oneSync: 100}, []bool{false, false}},
		{"other numbers of appenders have no goal", Report{Stages: []Stage{{Name: aloneName(64), PerSecond: 1}}}, nil},
		{"log and check as fast as wished", Report{Stages: []Stage{{Name: stageNotary, PerSecond: 20_000}, {Name: stageCheck, PerSecond: 500_000}}}, []bool{true, true}},
		{"log and check too slow", Report{Stages: []Stage{{Name: stageNotary, PerSecond: 19_999}, {Name: stageCheck, PerSecond: 499_999}}}, []bool{false, false}},
		{"both checks take their time one after the other", Report{Stages: []Stage{{Name: stageCheck, PerSecond: 1_000_000}, {Name: stageCheckLog, PerSecond: 999_999}}}, []bool{true, false}},
		{"lookups in time", Report{Lookups: []Lookup{lookup(lookupProof, "", ms(5)), lookup(lookupFilter, "", ms(100)), lookup(lookupPair, "", ms(100)), lookup(lookupWithin, "", ms(100)), lookup(lookupCitizen, "", ms(50))}}, []bool{true, true, true, true, true}},
		{"the worst of each kind counts", Report{Lookups: []Lookup{lookup(lookupFilter, "a", ms(1)), lookup(lookupFilter, "b", ms(101)), lookup(lookupFilter, "c", ms(1)), lookup(lookupPair, "", ms(1))}}, []bool{false, true}},
		{"disk", Report{Records: settled, Disk: []Disk{{Part: "journal", PerRecord: 2000}, {Part: diskAll, PerRecord: 1024}}}, []bool{true}},
		{"too much disk", Report{Records: settled, Disk: []Disk{{Part: diskAll, PerRecord: 1025}}}, []bool{false}},
		{"disk of a small ledger is mostly prepared space", Report{Records: settled - 1, Disk: []Disk{{Part: diskAll, PerRecord: 4000}}}, nil},
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

func TestProofsAreJudgedByTheirP99AndSearchesByTheSlowest(t *testing.T) {
	times := make([]time.Duration, 1000)
	times[999] = time.Second
	require.Zero(t, lookup(lookupProof, "", times).judged())
	require.Equal(t, 1000.0, lookup(lookupFilter, "", times).judged())
}

func TestReportSaysPlainlyWhatIsNotMet(t *testing.T) {
	r := Report{
		Stages:  []Stage{{Name: stageNotary, Records: 10, PerSecond: 30_000, CPU: 12.34}},
		Lookups: []Lookup{lookup(lookupFilter, "search by case", []time.Duration{time.Millisecond}), lookup(lookupFilter, "search by kind", []time.Duration{time.Second})},
		Disk:    []Disk{{Part: diskAll, MB: 1, PerRecord: 600}},
	}
	r.judge()
	var out bytes.Buffer
	r.Print(&out)
	require.Regexp(t, `transparency log +10 +30000 +- +- +12\.3`, out.String())
	require.Regexp(t, `search by case +1 +1\.00 +1\.00 +1\.00 +100\s*\n`, out.String())
	require.Regexp(t, `search by kind +1 +1000\.00 .*NOT MET`, out.String())
	require.Regexp(t, `disk: all +1 MB +600 bytes per record`, out.String())
	require.Regexp(t, `first page of each filter alone.* at most 100 +NOT MET +\(1000\)`, out.String())
}
