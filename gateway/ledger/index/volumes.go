package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// VolumeQuery asks how much was exchanged. Exchanges count in the minute of their record, refusals that were only
// counted in the minute when the first of them came.
type VolumeQuery struct {
	// From and To select the minutes that begin at or after From, and before To.
	From, To time.Time
	// By is what to add up by. Nothing: all in one.
	By VolumeBy
	// Consumer is an agency or one of its systems, Provider an agency; Method as in Query.
	Consumer, Provider, Method string
	// Scope is what the reader may see at all. It has no subjects: nobody is counted.
	Scope Scope
	// Max is how many volumes there may be: no more are held while they are added up. Default: any number.
	Max int
}

// ErrTooMany says that there are more volumes than VolumeQuery.Max.
var ErrTooMany = errors.New("more volumes than are wanted: ask for a shorter time, or add up by less")

// VolumeBy says by what volumes are added up.
type VolumeBy struct {
	// Time is the length of a bucket: a minute, an hour or a day. Zero: none.
	Time time.Duration
	// Zone is where days and hours begin. Default UTC.
	Zone *time.Location
	// Consumer, Provider, Method and Outcome add up by these.
	Consumer, Provider, Method, Outcome bool
}

const day = 24 * time.Hour

func (q *VolumeQuery) check() error {
	switch {
	case q.By.Time != 0 && q.By.Time != time.Minute && q.By.Time != time.Hour && q.By.Time != day:
		return fmt.Errorf("%w: volumes are added up by minute, hour or day", ErrQuery)
	case q.Scope.Subjects != nil:
		return fmt.Errorf("%w: nobody is counted", ErrQuery)
	case !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To):
		return fmt.Errorf("%w: it ends before it begins", ErrQuery)
	}
	return nil
}

// Volumes adds up how much was exchanged: in order of time, then of size. Damage to the index that it comes upon is
// mended first. What was counted stays so when the journal no longer keeps its records, until the index is made again.
// It fails with ErrTooMany when there are more than q.Max.
func (x *Index) Volumes(ctx context.Context, q VolumeQuery) ([]*hubv1.Volume, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	var s *sum
	err := x.withMending(ctx, func() error {
		s = newSum(&q)
		return x.sum(ctx, s)
	})
	if err != nil {
		return nil, err
	}
	return s.sorted(), nil
}

func (x *Index) sum(ctx context.Context, s *sum) error {
	v := x.view()
	for _, b := range v.blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		if b.volumeFirst > b.volumeLast || b.volumeLast < s.first || b.volumeFirst > s.last {
			continue
		}
		err := x.eachPage(ctx, b.number, colVolume, everything, func(p page) error {
			return p.entries(everything, s.series)
		})
		if err != nil {
			return err
		}
		if s.tooMany {
			return ErrTooMany
		}
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if err := s.live(v.live); err != nil {
		return err
	}
	if s.tooMany {
		return ErrTooMany
	}
	return nil
}

// sum is volumes in the adding.
type sum struct {
	q           *VolumeQuery
	first, last int64 // minutes
	buckets     map[bucket]*hubv1.Volume
	tooMany     bool // and what is in the buckets is not all
}

// bucket is what volumes are added up by.
type bucket struct {
	start int64 // Unix seconds
	seriesNames
}

func newSum(q *VolumeQuery) *sum {
	s := &sum{q: q, first: -1 << 62, last: 1<<62 - 1, buckets: map[bucket]*hubv1.Volume{}}
	if !q.From.IsZero() {
		s.first = firstMinute(q.From)
	}
	if !q.To.IsZero() {
		s.last = firstMinute(q.To) - 1
	}
	return s
}

// firstMinute is the first minute that begins at or after t.
func firstMinute(t time.Time) int64 {
	m, rest := floorDiv(nanos(t), minute)
	if rest > 0 {
		m++
	}
	return m
}

// live adds the block in memory.
func (s *sum) live(b *live) error {
	for key, one := range b.volumes {
		names, err := readSeries([]byte(key))
		if err != nil {
			return err
		}
		if !s.wants(names) {
			continue
		}
		for m, v := range one.minutes {
			s.add(names, m, v)
		}
	}
	return nil
}

// series adds an entry of the column.
func (s *sum) series(key string, minutes []byte) error {
	names, err := readSeries([]byte(key))
	if err != nil || !s.wants(names) {
		return err
	}
	return readMinutes(minutes, func(m int64, v *volume) { s.add(names, m, v) })
}

func (s *sum) wants(n seriesNames) bool {
	agency, system, _ := strings.Cut(n.consumer, "/")
	t := &terms{agency: []byte(agency), system: []byte(system)}
	return isConsumer(s.q.Consumer, t) && isConsumer(s.q.Scope.Consumer, t) &&
		is(s.q.Provider, []byte(n.provider)) && is(s.q.Scope.Provider, []byte(n.provider)) &&
		isMethod(s.q.Method, []byte(n.method))
}

func (s *sum) add(n seriesNames, m int64, v *volume) {
	if m < s.first || m > s.last {
		return
	}
	b := s.bucket(n, m)
	to := s.buckets[b]
	if to == nil {
		if s.tooMany = s.tooMany || s.q.Max > 0 && len(s.buckets) == s.q.Max; s.tooMany {
			return
		}
		to = b.volume(s.q.By.Time > 0)
		s.buckets[b] = to
	}
	to.Count += v.count
	to.RequestBytes += v.requestBytes
	to.AnswerBytes += v.answerBytes
	to.TotalUs += v.totalUS
	for i, count := range v.latency {
		if count == 0 {
			continue
		}
		for len(to.Latency) <= i {
			to.Latency = append(to.Latency, 0)
		}
		to.Latency[i] += count
	}
}

// bucket is where a minute of a series belongs.
func (s *sum) bucket(n seriesNames, m int64) bucket {
	by := &s.q.By
	b := bucket{}
	if by.Consumer {
		b.consumer = n.consumer
	}
	if by.Provider {
		b.provider = n.provider
	}
	if by.Method {
		b.method = n.method
	}
	if by.Outcome {
		b.outcome = n.outcome
	}
	if by.Time > 0 {
		b.start = by.start(m * 60)
	}
	return b
}

// start is when the bucket begins that a second is in. A zone with a clock change within the bucket is not known here
// and now: what counts is the zone's distance from UTC at that second.
func (by *VolumeBy) start(second int64) int64 {
	var east int64
	if by.Zone != nil {
		_, offset := time.Unix(second, 0).In(by.Zone).Zone()
		east = int64(offset)
	}
	_, rest := floorDiv(second+east, int64(by.Time/time.Second))
	return second - rest
}

func (b bucket) volume(timed bool) *hubv1.Volume {
	v := &hubv1.Volume{Consumer: b.consumer, Provider: b.provider, Method: b.method, Outcome: b.outcome}
	if timed {
		v.Start = &timestamppb.Timestamp{Seconds: b.start}
	}
	return v
}

// sorted returns the volumes in order of time, then of size, then of their names.
func (s *sum) sorted() []*hubv1.Volume {
	all := make([]*hubv1.Volume, 0, len(s.buckets))
	for _, v := range s.buckets {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b *hubv1.Volume) int {
		return cmp.Or(cmp.Compare(a.GetStart().GetSeconds(), b.GetStart().GetSeconds()),
			cmp.Compare(b.GetCount(), a.GetCount()), cmp.Compare(a.GetConsumer(), b.GetConsumer()),
			cmp.Compare(a.GetProvider(), b.GetProvider()), cmp.Compare(a.GetMethod(), b.GetMethod()),
			cmp.Compare(a.GetOutcome(), b.GetOutcome()))
	})
	return all
}
