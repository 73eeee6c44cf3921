package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Recovery is what Open found and did.
type Recovery struct {
	Segments int      // in the directory, before a new one was begun
	First    uint64   // first sequence number in the directory
	Next     uint64   // the sequence number that the next record gets
	Cut      *Cut     // the incomplete last batch that was cut; nil when there was none
	Void     uint64   // how many numbers became void with it
	Sealed   []string // segments that were sealed only now
}

// Open opens the journal in a directory, or begins one, and takes the directory for itself. Sealed segments are
// checked by header and trailer, the last one wholly; Check does the rest.
//
// It fails with ErrLocked if the directory is taken, with ErrDamaged (a *Damage, with the place) if anything but the
// end of the last batch is not what was written, with ErrRolledBack if the head file has seen more than the journal
// holds or something else, and with ErrHead if that file is missing or damaged. It changes nothing then.
func Open(cfg Config) (*Journal, *Recovery, error) {
	if err := cfg.complete(); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
	if err := cfg.Disk.SyncDir(filepath.Dir(cfg.Dir)); err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
	lock, err := takeLock(cfg.Dir)
	if err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
	j := newJournal(cfg, lock)
	rec, err := j.recover()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open journal: %w", err), lock.Close())
	}
	j.wg.Add(1)
	go j.commits()
	j.helpers.Go(j.prepare)
	j.helpers.Go(j.heads)
	return j, rec, nil
}

func newJournal(cfg Config, lock *os.File) *Journal {
	j := &Journal{
		cfg: cfg, log: cfg.Log, lock: lock,
		limit: int(min(maxBatch, cfg.SegmentSize-headerSize)),
		open:  &batch{}, spare: &batch{},
		chain: newChain(), salts: make([]byte, 0, saltsAtOnce*len(Salt{})),
		tails:  map[uint64]*index{},
		blanks: make(chan blankFile), noBlank: make(chan error), sealing: make(chan struct{}, 1),
		closing: make(chan struct{}), quit: make(chan struct{}),
	}
	j.gathered.timer = time.AfterFunc(time.Hour, j.gathersNoLonger)
	j.gathered.timer.Stop()
	j.work = sync.Cond{L: &j.mu}
	j.space = sync.Cond{L: &j.mu}
	return j
}

// recover brings the directory into a state from which the journal goes on.
func (j *Journal) recover() (*Recovery, error) {
	dirs := []string{j.cfg.Dir}
	s, err := loadShelf(dirs, nil, nil, true)
	if err != nil {
		return nil, err
	}
	if err := j.compareHead(s); err != nil {
		return nil, err
	}
	if err := j.removeBlanks(); err != nil {
		return nil, err
	}
	rec := &Recovery{Segments: len(s.vols)}
	h := &header{size: j.cfg.SegmentSize}
	if n := len(s.vols); n > 0 {
		if h, err = j.mend(s.vols[n-1], rec); err != nil {
			return nil, err
		}
	}
	blank, err := j.makeBlank(0)
	if err != nil {
		return nil, fmt.Errorf("prepare a segment: %w", err)
	}
	live, err := j.place(blank, h)
	if err != nil {
		return nil, fmt.Errorf("begin a segment: %w", err)
	}
	j.adopt(live)
	rec.Sealed = j.sealAll(s, live.path)
	j.seq, j.digest = h.first, h.digest()
	j.durable.Store(j.seq)
	j.head = head{j.seq, j.digest}
	rec.First, _ = s.bounds()
	rec.Next = j.seq
	if err := j.writeHead(); err != nil {
		return nil, errors.Join(err, live.file.Close())
	}
	return rec, nil
}

// mend makes the last batch of the last segment durable, for the one who wrote it may have ended before that, and
// returns the header of the segment that comes next.
func (j *Journal) mend(v *volume, rec *Recovery) (*header, error) {
	if err := j.rewrite(v); err != nil {
		return nil, fmt.Errorf("make the last batch of %s durable: %w", v.path, err)
	}
	next, end, ms, last := v.ends()
	h := &header{size: j.cfg.SegmentSize, ms: ms, void: next, first: next, before: last,
		prev: ending{v.h.id, v.h.first, end}}
	if rec.Cut = v.tail.cut; rec.Cut != nil {
		rec.Void = uint64(rec.Cut.Records)
		h.first += rec.Void
	}
	if h.first == v.h.first {
		// Nothing was ever kept in the last segment: the new one takes its place and its name.
		h.void, h.before, h.prev = v.h.void, v.h.before, v.h.prev
	}
	return h, nil
}

// rewrite writes the last batch once more where it is, and syncs. If its sync had failed, the system would not write
// it otherwise, though it shows it to readers.
func (j *Journal) rewrite(v *volume) error {
	f, err := j.cfg.Disk.Open(v.path)
	if err != nil {
		return err
	}
	if v.tail.last > 0 {
		_, end, _, _ := v.ends()
		b := make([]byte, end-v.tail.last)
		if err = readPart(v.path, b, v.tail.last); err == nil {
			if v.tail.filler > 0 {
				copy(b[v.tail.filler-v.tail.last:], fillers)
			}
			_, err = f.WriteAt(b, v.tail.last)
		}
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func readPart(path string, b []byte, off int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.ReadAt(b, off)
	return err
}

// sealAll seals what was left unsealed, now that a successor says where each ends.
func (j *Journal) sealAll(s *shelf, live string) []string {
	var sealed []string
	for _, v := range s.vols {
		if v.t != nil || v.path == live {
			continue
		}
		f, err := j.cfg.Disk.Open(v.path)
		if err == nil {
			err = errors.Join(sealFile(f, v.h, v.idx), f.Close())
		}
		if err != nil {
			j.log.Warn("a segment could not be sealed; it is when the journal is opened again", "segment", v.path, "error", err)
			continue
		}
		sealed = append(sealed, v.path)
	}
	return sealed
}

// removeBlanks removes prepared files that were never used.
func (j *Journal) removeBlanks() error {
	entries, err := os.ReadDir(j.cfg.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), blankPrefix) {
			if err := j.cfg.Disk.Remove(filepath.Join(j.cfg.Dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareHead refuses a journal that is not the one that the head file saw, or an older copy of it.
func (j *Journal) compareHead(s *shelf) error {
	_, next := s.bounds()
	h, err := readHead(j.cfg.Head)
	switch {
	case errors.Is(err, errNotExist) && (next == 0 || j.cfg.AcceptMissingHead):
		return nil
	case errors.Is(err, errNotExist):
		return fmt.Errorf("%w: %s is missing although the journal has %d entries, so nothing shows that this is not an "+
			"older copy; restore it, or compare the journal's end with a checkpoint and start once with AcceptMissingHead (lienthong: --accept-missing-head)",
			ErrHead, j.cfg.Head, next)
	case errors.Is(err, ErrHead) && j.cfg.AcceptMissingHead:
		return nil
	case err != nil:
		return err
	}
	return h.compare(s, j.cfg.Head, j.cfg.Dir)
}

// compare fails with ErrRolledBack unless the shelf holds what the head saw.
func (h head) compare(s *shelf, file, dir string) error {
	_, next := s.bounds()
	if next < h.next {
		return fmt.Errorf("%w: %s holds %d entries, but %s has seen %d; restore the newest copy of the journal",
			ErrRolledBack, dir, next, file, h.next)
	}
	if h.next == 0 {
		return nil
	}
	r := &Reader{dirs: []string{dir}, shelf: s}
	e, err := r.Get(context.Background(), h.next-1)
	if errors.Is(err, ErrGone) {
		return nil // archived or removed since, and the chain goes on from there
	}
	if err != nil {
		return err
	}
	if e.Digest != h.digest {
		return fmt.Errorf("%w: entry %d in %s has the digest %v, but %s has seen %v; this is another journal",
			ErrRolledBack, h.next-1, dir, e.Digest, file, h.digest)
	}
	return nil
}
