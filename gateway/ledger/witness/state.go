package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	flog "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// nothing is the state of a log of which nothing was cosigned yet. The file is there all the same: one that is
// missing was lost.
const nothing = "nothing was cosigned yet\n"

// state is the last checkpoint of a log that was cosigned.
type state struct {
	size uint64
	root []byte
	raw  []byte // the checkpoint with the log's signatures
}

func (w *Witness) originsPath() string { return filepath.Join(w.cfg.Dir, "origins") }

// statePath names the file of a log. Origins have slashes and worse, so the name is a hash; the file says which it is.
func (w *Witness) statePath(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return filepath.Join(w.cfg.Dir, "state", hex.EncodeToString(sum[:16]))
}

// openStates reads what the witness remembers. A log that is new to it gets its file first and is then put on the
// list of all logs there ever were; one that is on the list and has no file was forgotten, and that is refused.
func (w *Witness) openStates() error {
	data, err := os.ReadFile(w.originsPath())
	if errors.Is(err, fs.ErrNotExist) && w.made {
		return fmt.Errorf("%w: %s is missing, so nobody knows what was cosigned; put it back as it was last, or "+
			"make a witness with another key", ErrState, w.originsPath())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	known := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for _, origin := range w.origins() {
		l := w.logs[origin]
		isNew := !slices.Contains(known, origin)
		if isNew {
			if err := begin(l.path); err != nil {
				return err
			}
			data = append(data, origin+"\n"...)
		}
		if l.last, err = l.read(origin); err != nil {
			return err
		}
	}
	return safefile.Update(w.originsPath(), data, 0o600)
}

func begin(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return safefile.Write(path, []byte(nothing), 0o600)
}

func (l *record) read(origin string) (*state, error) {
	raw, err := os.ReadFile(l.path)
	if err != nil {
		return nil, fmt.Errorf("%w: the last checkpoint of %s cannot be read: %w; restore it, or ask the log's owner "+
			"to agree on a new beginning", ErrState, origin, err)
	}
	if string(raw) == nothing {
		return &state{root: rfc6962.DefaultHasher.EmptyRoot()}, nil
	}
	s, _, err := l.open(origin, raw)
	if err != nil || !bytes.Equal(s.raw, raw) {
		return nil, errors.Join(fmt.Errorf("%w: %s is not the checkpoint of %s that was cosigned, or the log has "+
			"another key now", ErrState, l.path, origin), err)
	}
	return s, nil
}

// open reads a signed checkpoint. It returns what to remember of it, which is the text with those signatures that the
// log's keys have made, and the text.
func (l *record) open(origin string, raw []byte) (*state, string, error) {
	signed, err := note.Open(raw, note.VerifierList(l.keys...))
	if err != nil {
		return nil, "", err
	}
	var cp flog.Checkpoint
	if _, err := cp.Unmarshal([]byte(signed.Text)); err != nil {
		return nil, "", err
	}
	if cp.Origin != origin || len(cp.Hash) != sha256.Size || !strings.HasPrefix(signed.Text, string(cp.Marshal())) {
		return nil, "", errors.New("not a checkpoint of this log in the one way to write it")
	}
	for _, sig := range signed.Sigs { // unused bits of base64 are not signed
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return nil, "", err
		}
	}
	kept, err := note.Sign(&note.Note{Text: signed.Text, Sigs: signed.Sigs})
	if err != nil {
		return nil, "", err
	}
	return &state{size: cp.Size, root: cp.Hash, raw: kept}, signed.Text, nil
}

// keep puts a new state on disk, and only then in memory.
func (l *record) keep(s *state) error {
	if err := safefile.Write(l.path, s.raw, 0o600); err != nil {
		return err
	}
	l.last = s
	return nil
}

// write says in words what the witness knows of a log.
func (l *record) write(out io.Writer, origin string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	when := "not since the start"
	if !l.seen.IsZero() {
		when = l.seen.UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(out, "\nLog       %s\nSize      %d\nRoot      %x\nCosigned  %s\nRefused   %d since the start\n",
		origin, l.last.size, l.last.root, when, l.refused)
}
