package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// markerName is the file that says why a directory's first segment is not the journal's first.
const markerName = "begin"

// marker is what it says.
type marker struct {
	first  uint64    // first sequence number that is left
	digest Digest    // of the entry before it
	kind   string    // archived: what is missing is elsewhere; removed: it is nowhere any more
	by     string    // who did it
	at     time.Time // when
}

const (
	kindArchived = "archived"
	kindRemoved  = "removed"
	markerForm   = "lienthong journal begin v1\nfirst %d\ndigest %v\nkind %s\nby %q\nat %s\n"
)

func (m *marker) encode() []byte {
	b := fmt.Appendf(nil, markerForm, m.first, m.digest, m.kind, m.by, m.at.UTC().Format(time.RFC3339))
	return fmt.Appendf(b, "checksum %08x\n", checksum(0, b))
}

// decodeMarker reads a marker. It accepts only what encode writes.
func decodeMarker(b []byte) (*marker, bool) {
	var m marker
	var digest []byte
	var at string
	var sum uint32
	n, err := fmt.Sscanf(string(b), "lienthong journal begin v1\nfirst %d\ndigest %x\nkind %s\nby %q\nat %s\nchecksum %x\n",
		&m.first, &digest, &m.kind, &m.by, &at, &sum)
	if err != nil || n != 6 || len(digest) != len(m.digest) || m.kind != kindArchived && m.kind != kindRemoved {
		return nil, false
	}
	m.digest = Digest(digest)
	if m.at, err = time.Parse(time.RFC3339, at); err != nil {
		return nil, false
	}
	return &m, string(m.encode()) == string(b)
}

// readMarker returns the directory's marker, nil when it has none.
func readMarker(dir string) (*marker, error) {
	path := filepath.Join(dir, markerName)
	b, err := os.ReadFile(path)
	if errors.Is(err, errNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, ok := decodeMarker(b)
	if !ok {
		return nil, &Damage{path, 0, 0, "the file that says where the journal begins is not what was written"}
	}
	return m, nil
}

// begins checks that nothing is missing before the first segment, or only what a marker says. What was archived is
// missed when other directories are given too: it should be there.
func (s *shelf) begins(dirs []string) error {
	v := s.vols[0]
	excused := v.h.void == 0 && v.h.before == Digest{}
	for _, dir := range dirs {
		m, err := readMarker(dir)
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		at := s.find(m.first)
		if at == nil || at.h.void != m.first || at.h.before != m.digest {
			return &Damage{filepath.Join(dir, markerName), 0, m.first, "the segment from which this journal goes on is missing or another one"}
		}
		excused = excused || m.kind == kindRemoved || len(dirs) == 1
	}
	if excused {
		return nil
	}
	return &Damage{v.path, 48, 0, fmt.Sprintf("the entries before seq %d are missing, and nothing says that they may", v.h.void)}
}
