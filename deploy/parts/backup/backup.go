// Package backup copies the whole of a hub's directory to one file, while the hub runs, and makes a directory of such
// a file again.
//
// Invariants:
//   - What is in a backup fits together: the transparency log and the head never say more than the journal holds, and
//     the keys open all of it. That follows from the order in which they are copied, see Write.
//   - Restore changes nothing unless the file is whole: every byte is covered by a checksum in its manifest.
//   - A restored hub gives no position of the ledger a second time: it begins a new ledger, unless it was shown that
//     nothing was recorded after the backup.
//
// What does not belong here: flags and printing (lienthong), and what the files mean to those that write them.
package backup

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Config says what is copied where.
type Config struct {
	Dir        string // the hub's directory
	Ledger     string // where its ledger lies; default Dir/ledger
	Head       string // the ledger's head file; default Dir/ledger.head
	Registries bool   // also the databases of the registries below it; they are not the hub's
	Version    string // of the program, for the manifest
	Spool      string // directory for copies of databases while they are written; default the system's for temporary files

	// Progress is called now and then with the number of bytes that were read, and of all that are to be. May be nil.
	Progress func(done, total int64)
}

// Write writes a backup of the directory to w. It fails if files that belong to the hub cannot be read; nothing in the
// directory is changed. The backup holds private keys: whoever reads it can be the hub.
//
// The order makes the parts fit while a hub goes on writing: first what says how far the ledger is (its head, then the
// log's checkpoint and state), then the journal, which is at least as far by then, then the tiles of just those tree
// sizes, and last the ledger's keys, which are on disk before the first record that needs them and are never taken
// away.
func Write(ctx context.Context, w io.Writer, cfg Config) (*Manifest, error) {
	if info, err := os.Stat(filepath.Join(cfg.Dir, "ca.pem")); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no hub's directory: it has no ca.pem", cfg.Dir)
	}
	b := &writer{cfg: cfg}
	if b.cfg.Progress == nil {
		b.cfg.Progress = func(int64, int64) {}
	}
	if err := b.open(w); err != nil {
		return nil, fmt.Errorf("back up %s: %w", cfg.Dir, err)
	}
	err := b.write(ctx)
	if cerr := b.close(err == nil); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, fmt.Errorf("back up %s: %w", cfg.Dir, err)
	}
	return &b.manifest, nil
}

// Names below a hub's directory and below its ledger's that are copied in an order of their own.
const (
	ledgerDir  = "ledger"
	headFile   = "ledger.head"
	pointFile  = headFile + ".checkpoint" // the last checkpoint, before it was published
	epochFile  = "ledger.epoch"
	journalDir = "journal"
	archiveDir = "archive"
	logDir     = "log"
)

// write copies everything, in the order that Write promises.
func (b *writer) write(ctx context.Context) error {
	b.manifest = Manifest{Format: Format, Made: time.Now().UTC().Truncate(time.Second), Version: b.cfg.Version, Registries: b.cfg.Registries}
	ledgers, err := b.ledgers()
	if err != nil {
		return err
	}
	if err := b.measure(ledgers); err != nil {
		return err
	}
	running := inUse(b.source(filepath.Join(ledgerDir, journalDir)))
	head, err := b.smallFile(ctx, headFile)
	if err != nil {
		return err
	}
	if _, err := b.smallFile(ctx, pointFile); err != nil {
		return err
	}
	for _, dir := range ledgers {
		if err := b.copyLedger(ctx, dir); err != nil {
			return err
		}
	}
	if err := b.copyRest(ctx, ledgers); err != nil {
		return err
	}
	after, err := readSmall(b.source(headFile))
	if err != nil {
		return err
	}
	b.manifest.Running = running || inUse(b.source(filepath.Join(ledgerDir, journalDir))) || string(after) != string(head)
	return nil
}

// copyLedger copies one ledger: the hub's own, or one of before a restore.
func (b *writer) copyLedger(ctx context.Context, dir string) error {
	trees, err := b.copyTreeState(ctx, dir)
	if err != nil {
		return err
	}
	if err := b.copyJournal(ctx, dir); err != nil {
		return err
	}
	return b.copyTiles(ctx, dir, trees)
}
