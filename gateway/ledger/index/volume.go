package index

import (
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// volumes counts a block's exchanges by series and minute. An entry of the column is a series with its minutes.
type volumes map[string]*series

// series is one consumer, provider, method and outcome.
type series struct {
	minutes map[int64]*volume
	minute  int64 // the last one that was counted
	last    *volume
}

// volume is how much was exchanged in a minute.
type volume struct {
	count, requestBytes, answerBytes, totalUS uint64
	latency                                   [latencyBuckets]uint64
}

// latencyBuckets is one for each power of two microseconds, see hubv1.Volume.
const latencyBuckets = 33

const minute = int64(time.Minute)

// add counts what ended: exchanges, and refusals that were only counted.
func (v volumes) add(t *terms, scratch *[]byte) {
	counts := t.kind == KindExchange
	at := t.time
	if t.refused > 0 && (len(t.agency) == 0 || len(t.method) > 0) {
		return // no exchange: connections that were refused before anybody knew whose they were, readings and acts
	}
	if t.refused > 0 {
		counts = true
		if t.first != nil {
			at = t.first.nanoseconds()
		}
	}
	if !counts {
		return
	}
	*scratch = appendSeries((*scratch)[:0], t)
	s, known := v[string(*scratch)]
	if !known {
		s = &series{minutes: map[int64]*volume{}}
		v[string(*scratch)] = s
	}
	one := s.at(at)
	if t.kind != KindExchange {
		one.count += t.refused
		return
	}
	one.count++
	one.requestBytes += uint64(t.requestBytes)
	one.answerBytes += uint64(t.answerLen)
	one.totalUS += uint64(t.totalUS)
	one.latency[latencyBucket(t.totalUS)]++
}

// at returns the volume of the minute that a time is in.
func (s *series) at(t int64) *volume {
	m, _ := floorDiv(t, minute)
	if s.last != nil && s.minute == m {
		return s.last
	}
	one, known := s.minutes[m]
	if !known {
		one = new(volume)
		s.minutes[m] = one
	}
	s.minute, s.last = m, one
	return one
}

// latencyBucket returns i where 2^(i-1) < us ≤ 2^i.
func latencyBucket(us uint32) int {
	if us == 0 {
		return 0
	}
	return bits.Len32(us - 1)
}

// appendSeries appends the key of the record's series.
func appendSeries(b []byte, t *terms) []byte {
	size := len(t.agency)
	if size > 0 {
		size += 1 + len(t.system)
	}
	b = binary.AppendUvarint(b, uint64(size))
	b = appendConsumer(b, t.agency, t.system)
	for _, text := range [...][]byte{t.provider, t.method} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return append(b, byte(t.outcome))
}

// seriesNames is what a series is of.
type seriesNames struct {
	consumer, provider, method string
	outcome                    hubv1.Exchange_Outcome
}

func readSeries(key []byte) (n seriesNames, err error) {
	for _, to := range [...]*string{&n.consumer, &n.provider, &n.method} {
		var text []byte
		if text, key, err = cutBytes(key); err != nil {
			return n, err
		}
		*to = string(text)
	}
	if len(key) != 1 {
		return n, errPage
	}
	n.outcome = hubv1.Exchange_Outcome(key[0])
	return n, nil
}

// span is the first and the last minute; first > last when there is none.
func (v volumes) span() (first, last int64) {
	first, last = 1, 0
	for _, s := range v {
		for m := range s.minutes {
			if first > last {
				first, last = m, m
			}
			first, last = min(first, m), max(last, m)
		}
	}
	return first, last
}

// volumes writes the column of volumes.
func (p *pager) volumes(all volumes) error {
	var b []byte
	for _, key := range slices.Sorted(maps.Keys(all)) {
		b = all[key].append(b[:0])
		if err := p.entry(key, b); err != nil {
			return err
		}
	}
	return p.flush("")
}

// append appends the series' minutes.
func (s *series) append(b []byte) []byte {
	var last int64
	for _, m := range slices.Sorted(maps.Keys(s.minutes)) {
		b = binary.AppendVarint(b, m-last)
		b = s.minutes[m].append(b)
		last = m
	}
	return b
}

func (v *volume) append(b []byte) []byte {
	for _, n := range [...]uint64{v.count, v.requestBytes, v.answerBytes, v.totalUS} {
		b = binary.AppendUvarint(b, n)
	}
	from, to := 0, latencyBuckets
	for from < to && v.latency[from] == 0 {
		from++
	}
	for to > from && v.latency[to-1] == 0 {
		to--
	}
	b = append(b, byte(from), byte(to))
	for _, n := range v.latency[from:to] {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// readMinutes calls f for the minutes of a series; v is reused.
func readMinutes(b []byte, f func(minute int64, v *volume)) error {
	var m int64
	for len(b) > 0 {
		later, n := binary.Varint(b)
		if n <= 0 {
			return errPage
		}
		m += later
		var v volume
		var err error
		if b, err = v.read(b[n:]); err != nil {
			return err
		}
		f(m, &v)
	}
	return nil
}

func (v *volume) read(b []byte) (rest []byte, err error) {
	for _, to := range [...]*uint64{&v.count, &v.requestBytes, &v.answerBytes, &v.totalUS} {
		n := 0
		if *to, n = binary.Uvarint(b); n <= 0 {
			return nil, errPage
		}
		b = b[n:]
	}
	if len(b) < 2 || b[0] > b[1] || b[1] > latencyBuckets {
		return nil, errPage
	}
	from, to := b[0], b[1]
	b = b[2:]
	for i := from; i < to; i++ {
		n := 0
		if v.latency[i], n = binary.Uvarint(b); n <= 0 {
			return nil, errPage
		}
		b = b[n:]
	}
	return b, nil
}
