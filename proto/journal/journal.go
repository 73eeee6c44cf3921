// Package journal keeps opaque records on disk, in order, for ever: the evidence of the hub.
//
// Invariants:
//   - Append returns without error only after its record is durable: fdatasync returned.
//   - Sequence numbers are contiguous from 0 and never reused, restarts included. A number whose batch could not be
//     written is void for ever, and says so.
//   - Each entry's digest covers its salt, number, payload and the digest before it.
//   - After a failed write or sync the segment is abandoned at its last durable batch and never read beyond. The
//     journal refuses appends until a new segment is durable; it tries by itself.
//   - Opening cuts only a last batch that was never completely written. Whatever else is not as it was written is
//     refused, with its place.
//
// It relies on this of a disk: what fdatasync confirmed stays, and a write replaces an aligned 64 bytes wholly or not
// at all (disks promise 512). What does not belong here: what the records mean, proofs to strangers (the
// transparency log), search.
package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Config says where a journal is and how it behaves.
type Config struct {
	Dir  string // segments and lock; made when it does not exist
	Head string // the head file, on another disk if possible; default Dir + ".head"

	// AcceptMissingHead opens a journal that has records but no head file. Nothing then shows that the journal is not
	// an older copy of itself: compare its end with a checkpoint before you set it, and set it for one start only.
	AcceptMissingHead bool

	SegmentSize int64         // bytes of a segment, a multiple of 4096, at least MinSegmentSize; default DefaultSegmentSize
	Patience    time.Duration // an append that is not durable by then, or its batch, fails; default 2 s
	Log         *slog.Logger  // default: none

	Disk Disk             // seam for tests; default: the operating system's
	Now  func() time.Time // seam for tests; default: time.Now
	tiny bool             // in tests SegmentSize may be below the minimum
}

const (
	defaultPatience = 2 * time.Second
	headEvery       = time.Second
)

// Journal takes records. All its methods may be called by any number of goroutines.
type Journal struct {
	cfg   Config
	log   *slog.Logger
	lock  *os.File
	limit int // bytes of a batch

	mu     sync.Mutex
	work   sync.Cond // the committer waits here for records
	space  sync.Cond // appenders wait here for space in the open batch
	open   *batch    // takes records
	spare  *batch    // becomes the open one when the committer takes that; nil while the committer has one
	flying *outcome  // of the batch that is being written
	seq    uint64    // of the next record
	digest Digest    // of the record before it
	chain  *chain
	salts  []byte
	err    error // why no records are taken
	hung   bool  // err is only that the device does not answer
	closed bool
	head   head              // what is durable
	tails  map[uint64]*index // of the segments that are not sealed yet, by name

	gathered gathering

	durable atomic.Uint64
	written *head // what the head file says; belongs to one goroutine at a time
	pulse   pulse
	stats   stats

	live    *segment // belongs to the committer
	behind  ending   // how the newest durable segment ends; belongs to the committer
	blanks  chan blankFile
	noBlank chan error     // why there is no blank file; somebody waits for one
	sealing chan struct{}  // held while a segment is being sealed
	stray   string         // a segment that may have its name on disk although beginning it failed
	closing chan struct{}  // closed when no more records are taken
	quit    chan struct{}  // closed when the committer has ended
	wg      sync.WaitGroup // committer
	helpers sync.WaitGroup // the others
}

// segment is the one that takes batches.
type segment struct {
	path string
	file File
	h    *header
	seed uint32
	idx  *index
	off  int64 // where the next batch goes
}

// Err says why the journal takes no records now; nil when it does.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// Durable returns how many entries are durable: the first sequence number that readers may not read yet.
func (j *Journal) Durable() uint64 { return j.durable.Load() }

// Close commits what was appended, writes the head file and lets the directory go. On a device that hangs it gives
// up after Config.Patience and says so; the directory stays locked until the process ends.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	close(j.closing)
	j.work.Broadcast()
	j.space.Broadcast()
	j.mu.Unlock()

	if !finished(&j.wg, j.cfg.Patience) {
		close(j.quit)
		return fmt.Errorf("close the journal: the device under %s does not answer", j.cfg.Dir)
	}
	close(j.quit)
	if !finished(&j.helpers, j.cfg.Patience) {
		return fmt.Errorf("close the journal: the device under %s does not answer", j.cfg.Dir)
	}
	err := j.writeHead()
	j.pulse.end()
	if j.live != nil {
		err = errors.Join(err, j.live.file.Close())
	}
	return errors.Join(err, j.lock.Close())
}

// finished reports whether the group ended in time.
func finished(wg *sync.WaitGroup, patience time.Duration) bool {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(patience):
		return false
	}
}

func (c *Config) complete() error {
	if c.Dir == "" {
		return errors.New("open journal: no directory was given")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	c.Dir = dir
	if c.Head == "" {
		c.Head = c.Dir + ".head"
	}
	if c.SegmentSize == 0 {
		c.SegmentSize = DefaultSegmentSize
	}
	if c.SegmentSize < MinSegmentSize && !c.tiny || c.SegmentSize%headerSize != 0 {
		return fmt.Errorf("open journal: a segment has at least %d bytes and a multiple of %d, not %d",
			MinSegmentSize, headerSize, c.SegmentSize)
	}
	if c.Patience <= 0 {
		c.Patience = defaultPatience
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Disk == nil {
		c.Disk = osDisk{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}
