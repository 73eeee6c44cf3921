package journal

import (
	"sync/atomic"
	"time"
)

// Stats are what a journal did since it was opened, for metrics.
type Stats struct {
	Records  uint64        // made durable
	Batches  uint64        // made durable
	Bytes    uint64        // written, with everything around the records
	Busy     time.Duration // spent in write and sync of batches, all in all
	Segments uint64        // begun
	Failures uint64        // times that the journal stopped taking records
	HeadAge  time.Duration // since the head file was last right
}

type stats struct {
	records, batches, bytes, segments, failures atomic.Uint64
	busy                                        atomic.Int64
	headRight                                   atomic.Int64 // Unix time, ns
}

func (s *stats) committed(b *batch, bytes int, took time.Duration) {
	s.records.Add(uint64(b.count))
	s.batches.Add(1)
	s.bytes.Add(uint64(bytes))
	s.busy.Add(int64(took))
}

// Stats returns the figures so far.
func (j *Journal) Stats() Stats {
	s := &j.stats
	return Stats{
		Records: s.records.Load(), Batches: s.batches.Load(), Bytes: s.bytes.Load(), Busy: time.Duration(s.busy.Load()),
		Segments: s.segments.Load(), Failures: s.failures.Load(),
		HeadAge: time.Since(time.Unix(0, s.headRight.Load())),
	}
}
