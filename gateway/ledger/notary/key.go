package notary

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"

	"github.com/lienthong/lienthong/gateway/internal/notekey"
	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// openKey reads the signing key, or makes one if the log is new, and compares it with the public file.
func (n *Notary) openKey() error {
	have, err := exists(n.cfg.KeyFile)
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	if !have {
		if err := n.makeKey(); err != nil {
			return err
		}
	}
	if err := n.readKey(); err != nil {
		return err
	}
	return n.comparePublic()
}

// makeKey makes the key of a new log. A log that has spoken already must not get a second voice.
func (n *Notary) makeKey() error {
	for _, path := range []string{n.cfg.PublicFile, n.store.path(layout.CheckpointPath), n.cfg.HeadFile} {
		if path == "" {
			continue
		}
		old, err := exists(path)
		if err != nil {
			return err
		}
		if old {
			return fmt.Errorf("%w: %s is missing, but %s says that there was one; restore it from the backup",
				ErrKey, n.cfg.KeyFile, path)
		}
	}
	secret, _, err := note.GenerateKey(rand.Reader, n.cfg.Origin)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(n.cfg.KeyFile), 0o700); err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	return safefile.Write(n.cfg.KeyFile, []byte(secret+"\n"), 0o600)
}

func (n *Notary) readKey() error {
	info, err := os.Stat(n.cfg.KeyFile)
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("read key: others may read %s (mode %04o); make it 0600, or make a new log if they did",
			n.cfg.KeyFile, info.Mode().Perm())
	}
	data, err := os.ReadFile(n.cfg.KeyFile)
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	secret := strings.TrimSpace(string(data))
	if n.signer, err = note.NewSigner(secret); err != nil {
		return fmt.Errorf("%w: %s holds no note key: %w", ErrKey, n.cfg.KeyFile, err)
	}
	if n.signer.Name() != n.cfg.Origin {
		return fmt.Errorf("%w: %s is the key of %q, the log is %q", ErrKey, n.cfg.KeyFile, n.signer.Name(), n.cfg.Origin)
	}
	if n.public, err = notekey.Public(secret); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrKey, n.cfg.KeyFile, err)
	}
	if n.key, err = fnote.NewVerifier(n.public); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrKey, n.cfg.KeyFile, err)
	}
	return nil
}

// comparePublic makes the public file if there is none, and refuses a key that it does not belong to.
func (n *Notary) comparePublic() error {
	data, err := os.ReadFile(n.cfg.PublicFile)
	if os.IsNotExist(err) {
		return safefile.Write(n.cfg.PublicFile, []byte(n.public+"\n"), 0o644)
	}
	if err != nil {
		return fmt.Errorf("read public key: %w", err)
	}
	if strings.TrimSpace(string(data)) != n.public {
		return fmt.Errorf("%w: %s does not belong to %s; restore the one that is wrong from the backup",
			ErrKey, n.cfg.PublicFile, n.cfg.KeyFile)
	}
	return nil
}
