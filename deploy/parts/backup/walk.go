package backup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxDepth ends links that lead in circles.
const maxDepth = 16

// oldLedgers are the directories of ledgers that were restored and put aside.
var oldLedgers = regexp.MustCompile(`^ledger\.[0-9]+$`)

// ledgers lists the directories of ledgers below the hub's directory.
func (b *writer) ledgers() ([]string, error) {
	entries, err := os.ReadDir(b.cfg.Dir)
	if err != nil {
		return nil, err
	}
	var found []string
	if _, err := os.Stat(b.source(ledgerDir)); err == nil {
		found = append(found, ledgerDir)
	} else if b.cfg.Ledger != "" || !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if oldLedgers.MatchString(e.Name()) {
			found = append(found, e.Name())
		}
	}
	return found, nil
}

// walk calls visit for every regular file below a directory, by its path below the hub's directory. It follows links:
// a ledger or its head may lie on another disk. What visit says of a directory decides whether it is entered.
func (b *writer) walk(dir string, depth int, enter func(name string) bool, visit func(name string, info fs.FileInfo) error) error {
	if depth > maxDepth {
		return errors.New(dir + " lies too deep; do links lead in a circle?")
	}
	entries, err := os.ReadDir(b.source(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		info, err := os.Stat(b.source(name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case info.IsDir() && enter(name):
			err = b.walk(name, depth+1, enter, visit)
		case info.Mode().IsRegular():
			err = visit(name, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// all walks everything: the hub's directory, and its ledger if that lies elsewhere.
func (b *writer) all(enter func(name string) bool, visit func(name string, info fs.FileInfo) error) error {
	own, err := os.Stat(b.source(ledgerDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	elsewhere := func(name string) bool { // the same directory under a name that it has not in the backup
		info, err := os.Stat(filepath.Join(b.cfg.Dir, name))
		return own != nil && err == nil && os.SameFile(own, info)
	}
	err = b.walk(".", 0, func(name string) bool { return name != ledgerDir && !elsewhere(name) && enter(name) }, visit)
	if err != nil || own == nil {
		return err
	}
	return b.walk(ledgerDir, 1, enter, visit)
}

// transient reports whether a file says something of running processes, is half written, or is made again from others.
func transient(name string) bool {
	base := filepath.Base(name)
	switch {
	case name == "ready.json", base == "lock", strings.HasSuffix(base, ".lock"):
		return true
	case strings.HasSuffix(base, "-wal"), strings.HasSuffix(base, "-shm"), strings.HasSuffix(base, "-journal"):
		return true // of SQLite; what they hold is in the copy of the database
	case strings.HasPrefix(base, "."), strings.HasPrefix(base, "blank-"), strings.HasSuffix(base, ".new"):
		return true
	}
	return inLedger(name, "index.db")
}

// inLedger reports whether a file lies in some ledger, below the name or beside it with more behind it.
func inLedger(name, part string) bool {
	top, rest, _ := strings.Cut(filepath.ToSlash(name), "/")
	return (top == ledgerDir || oldLedgers.MatchString(top)) && strings.HasPrefix(rest, part)
}

// copyRest copies what has no order: everything but the journals, the trees and the head, which are copied already.
func (b *writer) copyRest(ctx context.Context, ledgers []string) error {
	return b.all(func(name string) bool { return b.enters(name, ledgers) }, func(name string, _ fs.FileInfo) error {
		switch {
		case name == headFile, name == pointFile, transient(name), slices.ContainsFunc(ledgers, func(l string) bool { return ofTree(l, name) }):
			return nil
		case filepath.Ext(name) == ".db":
			return b.addDatabase(ctx, name)
		}
		return b.addFile(ctx, name)
	})
}

// enters reports whether copyRest enters a directory.
func (b *writer) enters(name string, ledgers []string) bool {
	if name == "registries" {
		return b.cfg.Registries
	}
	for _, l := range ledgers {
		for _, part := range []string{journalDir, archiveDir, filepath.Join(logDir, "tile"), filepath.Join(logDir, stateDir)} {
			if name == filepath.Join(l, part) {
				return false
			}
		}
	}
	return !inLedger(name, "index.db")
}

// measure adds up how much is to be read. Tiles are small beside the journal and left out.
func (b *writer) measure(ledgers []string) error {
	enter := func(name string) bool {
		base := filepath.Base(name)
		return b.enters(name, ledgers) || base == journalDir || base == archiveDir
	}
	return b.all(enter, func(name string, info fs.FileInfo) error {
		if !transient(name) {
			b.total += info.Size()
		}
		return nil
	})
}
