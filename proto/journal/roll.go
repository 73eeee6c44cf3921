package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/lienthong/lienthong/proto/fault"
)

const (
	firstPause = 100 * time.Millisecond
	longPause  = 2 * time.Second
	piece      = 1 << 20 // bytes that are filled with zeros at once
)

// blankFile is a file full of zeros, durable, that can become a segment.
type blankFile struct {
	path string
	file File
}

// roll begins a new segment, whose first record has the number `first`, behind what is durable. The segment before it
// is sealed in the background, but before another roll.
func (j *Journal) roll(first uint64) error {
	select {
	case j.sealing <- struct{}{}:
	case <-j.quit:
		return ErrClosed
	}
	err := j.succeed(first)
	if err != nil {
		<-j.sealing
	}
	return err
}

// succeed replaces the live segment. It holds `sealing`, and passes it on to the goroutine that seals.
func (j *Journal) succeed(first uint64) error {
	if err := j.removeStray(); err != nil {
		return err
	}
	blank, err := j.takeBlank()
	if err != nil {
		return err
	}
	old := j.live
	void, _, ms, before := old.idx.ends()
	h := &header{size: j.cfg.SegmentSize, ms: ms, void: void, first: first, before: before, prev: j.behind}
	fault.At("journal.on-roll")
	s, err := j.place(blank, h)
	if err != nil {
		return err
	}
	fault.At("journal.after-roll")
	j.adopt(s)
	j.helpers.Go(func() {
		defer func() { <-j.sealing }()
		j.seal(old)
	})
	return nil
}

// adopt makes a durable segment the live one.
func (j *Journal) adopt(s *segment) {
	j.live = s
	j.behind = ending{s.h.id, s.h.first, headerSize}
	j.mu.Lock()
	j.tails[s.h.first] = s.idx
	j.mu.Unlock()
	j.stats.segments.Add(1)
}

// place gives a blank file its header and its name. When it returns, both are durable.
func (j *Journal) place(blank blankFile, h *header) (*segment, error) {
	if _, err := rand.Read(h.id[:]); err != nil {
		return nil, fmt.Errorf("draw the id of a segment: %w", err)
	}
	path := filepath.Join(j.cfg.Dir, fileName(h.first))
	_, err := blank.file.WriteAt(h.encode(), 0)
	if err == nil {
		err = blank.file.Datasync()
	}
	if err == nil {
		j.stray = path
		err = j.cfg.Disk.Rename(blank.path, path)
	}
	if err == nil {
		err = j.cfg.Disk.SyncDir(j.cfg.Dir)
	}
	if err != nil {
		_ = j.cfg.Disk.Remove(blank.path)
		return nil, errors.Join(err, blank.file.Close())
	}
	j.stray = ""
	return &segment{path: path, file: blank.file, h: h, seed: h.seed(), idx: newIndex(h), off: headerSize}, nil
}

// removeStray takes a segment away whose beginning failed when it may have had its name already: it holds no record,
// and another successor is about to come.
func (j *Journal) removeStray() error {
	if j.stray == "" {
		return nil
	}
	err := j.cfg.Disk.Remove(j.stray)
	if err != nil && !errors.Is(err, errNotExist) {
		return err
	}
	if err := j.cfg.Disk.SyncDir(j.cfg.Dir); err != nil {
		return err
	}
	j.stray = ""
	return nil
}

// seal ends a segment: marks and trailer behind its last batch, and nothing behind them. A failure only leaves the
// file longer than it need be: its successor's header says where it ends.
func (j *Journal) seal(s *segment) {
	err := sealFile(s.file, s.h, s.idx)
	if cerr := s.file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		j.log.Warn("a segment could not be sealed; it is when the journal is opened again", "segment", s.path, "error", err)
		return
	}
	j.mu.Lock()
	delete(j.tails, s.h.first)
	j.mu.Unlock()
}

// sealFile writes the footer, makes it durable, and only then cuts what is behind it: a file that has been cut has a
// footer.
func sealFile(f File, h *header, idx *index) error {
	footer := idx.footer(h)
	_, end, _, _ := idx.ends()
	if _, err := f.WriteAt(footer, end); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Truncate(end + int64(len(footer))); err != nil {
		return err
	}
	return f.Sync()
}

// takeBlank waits for a blank file, or for the reason why there is none.
func (j *Journal) takeBlank() (blankFile, error) {
	select {
	case b := <-j.blanks:
		return b, nil
	default:
	}
	select {
	case b := <-j.blanks:
		return b, nil
	case err := <-j.noBlank:
		return blankFile{}, err
	case <-j.quit:
		return blankFile{}, ErrClosed
	}
}

// prepare keeps one blank file ready, so that a new segment costs no more than its name.
func (j *Journal) prepare() {
	pause := firstPause
	for n := 1; ; n++ {
		b, err := j.makeBlank(n)
		if errors.Is(err, ErrClosed) {
			return
		}
		if err != nil {
			j.log.Warn("no segment can be prepared; records are taken as long as the present one has space",
				"dir", j.cfg.Dir, "error", err)
			if !j.complain(err, pause) {
				return
			}
			pause = min(2*pause, longPause)
			continue
		}
		pause = firstPause
		select {
		case j.blanks <- b:
		case <-j.quit:
			_ = b.file.Close()
			_ = j.cfg.Disk.Remove(b.path)
			return
		}
	}
}

// complain tells whoever waits for a blank file why there is none, for a while. It returns false at the end.
func (j *Journal) complain(err error, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case j.noBlank <- err:
		case <-timer.C:
			return true
		case <-j.quit:
			return false
		}
	}
}

// makeBlank writes zeros to a new file, in pieces that let the live segment's syncs pass between them.
func (j *Journal) makeBlank(n int) (b blankFile, err error) {
	b.path = filepath.Join(j.cfg.Dir, fmt.Sprintf("%s%d", blankPrefix, n))
	if b.file, err = j.cfg.Disk.Create(b.path); err != nil {
		return b, err
	}
	if err = j.fill(b.file); err != nil {
		_ = b.file.Close()
		_ = j.cfg.Disk.Remove(b.path)
	}
	return b, err
}

func (j *Journal) fill(f File) error {
	zeros := make([]byte, min(piece, j.cfg.SegmentSize))
	for off := int64(0); off < j.cfg.SegmentSize; off += int64(len(zeros)) {
		select {
		case <-j.quit:
			return ErrClosed
		default:
		}
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), j.cfg.SegmentSize-off)], off); err != nil {
			return err
		}
		if err := f.Datasync(); err != nil {
			return err
		}
	}
	return f.Sync()
}

// pauseUnlessClosed waits. It returns false as soon as the journal is closed.
func (j *Journal) pauseUnlessClosed(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-j.closing:
		return false
	}
}
