package journal

import (
	"crypto/rand"
	"fmt"
	"time"
)

const saltsAtOnce = 256

// Append adds a record and returns its sequence number once it is durable. The payload is copied.
//
// It fails with ErrSize, and nothing was written, if the payload is empty or above MaxRecord; with ErrUnavailable if
// the device does not work or did not answer within Config.Patience. Uncertain says whether the record may then
// still be kept, under the number that is returned.
func (j *Journal) Append(payload []byte) (seq uint64, err error) {
	if n := len(payload); n == 0 || n > MaxRecord {
		return 0, fmt.Errorf("%w: %d bytes, between 1 and %d are possible", ErrSize, n, MaxRecord)
	}
	r := stored{form: uint32(len(payload)), sum: checksum(0, payload), payload: payload}
	if blank(payload) {
		if _, err := rand.Read(r.salt[:]); err != nil {
			return 0, fmt.Errorf("draw a salt: %w", err)
		}
		r.form |= masked
		if r.payload, err = mask(nil, payload, &r.salt); err != nil {
			return 0, err
		}
	}
	seq, o, err := j.enter(&r, payload)
	if err != nil {
		return 0, err
	}
	<-o.done
	return seq, o.err
}

// enter gives the record its number and its place in the open batch. It waits while that batch is full.
func (j *Journal) enter(r *stored, payload []byte) (uint64, *outcome, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.admit(len(payload)); err != nil {
		return 0, nil, err
	}
	if r.form&masked == 0 {
		if err := j.drawSalt(&r.salt); err != nil {
			return 0, nil, err
		}
	}
	b := j.open
	if b.count == 0 {
		b.begin(j.seq, j.digest)
		b.outcome = j.newOutcome()
		j.work.Signal()
	}
	seq, prev := j.seq, j.digest
	b.add(r, seq, prev)
	j.digest = j.chain.sum(r.salt, seq, prev, payload)
	b.last = j.digest
	j.seq++
	if b.count == j.gathered.want {
		j.work.Signal()
	}
	return seq, b.outcome, nil
}

// admit waits until the open batch has space. It refuses while the journal takes no records.
func (j *Journal) admit(n int) error {
	var since time.Time
	for {
		switch {
		case j.closed:
			return &unavailable{cause: ErrClosed}
		case j.err != nil:
			return &unavailable{cause: j.err}
		case j.open.fits(n, j.limit):
			return nil
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > j.cfg.Patience:
			return &unavailable{cause: fmt.Errorf("more records wait than the device takes in %v", j.cfg.Patience)}
		}
		j.space.Wait()
	}
}

func (j *Journal) drawSalt(s *Salt) error {
	if len(j.salts) < len(s) {
		j.salts = j.salts[:cap(j.salts)]
		if _, err := rand.Read(j.salts); err != nil {
			return fmt.Errorf("draw salts: %w", err)
		}
	}
	n := len(j.salts) - len(s)
	copy(s[:], j.salts[n:])
	j.salts = j.salts[:n]
	return nil
}

// newOutcome returns the outcome of a batch that begins now. It is settled as uncertain when Patience is over.
func (j *Journal) newOutcome() *outcome {
	o := &outcome{done: make(chan struct{})}
	o.timer = time.AfterFunc(j.cfg.Patience, func() { j.late(o) })
	return o
}

// settle tells those who wait for a batch what became of it, once. The caller holds mu.
func (o *outcome) settle(err error) {
	select {
	case <-o.done:
	default:
		o.err = err
		o.timer.Stop()
		close(o.done)
	}
}

// late finds that a batch is not durable although its time is over: the device hangs. All who wait are told so,
// and whoever comes is refused until the device answers.
func (j *Journal) late(o *outcome) {
	if j.giveUp(o) { // not while mu is held: where the log goes may hang as well
		j.log.Error("the journal's device hangs: no record is taken until it answers", "dir", j.cfg.Dir)
	}
}

// giveUp settles what waits for the device unless it is settled. It reports whether the device hangs since now.
func (j *Journal) giveUp(o *outcome) (hangs bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case <-o.done:
		return false
	default:
	}
	cause := fmt.Errorf("the device under %s did not answer within %v", j.cfg.Dir, j.cfg.Patience)
	if hangs = j.err == nil; hangs {
		j.err, j.hung = cause, true
		j.stats.failures.Add(1)
	}
	o.settle(&unavailable{cause: cause, uncertain: true})
	if j.flying != nil {
		j.flying.settle(&unavailable{cause: cause, uncertain: true})
	}
	if j.open.count > 0 {
		j.open.outcome.settle(&unavailable{cause: cause, uncertain: true})
	}
	j.space.Broadcast()
	return hangs
}
