package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lienthong/lienthong/deploy/parts/backup"
)

// backupCommand copies the hub's directory to one file.
type backupCommand struct {
	File       string `arg:"" help:"File to write. It holds private keys: keep it as safe as the hub itself, and not on the same disk."`
	Registries bool   `help:"Also the registries' databases below DIR. They are not the hub's, and a sandbox makes them again."`
	Ledger     string `help:"Where the ledger lies, if the gateway was told so (default: DIR/ledger)." placeholder:"PATH"`
	LedgerHead string `help:"The ledger's head file, if the gateway was told so (default: beside the ledger)." placeholder:"FILE"`
	Force      bool   `help:"Replace FILE if it is there."`
}

// Help is shown below the command's usage.
func (backupCommand) Help() string {
	return `The file holds everything that is the hub's: agreements, catalog, members, the authority with its key, identities with
their keys, the bus's credentials, and the ledger with its keys; the ledger's index is left out, it is made again. The
hub may run meanwhile: what it records until the ledger is copied is in the file, what it records later is not.`
}

// backupDone is what was written, in JSON.
type backupDone struct {
	File    string    `json:"file"`
	Files   int       `json:"files"`
	Bytes   int64     `json:"bytes"` // of the files
	Size    int64     `json:"size"`  // of the backup
	Running bool      `json:"hub_running"`
	Made    time.Time `json:"made"`
}

// Run makes the backup. The file appears whole, or not at all.
func (c *backupCommand) Run(ctx context.Context, top *cli) error {
	if _, err := os.Stat(c.File); err == nil && !c.Force {
		return usage("%s is there already; choose another file, or add --force to replace it", c.File)
	}
	inside, err := within(top.Dir, c.File)
	if err != nil {
		return usage("%w", err)
	}
	if inside {
		return usage("%s lies in the directory that is backed up and would be lost with it; write it elsewhere, best to another disk", c.File)
	}
	if c.Ledger != "" && c.LedgerHead == "" {
		c.LedgerHead = filepath.Clean(c.Ledger) + ".head"
	}
	part, err := os.CreateTemp(filepath.Dir(c.File), "."+filepath.Base(c.File)+".*") // for its owner's eyes only
	if err != nil {
		return usage("%w", err)
	}
	defer os.Remove(part.Name()) // nothing is there any more if all went well
	defer part.Close()
	shown := newProgress(top, "backing up", "bytes")
	m, err := backup.Write(ctx, part, backup.Config{
		Dir: top.Dir, Ledger: c.Ledger, Head: c.LedgerHead, Registries: c.Registries, Version: version(),
		Spool: filepath.Dir(c.File), Progress: shown.at,
	})
	shown.end()
	if ctx.Err() != nil {
		return errors.New("stopped; nothing was written")
	}
	if err == nil {
		err = part.Sync()
	}
	if err != nil {
		return err
	}
	info, err := part.Stat()
	if err != nil {
		return err
	}
	if err := os.Rename(part.Name(), c.File); err != nil {
		return err
	}
	return c.say(top, m, info.Size())
}

func (c *backupCommand) say(top *cli, m *backup.Manifest, size int64) error {
	if top.JSON {
		return printJSON(backupDone{c.File, len(m.Files), m.Bytes(), size, m.Running, m.Made})
	}
	fmt.Fprintf(stdout, "%s: %d files, %s, compressed to %s\n", c.File, len(m.Files), bytesOf(m.Bytes()), bytesOf(size))
	fmt.Fprintf(stderr, "lienthong: the file holds the hub's private keys: whoever reads it can be the hub. Try it: lienthong restore %s --dir NEW\n", shellJoin([]string{c.File}))
	return nil
}

func bytesOf(n int64) string { return byteSize(uint64(max(0, n))) }

// within reports whether a file that is to be made would lie below a directory.
func within(dir, file string) (bool, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return false, err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err == nil {
		parent, err = filepath.Abs(parent)
	}
	if err != nil {
		return false, err
	}
	rel, err := filepath.Rel(dir, parent)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)), nil
}

// restoreCommand makes a hub's directory of a backup.
type restoreCommand struct {
	File     string `arg:"" help:"The backup." type:"existingfile"`
	Complete bool   `help:"Nothing was recorded after the backup: go on with its ledger. Believed only if no hub ran while it was made, or with the --head that it left."`
	Head     string `help:"With --complete: the ledger's head file as the hub left it, kept on another disk." type:"existingfile" placeholder:"FILE"`
}

// Help is shown below the command's usage.
func (restoreCommand) Help() string {
	return `The directory is the one of --dir; it must be new or empty. It appears whole, or not at all. The ledger lies below it,
wherever it was before.

Nobody knows what the hub recorded after the backup, and no position of a ledger may be given twice. So the restored hub
begins a new ledger, named for the moment (its positions are called G06/gateway.20261122224907:…), and the old one is put
aside, for reading only: DIR/ledger.1. Tell the witnesses the new log's key.

With --complete the hub goes on with the backup's ledger. A head file is written once a second: show one of a hub that
was stopped in good order, not of one that crashed.`
}

// restoredDir is what was made, in JSON.
type restoredDir struct {
	Dir     string    `json:"dir"`
	Files   int       `json:"files"`
	Made    time.Time `json:"backup_made"`
	Records uint64    `json:"records"`         // of the backup's ledger
	Aside   string    `json:"aside,omitempty"` // where that ledger lies
	Epoch   uint64    `json:"epoch"`           // number of the ledger that the hub goes on with: 1, or when it was restored
}

// Run restores.
func (c *restoreCommand) Run(ctx context.Context, top *cli) error {
	if c.Head != "" && !c.Complete {
		return usage("--head is for --complete")
	}
	f, err := os.Open(c.File)
	if err != nil {
		return usage("%w", err)
	}
	defer f.Close()
	shown := newProgress(top, "restoring", "bytes")
	done, err := backup.Restore(ctx, f, backup.RestoreConfig{
		Dir: top.Dir, Complete: c.Complete, Head: c.Head,
		Progress: func(n int64) { shown.at(n, 0) },
		Check: func(ctx context.Context, ledger, head string) (uint64, error) {
			shown.end()
			return checkRestored(ctx, top, ledger, head)
		},
	})
	shown.end()
	if ctx.Err() != nil {
		return errors.New("stopped; nothing was restored")
	}
	if err != nil {
		return err
	}
	if top.JSON {
		return printJSON(restoredDir{top.Dir, len(done.Manifest.Files), done.Manifest.Made, done.Records, done.Aside, done.Epoch})
	}
	fmt.Fprintf(stdout, "%s: %d files of the backup of %s +07:00; its ledger holds: %d records\n", top.Dir, len(done.Manifest.Files), clock(done.Manifest.Made), done.Records)
	if done.Aside != "" {
		fmt.Fprintf(stdout, "the hub begins ledger %d; the old one is in %s: lienthong ledger check --ledger %s\n", done.Epoch, done.Aside, shellJoin([]string{done.Aside}))
	}
	fmt.Fprintf(stdout, "start it with: lienthong up --dir %s\n", shellJoin([]string{top.Dir}))
	return nil
}
