package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// segments are the names of a journal's files that hold records.
var segments = regexp.MustCompile(`^[0-9]{20}\.seg(\.zst)?$`)

// copyJournal copies the segments of a ledger, the oldest first, and then the files that say where the journal and its
// archive begin: what those excuse is never more than what is copied.
func (b *writer) copyJournal(ctx context.Context, dir string) error {
	copied := map[string]bool{}
	if err := b.copySegments(ctx, filepath.Join(dir, journalDir), copied); err != nil {
		return err
	}
	archived, err := b.segments(filepath.Join(dir, archiveDir))
	if err != nil {
		return err
	}
	for _, name := range archived {
		if copied[stem(name)] {
			continue
		}
		copied[stem(name)] = true
		if err := b.addFile(ctx, filepath.Join(dir, archiveDir, name)); err != nil {
			return err
		}
	}
	for name, whole := range copied {
		if !whole {
			return fmt.Errorf("segment %s was taken away while the ledger was copied; try again", name)
		}
	}
	for _, part := range []string{journalDir, archiveDir} {
		if err := b.addFile(ctx, filepath.Join(dir, part, beginFile)); err != nil {
			return err
		}
	}
	return nil
}

// beginFile says why a directory's first segment is not the journal's first.
const beginFile = "begin"

// copySegments copies the segments of a journal that may grow meanwhile. Into copied go their names, with false for
// those that went away, which the archive must have.
func (b *writer) copySegments(ctx context.Context, dir string, copied map[string]bool) error {
	for {
		names, err := b.segments(dir)
		if err != nil || len(names) == 0 {
			return err
		}
		last := names[len(names)-1]
		for _, name := range names[:len(names)-1] {
			if _, known := copied[stem(name)]; known {
				continue
			}
			data, modified, err := b.readStill(ctx, filepath.Join(dir, name))
			if err != nil {
				return err
			}
			copied[stem(name)] = data != nil
			if data == nil {
				continue
			}
			if err := b.add(ctx, filepath.Join(dir, name), bytes.NewReader(data), int64(len(data)), modified); err != nil {
				return err
			}
		}
		data, modified, err := b.readFresh(ctx, filepath.Join(dir, last))
		if err != nil {
			return err
		}
		again, err := b.segments(dir)
		if err != nil {
			return err
		}
		// A segment that has a successor by now may have got records after it was read: it is read again.
		if data != nil && again[len(again)-1] == last {
			copied[stem(last)] = true
			return b.add(ctx, filepath.Join(dir, last), bytes.NewReader(data), int64(len(data)), modified)
		}
	}
}

// readStill reads a segment to which no records are added any more. It may be sealed meanwhile, which writes behind its
// records and then makes the file shorter; before, between and after it is a whole segment, but not in the middle of
// that write: so it is read until it is the same twice. It is nil when the segment was taken away.
func (b *writer) readStill(ctx context.Context, name string) (data []byte, modified time.Time, err error) {
	var before []byte
	for ctx.Err() == nil {
		data, info, err := b.readSized(name)
		if err != nil || data == nil || info.Size() == int64(len(data)) && bytes.Equal(data, before) {
			return data, modifiedAt(info), err
		}
		before = data
	}
	return nil, modified, ctx.Err()
}

// readSized reads a file, and then looks how long it is. It is nil when there is none.
func (b *writer) readSized(name string) ([]byte, fs.FileInfo, error) {
	data, err := os.ReadFile(b.source(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := os.Stat(b.source(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	return data, info, err
}

func modifiedAt(info fs.FileInfo) time.Time {
	if info == nil {
		return time.Time{}
	}
	return info.ModTime()
}

func stem(name string) string { return name[:strings.IndexByte(name, '.')] }

// segments lists a directory's segments in order; none if there is no such directory.
func (b *writer) segments(dir string) ([]string, error) {
	entries, err := os.ReadDir(b.source(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if segments.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// readFresh reads the segment to which records are added meanwhile: as it would be found after a power cut at one
// moment, so that opening the copy finds at most an incomplete last batch.
//
// Records are written behind one another, and what is written is not changed. But reading from the front to the back
// takes time: it may pass over a place that is still blank and then meet what was written behind it later. So the
// segment is read twice. Up to the first difference everything was there already when it was read first; what lies
// behind is left blank in the copy.
func (b *writer) readFresh(ctx context.Context, name string) (data []byte, modified time.Time, err error) {
	for ctx.Err() == nil {
		data, info, err := b.readSized(name)
		if err != nil || data == nil {
			return nil, modified, err
		}
		f, err := os.Open(b.source(name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, modified, nil
		}
		if err != nil {
			return nil, modified, err
		}
		same, err := blankFromDifference(data, f)
		_ = f.Close()
		if err != nil {
			return nil, modified, err
		}
		if same && info.Size() == int64(len(data)) { // else it was sealed meanwhile
			return data, info.ModTime(), nil
		}
	}
	return nil, modified, ctx.Err()
}

// line is how much of a segment is written wholly or not at all, in bytes.
const line = 64

// blankFromDifference compares data with what r reads now and blanks it from the line of the first difference on. It
// answers false if r has another number of bytes.
func blankFromDifference(data []byte, r io.Reader) (sameSize bool, err error) {
	buf := make([]byte, 256<<10)
	for at := 0; ; {
		n, err := io.ReadFull(r, buf)
		if at+n > len(data) {
			return false, nil
		}
		if !bytes.Equal(buf[:n], data[at:at+n]) {
			for i := range n {
				if buf[i] != data[at+i] {
					clear(data[(at+i)/line*line:])
					return true, nil // the caller looks at the size
				}
			}
		}
		at += n
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return at == len(data), nil
		case err != nil:
			return false, err
		}
	}
}

// inUse reports whether some process has the journal of this directory open to write.
func inUse(journal string) bool {
	f, err := os.Open(filepath.Join(journal, "lock"))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
