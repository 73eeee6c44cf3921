package notary

import (
	"errors"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// ErrNoSuchNote says that a text is none of those that the log's key signs beside checkpoints.
var ErrNoSuchNote = errors.New("the log's key signs checkpoints and lists of exported files, nothing else")

// exported begins the text of a note about an exported file.
const exported = "lienthong/export/v1\n"

// SignNote signs a note about an exported file: nothing that a reader could take for a checkpoint. It fails with
// ErrNoSuchNote for any other text.
func (n *Notary) SignNote(text string) ([]byte, error) {
	if !strings.HasPrefix(text, exported) || strings.HasPrefix(n.cfg.Origin+"\n", exported) {
		return nil, ErrNoSuchNote
	}
	return note.Sign(&note.Note{Text: text}, n.signer)
}
