package notary

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"

	flog "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"
)

// checkpoint is a signed statement about the tree: it had this root at this size.
type checkpoint struct {
	Size     uint64
	Root     []byte
	raw      []byte
	cosigned int
	file     string // that it was read from; empty if it was signed since
}

// parseCheckpoint reads a signed checkpoint of the log whose key is given. Signatures of others that are not among
// the cosigners are not looked at, except that they must be written in the one way there is.
func parseCheckpoint(raw []byte, key note.Verifier, cosigners ...note.Verifier) (*checkpoint, error) {
	cp, _, signed, err := flog.ParseCheckpoint(raw, key.Name(), key, cosigners...)
	if err != nil {
		return nil, err
	}
	if len(cp.Hash) != hashSize {
		return nil, errors.New("its root is no SHA-256 hash")
	}
	for _, s := range append(signed.Sigs, signed.UnverifiedSigs...) {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return nil, fmt.Errorf("the signature of %q is not as it was written", s.Name)
		}
	}
	return &checkpoint{Size: cp.Size, Root: cp.Hash, raw: raw, cosigned: len(signed.Sigs) - 1}, nil
}

// readCheckpoint reads the checkpoint in a file, or nil if there is no such file.
func (n *Notary) readCheckpoint(path, name string) (*checkpoint, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	cp, err := parseCheckpoint(raw, n.key, n.gateway.cosigners...)
	if err != nil {
		what := "is damaged, or not signed by the key of " + n.cfg.PublicFile + ": " + err.Error()
		return nil, fmt.Errorf("%w: %w", ErrKey, &Fault{File: name, Leaf: -1, What: what})
	}
	cp.file = name
	return cp, nil
}

// known are the checkpoints that the files know of, in the log and in the head file, the newest last.
func (n *Notary) known() (published *checkpoint, all []*checkpoint, err error) {
	published, err = n.readCheckpoint(n.store.path(layout.CheckpointPath), layout.CheckpointPath)
	if err != nil {
		return nil, nil, err
	}
	if published != nil {
		all = append(all, published)
	}
	if n.cfg.HeadFile == "" {
		return published, all, nil
	}
	head, err := n.readCheckpoint(n.cfg.HeadFile, n.cfg.HeadFile)
	if err != nil || head == nil {
		return published, all, err
	}
	if published != nil && published.Size >= head.Size {
		return published, []*checkpoint{head, published}, nil
	}
	return published, append(all, head), nil
}

// empty is the first checkpoint of each log. No witness is asked about it: it says nothing.
func (n *Notary) empty() (*checkpoint, error) {
	text := flog.Checkpoint{Origin: n.cfg.Origin, Hash: rfc6962.DefaultHasher.EmptyRoot()}.Marshal()
	raw, err := note.Sign(&note.Note{Text: string(text)}, n.signer)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return parseCheckpoint(raw, n.key)
}
