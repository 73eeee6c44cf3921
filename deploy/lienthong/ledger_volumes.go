package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// ledgerVolumes shows how much was exchanged.
type ledgerVolumes struct {
	By       []string `help:"What to add up by: minute, hour or day, and consumer, provider, method, outcome (default: ${default})." default:"hour,consumer" placeholder:"WHAT"`
	Since    string   `help:"Not before: 2026-11-22, 2026-11-22T09:30:00+07:00, or how long ago: 15m, 36h, 7d (default: ${default})." default:"24h" placeholder:"WHEN"`
	Until    string   `help:"Before; a date means until its end." placeholder:"WHEN"`
	Consumer string   `help:"Only this agency, or system, that asked." placeholder:"AGENCY[/SYSTEM]"`
	Provider string   `help:"Only this agency that owns registries." placeholder:"AGENCY"`
	Method   string   `help:"Only this: SERVICE/METHOD." placeholder:"NAME"`

	ledgerFlags
}

// volume is a bucket in JSON. Times are in microseconds; percentiles are upper bounds, at most twice too high.
type volume struct {
	Start        string `json:"start,omitempty"`
	Consumer     string `json:"consumer,omitempty"`
	Provider     string `json:"provider,omitempty"`
	Method       string `json:"method,omitempty"`
	Outcome      string `json:"outcome,omitempty"`
	Count        uint64 `json:"count"`
	RequestBytes uint64 `json:"request_bytes"`
	AnswerBytes  uint64 `json:"answer_bytes"`
	MeanUs       uint64 `json:"mean_us"`
	P50Us        uint64 `json:"p50_us"`
	P99Us        uint64 `json:"p99_us"`
}

// Run shows them.
func (c *ledgerVolumes) Run(ctx context.Context, top *cli) error {
	question, err := c.question(time.Now())
	if err != nil {
		return err
	}
	l, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	found, err := asked(ctx, l, l.ListVolumes, question)
	if err != nil {
		return err
	}
	volumes := make([]volume, 0, len(found.GetVolumes()))
	for _, v := range found.GetVolumes() {
		volumes = append(volumes, plainVolume(v))
	}
	if top.JSON {
		return printJSON(volumes)
	}
	return c.table(found.GetVolumes(), volumes)
}

// question is what the flags ask.
func (c *ledgerVolumes) question(now time.Time) (*hubv1.ListVolumesRequest, error) {
	q := &hubv1.ListVolumesRequest{Consumer: c.Consumer, Provider: c.Provider, Method: strings.TrimPrefix(c.Method, "/")}
	times := 0
	for _, by := range c.By {
		switch by {
		case "minute", "hour", "day":
			times++
		case "consumer", "provider", "method", "outcome":
		case "none":
			continue
		default:
			return nil, usage("--by %q: there are minute, hour, day, consumer, provider, method and outcome, or none for all in one", by)
		}
		if slices.Contains(q.By, by) {
			return nil, usage("--by has %s twice", by)
		}
		q.By = append(q.By, by)
	}
	if times > 1 {
		return nil, usage("--by takes one of minute, hour and day at most")
	}
	filter := &hubv1.Filter{}
	if err := (&filterFlags{Since: c.Since, Until: c.Until}).times(filter, now); err != nil {
		return nil, err
	}
	if filter.To == nil {
		filter.To = timestamppb.New(now)
	}
	q.From, q.To = filter.GetFrom(), filter.GetTo()
	return q, c.fits(q.To.AsTime().Sub(q.From.AsTime()))
}

// maxBuckets is how many buckets of time a hub gives at most.
const maxBuckets = 3000

// fits refuses more buckets of time than anybody could look at.
func (c *ledgerVolumes) fits(length time.Duration) error {
	for unit, larger := range map[string]string{"minute": "hour", "hour": "day"} {
		d := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour}[unit]
		if slices.Contains(c.By, unit) && length > maxBuckets*d {
			return usage("--by %s: %v are over %d of them; choose a shorter time, or --by %s", unit, length.Round(time.Hour), maxBuckets, larger)
		}
	}
	return nil
}

func plainVolume(v *hubv1.Volume) volume {
	p := volume{
		Consumer: v.GetConsumer(), Provider: v.GetProvider(), Method: v.GetMethod(), Count: v.GetCount(),
		RequestBytes: v.GetRequestBytes(), AnswerBytes: v.GetAnswerBytes(),
		P50Us: percentile(v.GetLatency(), 50), P99Us: percentile(v.GetLatency(), 99),
	}
	if v.GetStart() != nil {
		p.Start = v.GetStart().AsTime().Format(time.RFC3339)
	}
	if v.GetOutcome() != hubv1.Exchange_OUTCOME_UNSPECIFIED {
		p.Outcome = enumWord(v.GetOutcome().Descriptor(), v.GetOutcome().Number())
	}
	if v.GetCount() > 0 {
		p.MeanUs = v.GetTotalUs() / v.GetCount()
	}
	return p
}

// percentile is the upper bound, in microseconds, of the bucket in which a percentile lies; bucket i reaches to 2^i.
func percentile(latency []uint64, percent uint64) uint64 {
	var count, seen uint64
	for _, n := range latency {
		count += n
	}
	rank := uint64(math.Ceil(float64(count) * float64(percent) / 100))
	for i, n := range latency {
		if seen += n; n > 0 && seen >= rank {
			return 1 << min(i, 62)
		}
	}
	return 0
}

// table prints volumes, with a column for each thing they are added up by.
func (c *ledgerVolumes) table(found []*hubv1.Volume, volumes []volume) error {
	if len(volumes) == 0 {
		fmt.Fprintln(stderr, "lienthong: nothing was exchanged in that time")
		return nil
	}
	var header []string
	var rows [][]string
	column := func(name string, cell func(i int) string) {
		header = append(header, name)
		for i := range volumes {
			if len(rows) <= i {
				rows = append(rows, nil)
			}
			rows[i] = append(rows[i], cell(i))
		}
	}
	for _, by := range c.By {
		switch by {
		case "minute", "hour", "day":
			column("FROM (+07:00)", func(i int) string { return minuteOf(found[i].GetStart()) })
		case "consumer":
			column("CONSUMER", func(i int) string { return volumes[i].Consumer })
		case "provider":
			column("PROVIDER", func(i int) string { return volumes[i].Provider })
		case "method":
			column("METHOD", func(i int) string { return volumes[i].Method })
		case "outcome":
			column("OUTCOME", func(i int) string { return word(found[i].GetOutcome()) })
		}
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	milli := func(us uint64) string { return strconv.FormatFloat(float64(us)/1000, 'f', 1, 64) }
	column("EXCHANGES", func(i int) string { return number(volumes[i].Count) })
	column("MEAN MS", func(i int) string { return milli(volumes[i].MeanUs) })
	column("P50 MS <=", func(i int) string { return milli(volumes[i].P50Us) })
	column("P99 MS <=", func(i int) string { return milli(volumes[i].P99Us) })
	column("ASKED", func(i int) string { return byteSize(volumes[i].RequestBytes) })
	column("ANSWERED", func(i int) string { return byteSize(volumes[i].AnswerBytes) })
	return printTable(header, rows)
}

func minuteOf(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().In(ict).Format("2006-01-02 15:04")
}

// byteSize shows a number of bytes in the unit in which it is shortest.
func byteSize(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i == 0 {
		return strconv.FormatUint(n, 10) + " B"
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + units[i]
}
