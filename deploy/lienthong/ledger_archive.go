package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lienthong/lienthong/proto/journal"
)

// ledgerArchive moves old segments of the journal to the archive, or removes them from it after their time.
type ledgerArchive struct {
	OlderThan       string `help:"Compress segments whose records are all older, and move them to the archive: 90d, 26w, 1y." placeholder:"AGE" xor:"what" required:""`
	RemoveOlderThan string `help:"Remove archived segments whose records are all older: 2y at least. They cannot be proven any more." placeholder:"AGE" xor:"what" required:""`
	Yes             bool   `help:"Do it. Without this, only say what would be done."`

	ledgerPlace
}

// Help is shown below the command's usage.
func (ledgerArchive) Help() string {
	return `What is archived stays searchable and provable, and takes less space. A hub may run meanwhile. What is removed is gone for
good; that the journal begins later, and who made it so, stays on record. The hub must be stopped for that.`
}

// archiveDone is what was done, in JSON.
type archiveDone struct {
	Segments int    `json:"segments"`
	Records  uint64 `json:"records"`
	Before   int64  `json:"bytes_before"`
	After    int64  `json:"bytes_after"`
}

// Run archives or removes.
func (c *ledgerArchive) Run(ctx context.Context, top *cli) error {
	text := c.OlderThan + c.RemoveOlderThan
	before, err := age(text, time.Now())
	if err != nil {
		return usage("%w", err)
	}
	if before, err = c.allowed(before); err != nil {
		return err
	}
	path, err := c.find(top)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("segments whose records are all from before %s +07:00", clock(before))
	if !c.Yes && c.RemoveOlderThan != "" {
		return usage("nothing was changed yet; with --yes, %s are removed from %s for good, it cannot be undone", what, path.Archive())
	}
	if !c.Yes {
		return usage("nothing was changed yet; with --yes, %s are compressed and moved to %s", what, path.Archive())
	}
	var done journal.Moved
	if c.RemoveOlderThan != "" {
		if err := stopped(path.Journal()); err != nil {
			return err
		}
		done, err = journal.Remove(ctx, path.Archive(), before, operator())
	} else {
		done, err = journal.Archive(ctx, path.Journal(), path.Archive(), journal.Limit{Time: before}, operator())
	}
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "lienthong: stopped; what was done until then is whole, run it again for the rest")
	}
	if serr := c.say(top, done); err == nil {
		err = serr
	}
	return err
}

// allowed refuses to remove what is too young. Two years are as long as records must be kept at least, to the day.
func (c *ledgerArchive) allowed(before time.Time) (time.Time, error) {
	limit := time.Now().Add(-journal.Keep)
	if c.RemoveOlderThan == "" || before.Before(limit) {
		return before, nil
	}
	if before.Add(-24 * time.Hour).Before(limit) {
		return limit.Add(-time.Minute), nil
	}
	return before, usage("--remove-older-than %s: records are kept for two years at least; write 2y", c.RemoveOlderThan)
}

func (c *ledgerArchive) say(top *cli, m journal.Moved) error {
	if top.JSON {
		return printJSON(archiveDone{m.Segments, m.Entries, m.Before, m.After})
	}
	verb, rest := "archived", fmt.Sprintf(", %s became %s", bytesOf(m.Before), bytesOf(m.After))
	if c.RemoveOlderThan != "" {
		verb, rest = "removed", ", "+bytesOf(m.Before)
	}
	_, err := fmt.Fprintf(stdout, "%s %d segments with %d records%s\n", verb, m.Segments, m.Entries, rest)
	return err
}

// operator names who has the machine, for the record.
func operator() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}

// stopped fails while a hub keeps the journal.
func stopped(dir string) error {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("a hub keeps the ledger in %s; stop it first", filepath.Dir(dir))
	}
	return nil
}
