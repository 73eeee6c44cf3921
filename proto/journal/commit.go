package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/proto/fault"
)

// commits is the one goroutine that writes batches. While it writes one, the next fills.
func (j *Journal) commits() {
	defer j.wg.Done()
	for {
		b := j.take()
		if b == nil {
			return
		}
		err := j.commit(b)
		if err == nil {
			j.release(b)
			continue
		}
		j.fail(b, err)
		if !j.reopen() {
			return
		}
	}
}

// take waits for records and returns their batch. It returns nil when the journal was closed and none is left.
func (j *Journal) take() *batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.open.count == 0 {
		if j.closed {
			return nil
		}
		j.work.Wait()
	}
	j.gather()
	b := j.open
	j.open, j.spare = j.spare, nil
	j.open.count = 0
	j.flying = b.outcome
	j.space.Broadcast()
	return b
}

// commit makes a batch durable: one write, one fdatasync.
func (j *Journal) commit(b *batch) error {
	if j.live.off+b.size() > j.live.h.size {
		if err := j.roll(b.first); err != nil {
			return fmt.Errorf("begin a new segment: %w", err)
		}
	}
	s := j.live
	_, _, ms, _ := s.idx.ends()
	ms = max(ms, j.cfg.Now().UnixMilli())
	data := b.finish(s.seed, ms)
	fault.At("journal.before-write")
	began := time.Now()
	if _, err := s.file.WriteAt(data, s.off); err != nil {
		return &spoiled{err}
	}
	fault.At("journal.after-write")
	if !fault.Planted("skip-sync") {
		if err := s.file.Datasync(); err != nil {
			return &spoiled{err}
		}
	}
	fault.At("journal.after-sync")
	j.stats.committed(b, len(data), time.Since(began))
	for i := range b.marks {
		b.marks[i].off += s.off
		b.marks[i].batch = s.off
	}
	s.off += int64(len(data))
	j.behind.end = s.off
	s.idx.add(b.marks, b.first+uint64(b.count), s.off, ms, b.last)
	return nil
}

// spoiled is a failure after which the batch may be on the disk, or not.
type spoiled struct{ error }

// Unwrap gives the failure itself.
func (e *spoiled) Unwrap() error { return e.error }

// release tells readers and callers that the batch is durable.
func (j *Journal) release(b *batch) {
	fault.At("journal.before-release")
	next := b.first + uint64(b.count)
	j.durable.Store(next)
	j.mu.Lock()
	hung := j.hung
	if hung {
		j.err, j.hung = nil, false
	}
	j.head = head{next, b.last}
	b.outcome.settle(nil)
	j.flying, j.spare = nil, b
	j.mu.Unlock()
	j.pulse.beat()
	if hung {
		j.log.Info("the journal's device answers again", "dir", j.cfg.Dir)
	}
}

// fail refuses a batch, the one behind it, and whatever comes until a new segment is durable. Their numbers are void.
func (j *Journal) fail(b *batch, cause error) {
	j.refuse(b, cause)
	j.log.Error("the journal cannot write: no record is taken until it can", "dir", j.cfg.Dir, "error", cause)
}

func (j *Journal) refuse(b *batch, cause error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err, j.hung = cause, false
	j.stats.failures.Add(1)
	var s *spoiled
	b.outcome.settle(&unavailable{cause: cause, uncertain: errors.As(cause, &s)})
	if j.open.count > 0 {
		j.open.outcome.settle(&unavailable{cause: cause})
		j.open.count = 0
	}
	j.flying, j.spare = nil, b
	j.space.Broadcast()
}

// reopen begins a new segment as soon as the device allows it. It returns false when the journal was closed first.
func (j *Journal) reopen() bool {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		if !j.pauseUnlessClosed(pause) {
			return false
		}
		err := j.roll(j.seq) // nobody takes numbers while err is set
		if err == nil {
			break
		}
		j.mu.Lock()
		j.err = fmt.Errorf("begin a new segment: %w", err)
		j.mu.Unlock()
	}
	j.mu.Lock()
	j.err = nil
	j.digest = j.live.h.digest()
	j.head = head{j.seq, j.digest}
	j.durable.Store(j.seq)
	j.mu.Unlock()
	j.log.Info("the journal writes again, on a new segment", "segment", j.live.path,
		"void_from", j.live.h.void, "void_to", j.live.h.first)
	j.pulse.beat()
	return true
}
