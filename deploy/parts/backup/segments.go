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
)

// segments are the names of a journal's files that hold records.
var segments = regexp.MustCompile(`^[0-9]{20}\.seg(\.zst)?$`)

// fresh is how many of the newest segments may still be written to.
const fresh = 2

// copyJournal copies the segments of a ledger, the oldest first. Those that are being archived meanwhile are found in
// the archive.
func (b *writer) copyJournal(ctx context.Context, dir string) error {
	names, err := b.segments(filepath.Join(dir, journalDir))
	if err != nil {
		return err
	}
	copied := map[string]bool{}
	for i, name := range names {
		path := filepath.Join(dir, journalDir, name)
		if i >= len(names)-fresh {
			err = b.copyFresh(ctx, path)
		} else {
			err = b.addFile(ctx, path)
		}
		if err != nil {
			return err
		}
		if n := len(b.manifest.Files); n > 0 && b.manifest.Files[n-1].Path == filepath.ToSlash(path) {
			copied[stem(name)] = true
		}
	}
	archived, err := b.segments(filepath.Join(dir, archiveDir))
	if err != nil {
		return err
	}
	for _, name := range archived {
		if copied[stem(name)] {
			continue
		}
		if err := b.addFile(ctx, filepath.Join(dir, archiveDir, name)); err != nil {
			return err
		}
		copied[stem(name)] = true
	}
	for _, name := range names {
		if !copied[stem(name)] {
			return fmt.Errorf("segment %s was taken away while the ledger was copied; try again", name)
		}
	}
	return nil
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

// copyFresh copies a segment to which records may be added meanwhile: as it would be found after a power cut at one
// moment, so that opening the copy finds at most an incomplete last batch.
//
// Records are written behind one another, and what is written is not changed. But reading from the front to the back
// takes time: it may pass over a place that is still blank and then meet what was written behind it later. So the
// segment is read twice. Up to the first difference everything was there already when it was read first; what lies
// behind is left blank in the copy.
func (b *writer) copyFresh(ctx context.Context, name string) error {
	for range 100 {
		data, err := os.ReadFile(b.source(name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		f, err := os.Open(b.source(name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		same, err := blankFromDifference(data, f)
		info, serr := f.Stat()
		_ = f.Close()
		if err = errors.Join(err, serr); err != nil {
			return err
		}
		if same && info.Size() == int64(len(data)) { // else it was sealed meanwhile
			return b.add(ctx, name, bytes.NewReader(data), int64(len(data)), info.ModTime())
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return fmt.Errorf("copy %s: its size does not stay the same", name)
}

// blankFromDifference compares data with what r reads now and blanks it from the first difference on. It answers false
// if r has another number of bytes.
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
					clear(data[at+i:])
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
