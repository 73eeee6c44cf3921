package service

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// maxVolumes is how many volumes an answer has at most.
const maxVolumes = 5000

// maxBuckets is how many minutes, hours or days an answer spans at most.
const maxBuckets = 3000

// units are what time can be added up by.
var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// ListVolumes implements hubv1.LedgerServiceServer.
func (s *Server) ListVolumes(ctx context.Context, request *hubv1.ListVolumesRequest) (*hubv1.ListVolumesResponse, error) {
	return answer(ctx, s, methodListVolumes, func(ctx context.Context, r *reading) (*hubv1.ListVolumesResponse, error) {
		q, err := volumesOf(request)
		if err != nil {
			return nil, err
		}
		r.say(volumeWords(request))
		q.Max = maxVolumes
		volumes, err := r.volumes(ctx, q)
		switch {
		case errors.Is(err, index.ErrTooMany), err == nil && len(volumes) > maxVolumes:
			return nil, reason.AnswerTooLarge
		case err != nil:
			return nil, err
		}
		r.access.Entries = uint32(len(volumes))
		return &hubv1.ListVolumesResponse{Volumes: volumes}, nil
	})
}

// volumesOf checks what volumes are asked for. It fails with FILTER_INVALID at the field.
func volumesOf(request *hubv1.ListVolumesRequest) (q index.VolumeQuery, err error) {
	if q.From, q.To, err = spanOf(request.GetFrom(), request.GetTo(), ""); err != nil {
		return q, err
	}
	if q.By, err = byOf(request.GetBy()); err != nil {
		return q, err
	}
	if unit := q.By.Time; unit != 0 && unit != units["day"] && (q.From.IsZero() || q.To.IsZero() || q.To.Sub(q.From) > maxBuckets*unit) {
		return q, reason.FilterInvalid.At("from") // more than anybody could look at
	}
	if err := checkConsumer(request.GetConsumer(), "consumer"); err != nil {
		return q, err
	}
	if request.GetProvider() != "" && !isAgency(request.GetProvider()) {
		return q, reason.FilterInvalid.At("provider")
	}
	if !isMethod(request.GetMethod()) {
		return q, reason.FilterInvalid.At("method")
	}
	q.Consumer, q.Provider, q.Method = request.GetConsumer(), request.GetProvider(), request.GetMethod()
	return q, nil
}

// byOf reads what to add up by: nothing twice, and time in one way.
func byOf(names []string) (by index.VolumeBy, err error) {
	for i, name := range names {
		unit, isTime := units[name]
		switch {
		case slices.Contains(names[:i], name) || isTime && by.Time != 0:
			return by, reason.FilterInvalid.At("by")
		case isTime:
			by.Time = unit
		case name == "consumer":
			by.Consumer = true
		case name == "provider":
			by.Provider = true
		case name == "method":
			by.Method = true
		case name == "outcome":
			by.Outcome = true
		default:
			return by, reason.FilterInvalid.At("by")
		}
	}
	return by, nil
}

// volumeWords are the request as Access.filter has it.
func volumeWords(request *hubv1.ListVolumesRequest) string {
	var p phrase
	p.addTime("from", request.GetFrom())
	p.addTime("to", request.GetTo())
	p.addFree("consumer", request.GetConsumer())
	p.add("provider", request.GetProvider())
	p.addFree("method", request.GetMethod())
	p.add("by", strings.Join(slices.Sorted(slices.Values(request.GetBy())), "+"))
	return p.String()
}

// volumes adds up what is in the reader's scope. What is both of its agency's asking and of its registries' answering
// counts once: both sums less what is in both.
func (r *reading) volumes(ctx context.Context, q index.VolumeQuery) ([]*hubv1.Volume, error) {
	s := r.scope
	if !s.all && s.consumer == "" && s.provider == "" {
		return nil, errScope
	}
	q.Scope = index.Scope{Consumer: s.consumer}
	if s.consumer == "" {
		q.Scope = index.Scope{Provider: s.provider}
	}
	asked, err := r.server.cfg.Searcher.Volumes(ctx, q)
	if err != nil || s.consumer == "" || s.provider == "" {
		return asked, err
	}
	q.Scope = index.Scope{Provider: s.provider}
	answered, err := r.server.cfg.Searcher.Volumes(ctx, q)
	if err != nil {
		return nil, err
	}
	q.Scope.Consumer = s.consumer
	both, err := r.server.cfg.Searcher.Volumes(ctx, q)
	if err != nil {
		return nil, err
	}
	return union(asked, answered, both), nil
}

// bucket is what a volume is the sum of.
type bucket struct {
	start                      int64
	timed                      bool
	consumer, provider, method string
	outcome                    hubv1.Exchange_Outcome
}

func bucketOf(v *hubv1.Volume) bucket {
	return bucket{v.GetStart().GetSeconds(), v.GetStart() != nil, v.GetConsumer(), v.GetProvider(), v.GetMethod(), v.GetOutcome()}
}

// union adds two lists of volumes and takes away what is in both, in order of time, then of size.
func union(a, b, both []*hubv1.Volume) []*hubv1.Volume {
	sums := map[bucket]*hubv1.Volume{}
	var all []*hubv1.Volume
	for _, v := range slices.Concat(a, b) {
		if sum := sums[bucketOf(v)]; sum != nil {
			add(sum, v, 1)
			continue
		}
		sums[bucketOf(v)] = v
		all = append(all, v)
	}
	for _, v := range both {
		if sum := sums[bucketOf(v)]; sum != nil {
			add(sum, v, ^uint64(0)) // which is -1
		}
	}
	all = slices.DeleteFunc(all, func(v *hubv1.Volume) bool { return v.GetCount() == 0 })
	slices.SortStableFunc(all, func(a, b *hubv1.Volume) int {
		return cmp.Or(cmp.Compare(a.GetStart().GetSeconds(), b.GetStart().GetSeconds()), cmp.Compare(b.GetCount(), a.GetCount()))
	})
	return all
}

// add adds so many times another volume, modulo 2^64.
func add(to, v *hubv1.Volume, times uint64) {
	to.Count += times * v.GetCount()
	to.RequestBytes += times * v.GetRequestBytes()
	to.AnswerBytes += times * v.GetAnswerBytes()
	to.TotalUs += times * v.GetTotalUs()
	for i, n := range v.GetLatency() {
		if i == len(to.Latency) {
			to.Latency = append(to.Latency, 0)
		}
		to.Latency[i] += times * n
	}
}
