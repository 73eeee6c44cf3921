package proof

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
)

// head is a checkpoint as it is written; who signed it is another question.
type head struct {
	log.Checkpoint
	signed     string // the note
	signatures int    // lines, whoever they are from
}

// readHead reads a checkpoint without believing it.
func readHead(signed string) (*head, error) {
	_, err := note.Open([]byte(signed), note.VerifierList())
	var open *note.UnverifiedNoteError
	if !errors.As(err, &open) {
		return nil, errors.New("it is no signed note: text, an empty line, and lines of signatures")
	}
	h := &head{signed: signed, signatures: len(open.Note.UnverifiedSigs)}
	if _, err := h.Unmarshal([]byte(open.Note.Text)); err != nil {
		return nil, fmt.Errorf("it is no checkpoint: %w", err)
	}
	if len(h.Hash) != 32 || !strings.HasPrefix(open.Note.Text, string(h.Marshal())) {
		return nil, errors.New("it is no checkpoint: a line for the origin, one for the size, one for the root, 32 bytes in base64")
	}
	for _, s := range open.Note.UnverifiedSigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return nil, fmt.Errorf("the signature of %s is not canonical base64", quote(s.Name))
		}
	}
	return h, nil
}

// Why a note is not signed by a key.
var (
	errUnsigned  = errors.New("it has no signature of this key")
	errSignature = errors.New("its signature of this key is not of this text")
)

// signedBy returns the signature of one key.
func (h *head) signedBy(v note.Verifier) (note.Signature, error) {
	n, err := note.Open([]byte(h.signed), note.VerifierList(v))
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &invalid):
		return note.Signature{}, errSignature
	case err != nil || len(n.Sigs) == 0:
		return note.Signature{}, errUnsigned
	}
	return n.Sigs[0], nil
}
