package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// RestoreConfig says what is made of a backup.
type RestoreConfig struct {
	Dir string // the directory to make; it must not exist, or be empty

	// Complete says that nothing was recorded after the backup was made. The hub then goes on with the ledger of the
	// backup. Otherwise it begins a new one, because nobody knows which positions the old one gave away.
	Complete bool
	// Head is a head file of the ledger that was kept elsewhere, to show what Complete says; empty: the backup's own,
	// which shows it only if no hub ran while the backup was made.
	Head string

	// Check verifies the ledger in a directory, and that it goes at least as far as the head file says, if there is one.
	// It returns the position behind its last record.
	Check func(ctx context.Context, ledger, head string) (next uint64, err error)
	// Progress is called now and then with the number of bytes that were written.
	Progress func(done int64)
	Now      func() time.Time // default time.Now
}

// Restored says what was made.
type Restored struct {
	Manifest Manifest
	Records  uint64 // positions of the backup's ledger
	Aside    string // where that ledger lies now, if the hub begins a new one
	Epoch    uint64 // number of the ledger that the hub goes on with: 1, or when it was restored, see nextEpoch
}

// ErrIncomplete says that a backup was not shown to hold all that was recorded.
var ErrIncomplete = errors.New("the backup was not shown to hold all that was recorded")

// Restore makes a hub's directory of a backup. The directory appears whole, or not at all.
func Restore(ctx context.Context, r io.Reader, cfg RestoreConfig) (_ *Restored, err error) {
	if err := vacant(cfg.Dir); err != nil {
		return nil, err
	}
	parent := filepath.Dir(filepath.Clean(cfg.Dir))
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	part, err := os.MkdirTemp(parent, "."+filepath.Base(cfg.Dir)+".restoring-")
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("restore: %w", err), os.RemoveAll(part))
		}
	}()
	manifest, err := extract(ctx, r, part, cfg.Progress)
	if err != nil {
		return nil, err
	}
	done := &Restored{Manifest: *manifest}
	if err := done.settle(ctx, part, cfg); err != nil {
		return nil, err
	}
	if err := os.Remove(cfg.Dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.Rename(part, cfg.Dir); err != nil {
		return nil, err
	}
	if done.Aside != "" {
		done.Aside = filepath.Join(cfg.Dir, done.Aside)
	}
	return done, syncDir(parent)
}

// vacant refuses a directory that has something in it.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("restore: %s is not empty; name a directory that is not there yet", dir)
	}
	return nil
}

// settle checks the ledger, and puts it aside unless the hub may go on with it.
func (d *Restored) settle(ctx context.Context, dir string, cfg RestoreConfig) (err error) {
	ledger, head := filepath.Join(dir, ledgerDir), filepath.Join(dir, headFile)
	if d.Epoch, err = readEpoch(dir); err != nil {
		return err
	}
	if _, err := os.Stat(ledger); errors.Is(err, fs.ErrNotExist) { // of a hub that never ran
		return nil
	}
	if cfg.Complete {
		return d.goOn(ctx, ledger, head, cfg)
	}
	if d.Records, err = cfg.Check(ctx, ledger, head); err != nil {
		return fmt.Errorf("the ledger of the backup does not hold: %w", err)
	}
	d.Aside = ledgerDir + "." + strconv.FormatUint(d.Epoch, 10)
	d.Epoch = nextEpoch(d.Epoch, cfg.Now)
	aside := filepath.Join(dir, d.Aside)
	if err := os.Rename(ledger, aside); err != nil {
		return err
	}
	for _, name := range []string{headFile, pointFile} {
		err := os.Rename(filepath.Join(dir, name), filepath.Join(aside, strings.TrimPrefix(name, ledgerDir+".")))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, epochFile), fmt.Appendf(nil, "%d\n", d.Epoch), 0o600); err != nil {
		return err
	}
	return syncDir(dir)
}

// goOn checks that the hub may go on with the ledger of the backup.
func (d *Restored) goOn(ctx context.Context, ledger, head string, cfg RestoreConfig) (err error) {
	if cfg.Head == "" && d.Manifest.Running {
		return fmt.Errorf("%w: a hub ran while it was made, and went on; leave --complete out, or show the head file that it left with --head", ErrIncomplete)
	}
	if cfg.Head != "" {
		data, err := readSmall(cfg.Head)
		if err == nil && data == nil {
			err = fmt.Errorf("%s: %w", cfg.Head, fs.ErrNotExist)
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(head, data, 0o600); err != nil {
			return err
		}
	}
	if d.Records, err = cfg.Check(ctx, ledger, head); err != nil {
		return fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	seen, err := headNext(head)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if seen != d.Records {
		return fmt.Errorf("%w: it holds %d positions, and the head file has seen %d", ErrIncomplete, d.Records, seen)
	}
	return nil
}

// headNext reads how far a journal was when its head file was written.
func headNext(path string) (next uint64, err error) {
	data, err := readSmall(path)
	if err == nil && data == nil {
		err = fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(string(data), "lienthong journal head v1\nnext %d\n", &next); err != nil {
		return 0, fmt.Errorf("%s is no head file", path)
	}
	return next, nil
}

// readEpoch reads the number of the ledger that a directory has: 1 unless it was restored before.
func readEpoch(dir string) (uint64, error) {
	data, err := readSmall(filepath.Join(dir, epochFile))
	if err != nil || data == nil {
		return 1, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 63)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s in the backup does not hold a number", epochFile)
	}
	return n, nil
}

// nextEpoch numbers a ledger that begins now: the date and the time of day in UTC, such as 20261122224907. Counting on
// from the backup would not do: the same backup may be restored twice, or one from before an earlier restore, and then
// two ledgers would give the same positions.
func nextEpoch(last uint64, now func() time.Time) uint64 {
	if now == nil {
		now = time.Now
	}
	n, _ := strconv.ParseUint(now().UTC().Format("20060102150405"), 10, 63) // digits alone
	return max(n, last+1)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
