// Package witness cosigns the checkpoints of transparency logs, as https://c2sp.org/tlog-witness says. Another owner
// than the log's runs it, with a key and a memory of its own: whoever demands its cosignature cannot be shown two
// histories, not even by somebody who has the log's key.
//
// Invariants:
//   - Of one log, every checkpoint that was cosigned contains all that were cosigned before it.
//   - What is cosigned is on disk before the cosignature leaves.
//   - A memory that is damaged or lost is not begun anew: the witness refuses to start.
//
// What a witness cannot notice is that its whole directory was put back to what it was earlier: it could then cosign a
// second history of what came since. Do not restore an old copy of it; make a witness with another key.
//
// What does not belong here: the log, and its contents. A witness sees sizes and hashes only.
package witness

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// Config says who a witness is and for whom it works. Dir, Name and Logs must be set.
type Config struct {
	// Dir is the witness's directory: its key, and what it has cosigned. It is made when it is new.
	Dir string
	// Name is the name of the witness's key, such as witness.example/one: no blank and no plus.
	Name string
	// Logs are the verifier keys of the logs, each in its one line. A key's name is its log's origin; a log that
	// changes its key has two for a while.
	Logs []string
	// Log takes what happens. Default: slog.Default().
	Log *slog.Logger
	// Now is the clock of the page of the witness. Default: time.Now.
	Now func() time.Time
}

// Errors that callers tell apart.
var (
	// ErrInUse: another witness has the directory.
	ErrInUse = errors.New("another witness runs in this directory")
	// ErrKey: the witness's own key cannot be used, or is not the one that its public file speaks of.
	ErrKey = errors.New("wrong key of the witness")
	// ErrState: what the witness remembers of a log is damaged or gone.
	ErrState = errors.New("the witness's memory is damaged")
)

// Witness cosigns. Its methods may be called from several goroutines.
type Witness struct {
	cfg    Config
	signer note.Signer
	public string
	made   bool               // it was opened before
	logs   map[string]*record // by origin
	unlock func()
}

// record is what the witness knows of one log.
type record struct {
	keys []note.Verifier
	path string // of the last checkpoint that was cosigned

	mu      sync.Mutex // held from the comparison until the state is on disk
	last    *state
	seen    time.Time // when it cosigned last; zero since the start
	refused uint64    // since the start
}

// Open opens a witness, or makes one and its key. It fails with ErrInUse, ErrKey or ErrState.
func Open(cfg Config) (*Witness, error) {
	if cfg.Dir == "" || cfg.Name == "" || len(cfg.Logs) == 0 {
		return nil, errors.New("open witness: Dir, Name and Logs must be set")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	unlock, err := lock(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open witness %s: %w", cfg.Dir, err)
	}
	w := &Witness{cfg: cfg, logs: map[string]*record{}, unlock: unlock}
	if err := w.open(); err != nil {
		unlock()
		return nil, fmt.Errorf("open witness %s: %w", cfg.Dir, err)
	}
	return w, nil
}

func (w *Witness) open() error {
	if err := w.openKey(); err != nil {
		return err
	}
	if err := w.openLogs(); err != nil {
		return err
	}
	return w.writePublic()
}

func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	unlock, err = safefile.TryLock(filepath.Join(dir, "witness.lock"))
	if errors.Is(err, safefile.ErrLocked) {
		return nil, fmt.Errorf("%w; stop it first", ErrInUse)
	}
	return unlock, err
}

func (w *Witness) openLogs() error {
	for _, line := range w.cfg.Logs {
		key, err := fnote.NewVerifier(line)
		if err != nil {
			return fmt.Errorf("%q is no verifier key of a log: %w", line, err)
		}
		l := w.logs[key.Name()]
		if l == nil {
			l = &record{path: w.statePath(key.Name())}
			w.logs[key.Name()] = l
		}
		l.keys = append(l.keys, key)
	}
	return w.openStates()
}

// Close gives the directory back. Call it when no request is served any more.
func (w *Witness) Close() error {
	w.unlock()
	return nil
}

// Verifier is the key of the witness's cosignatures in its one line.
func (w *Witness) Verifier() string { return w.public }

// Handler serves POST /add-checkpoint and, for people, GET /.
func (w *Witness) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", w.addCheckpoint)
	mux.HandleFunc("GET /{$}", w.page)
	return mux
}

// page says in words what the witness knows.
func (w *Witness) page(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	fmt.Fprintf(rw, "Witness %s\nKey     %s\nTime    %s\n", w.cfg.Name, w.public, w.cfg.Now().UTC().Format(time.RFC3339))
	for _, origin := range w.origins() {
		w.logs[origin].write(rw, origin)
	}
}

func (w *Witness) origins() []string {
	var names []string
	for name := range w.logs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
