package witness

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/lienthong/lienthong/gateway/internal/notekey"
	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// The files of the key, in the witness's directory.
const (
	keyFile    = "witness.key" // mode 0600
	publicFile = "witness.pub" // the verifier key of its cosignatures, in one line
)

func (w *Witness) openKey() error {
	path, public := filepath.Join(w.cfg.Dir, keyFile), filepath.Join(w.cfg.Dir, publicFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = w.makeKey(path, public)
	}
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		return errors.Join(fmt.Errorf("%w: others may read %s; make it 0600", ErrKey, path), err)
	}
	secret := strings.TrimSpace(string(data))
	signer, err := fnote.NewSignerForCosignatureV1(secret)
	if err != nil {
		return fmt.Errorf("%w: %s holds no note key: %w", ErrKey, path, err)
	}
	if signer.Name() != w.cfg.Name {
		return fmt.Errorf("%w: %s is the key of %q, the witness is %q", ErrKey, path, signer.Name(), w.cfg.Name)
	}
	if w.public, err = verifierKey(secret); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrKey, path, err)
	}
	w.signer = signer
	return w.comparePublic(public)
}

// makeKey makes the key of a new witness. One that has cosigned must not get another key unnoticed.
func (w *Witness) makeKey(path, public string) ([]byte, error) {
	for _, old := range []string{public, w.originsPath()} {
		if _, err := os.Lstat(old); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s is missing, but %s says that there was one; restore it from the backup",
				ErrKey, path, old)
		}
	}
	secret, _, err := note.GenerateKey(rand.Reader, w.cfg.Name)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	if _, err := fnote.NewSignerForCosignatureV1(secret); err != nil {
		return nil, fmt.Errorf("%w: %q cannot be the name of a key: %w", ErrKey, w.cfg.Name, err)
	}
	data := []byte(secret + "\n")
	return data, safefile.Write(path, data, 0o600)
}

// comparePublic refuses a key that the public file does not belong to. That the file is there says that the witness
// was made whole once.
func (w *Witness) comparePublic(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(data)) != w.public {
		return fmt.Errorf("%w: %s does not belong to it; restore the one that is wrong from the backup", ErrKey, path)
	}
	w.made = true
	return nil
}

// writePublic is the last step of making a witness.
func (w *Witness) writePublic() error {
	if w.made {
		return nil
	}
	return safefile.Write(filepath.Join(w.cfg.Dir, publicFile), []byte(w.public+"\n"), 0o644)
}

// verifierKey derives the verifier key of cosignatures from a signer key, see https://c2sp.org/tlog-cosignature.
func verifierKey(secret string) (string, error) {
	plain, err := notekey.Public(secret)
	if err != nil {
		return "", err
	}
	return fnote.VKeyToCosignatureV1(plain)
}
