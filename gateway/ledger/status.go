package ledger

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"syscall"
	"time"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Status is in which state a ledger is.
type Status struct {
	Records     uint64 // on disk
	Proven      uint64 // of them, those that the last published checkpoint covers
	Indexed     uint64 // of them, those that searches find
	OpenIntents int    // intents without outcome
	Missed      int    // exchanges not answered for want of a record, which no record says yet
	Fault       error  // why no records are taken now; nil when they are
	Failures    uint64 // times that no records were taken for a while, in this run
	Following   error  // what keeps transparency log or index from following; nil when they follow

	HeadAge time.Duration // since the journal's head file was last right: what is newer could be rolled back unnoticed
}

// Status says in which state the ledger is. It does not block.
func (l *Ledger) Status() Status {
	s := Status{
		Proven: l.notary.Published(), Indexed: l.index.Indexed(), OpenIntents: l.intents.count(), Missed: l.missed.count(),
		Fault: l.journal.Err(), Following: errors.Join(l.notary.Err(), l.index.Err()),
	}
	stats := l.journal.Stats()
	s.Failures, s.HeadAge = stats.Failures, stats.HeadAge
	s.Records = l.journal.Durable() // last: it is never less than what follows it
	return s
}

// Origin is the ledger's name.
func (l *Ledger) Origin() string { return l.cfg.Origin }

// Index is where the ledger is searched.
func (l *Ledger) Index() *index.Index { return l.index }

// LogHandler serves the transparency log: C2SP tlog-tiles, read-only.
func (l *Ledger) LogHandler() http.Handler { return l.notary.Handler() }

// Checkpoint is the last published checkpoint, as it is signed.
func (l *Ledger) Checkpoint(ctx context.Context) ([]byte, error) { return l.notary.Checkpoint(ctx) }

// Told is the status as it is told to those who may read the ledger.
func (l *Ledger) Told(ctx context.Context) (*hubv1.GetStatusResponse, error) {
	s := l.Status()
	told := &hubv1.GetStatusResponse{
		Origin: l.cfg.Origin, Records: s.Records, Proven: s.Proven, Indexed: s.Indexed, OpenIntents: uint32(s.OpenIntents), VerifierKey: l.notary.Verifier(),
	}
	if s.Fault != nil {
		told.Fault = s.Fault.Error()
	}
	if s.Proven > 0 {
		checkpoint, err := l.Checkpoint(ctx)
		if err != nil {
			return nil, err
		}
		told.Checkpoint = string(checkpoint)
	}
	told.JournalBytes = usedBy(l.path.Journal()) + sizeOf(l.path.Archive())
	told.LogBytes = sizeOf(l.path.Log())
	told.IndexBytes = sizeOf(l.path.Index()) + sizeOf(l.path.Index()+"-wal")
	return told, nil
}

// sizeOf is how much a file, or all files below a directory, take on disk, in bytes. What goes away meanwhile does not
// count.
func sizeOf(path string) (size uint64) {
	_ = filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				size += uint64(stat.Blocks) * 512
			}
		}
		return nil
	})
	return size
}

// window is a piece of a segment that holds something wherever records were written: no record is as long.
const window = 1 << 20

// usedBy is how many bytes of a journal's segments hold records. The last segment is as long from the beginning as it
// may become, and blank ones lie ready: they would make a new ledger look large.
func usedBy(dir string) (size uint64) {
	names, _ := filepath.Glob(filepath.Join(dir, "*.seg")) // in order: they are named for their first positions
	for i, name := range names {
		info, err := os.Stat(name)
		switch {
		case err != nil: // it went to the archive meanwhile
		case i < len(names)-1:
			size += uint64(info.Size())
		default:
			size += written(name, info.Size())
		}
	}
	return size
}

// written is how many bytes of a segment stand before the blank rest.
func written(name string, size int64) uint64 {
	f, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer f.Close()
	buf := make([]byte, window)
	last := func(i int) int { // position behind the last byte in a window that is not blank
		n, _ := f.ReadAt(buf, int64(i)*window)
		return len(bytes.TrimRight(buf[:n], "\x00"))
	}
	windows := int((size + window - 1) / window)
	blank := sort.Search(windows, func(i int) bool { return last(i) == 0 })
	if blank == 0 {
		return 0
	}
	return uint64(blank-1)*window + uint64(last(blank-1))
}
