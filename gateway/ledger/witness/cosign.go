package witness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// refusal is an answer without a cosignature.
type refusal struct {
	code int
	what string
	size *uint64 // with 409: the size of the last checkpoint that was cosigned
}

// Error says why.
func (r *refusal) Error() string { return r.what }

// addCheckpoint answers a log that asks for a cosignature.
func (w *Witness) addCheckpoint(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	answer, err := w.serve(http.MaxBytesReader(rw, r.Body, maxBody))
	var no *refusal
	switch {
	case err == nil:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = rw.Write(answer)
	case errors.As(err, &no) && no.size != nil:
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(no.code)
		_, _ = io.WriteString(rw, strconv.FormatUint(*no.size, 10)+"\n")
	case errors.As(err, &no):
		http.Error(rw, no.what, no.code)
	default:
		w.cfg.Log.Error("cannot cosign", slog.Any("error", err))
		http.Error(rw, "the witness cannot keep what it cosigns; try again later", http.StatusInternalServerError)
	}
}

func (w *Witness) serve(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, &refusal{code: http.StatusRequestEntityTooLarge, what: "the request is too large"}
	}
	if err != nil {
		return nil, &refusal{code: http.StatusBadRequest, what: "the request was cut off"}
	}
	req, err := parseRequest(data)
	if err != nil {
		return nil, &refusal{code: http.StatusBadRequest, what: "not an add-checkpoint request: " + err.Error()}
	}
	l := w.logs[req.origin]
	if l == nil {
		return nil, &refusal{code: http.StatusNotFound, what: "this witness does not know the log; its operator adds its key"}
	}
	return w.cosign(l, req)
}

// cosign compares a checkpoint with the last one and cosigns it. The lock is held from the comparison until the new
// state is on disk: of two requests at once, one comes second.
func (w *Witness) cosign(l *record, req request) ([]byte, error) {
	next, text, err := l.open(req.origin, req.checkpoint)
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified), errors.As(err, &invalid):
		return nil, &refusal{code: http.StatusForbidden, what: "the checkpoint is not signed with a key of this log"}
	case err != nil:
		return nil, &refusal{code: http.StatusBadRequest, what: "the checkpoint cannot be read"}
	case req.old > next.size:
		return nil, &refusal{code: http.StatusBadRequest, what: "the old size is more than the checkpoint's"}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if no := l.compare(req, next); no != nil {
		l.refused++
		w.complain(req, next, l.last, no)
		return nil, no
	}
	if !bytes.Equal(next.raw, l.last.raw) {
		if err := l.keep(next); err != nil {
			return nil, err
		}
	}
	l.seen = w.cfg.Now()
	return w.sign(text)
}

// compare tells whether a checkpoint contains the last one that was cosigned.
func (l *record) compare(req request, next *state) *refusal {
	if req.old != l.last.size {
		size := l.last.size
		return &refusal{code: http.StatusConflict, what: "another checkpoint was cosigned last", size: &size}
	}
	if next.size == l.last.size && !bytes.Equal(next.root, l.last.root) {
		return &refusal{code: http.StatusConflict, what: "another root was cosigned for this size"}
	}
	err := proof.VerifyConsistency(rfc6962.DefaultHasher, l.last.size, next.size, req.proof, l.last.root, next.root)
	if err != nil {
		return &refusal{code: http.StatusUnprocessableEntity, what: "the proof does not lead from the last checkpoint to this one"}
	}
	return nil
}

// complain writes down what may prove that a log shows two histories. A wrong old size does not: logs ask for it so.
func (w *Witness) complain(req request, next, last *state, no *refusal) {
	if no.size != nil && next.size >= last.size {
		return
	}
	w.cfg.Log.Warn("a checkpoint that its log has signed is refused", slog.String("origin", req.origin),
		slog.String("reason", no.what), slog.Uint64("size", next.size), slog.String("root", fmt.Sprintf("%x", next.root)),
		slog.Uint64("cosigned_size", last.size), slog.String("cosigned_root", fmt.Sprintf("%x", last.root)))
}

// sign makes the line of the cosignature.
func (w *Witness) sign(text string) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: text}, w.signer)
	if err != nil {
		return nil, fmt.Errorf("cosign: %w", err)
	}
	return signed[len(text)+1:], nil // the text, an empty line, the signature
}
