package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"github.com/lienthong/lienthong/gateway/ledger/notary"
	"github.com/lienthong/lienthong/proto/journal"
)

// Checks of the whole ledger.
const (
	stageCheck    = "check of the journal"
	stageCheckLog = "check of the transparency log against it"
)

// check verifies everything, the files in the page cache.
func (b *bench) check(ctx context.Context) error {
	if err := b.checkJournal(ctx); err != nil {
		return wrong(stageCheck, err)
	}
	return wrong(stageCheckLog, b.checkLog(ctx))
}

func (b *bench) checkJournal(ctx context.Context) error {
	if err := readAll(ctx, b.path().Journal()); err != nil {
		return err
	}
	progress := b.progress(stageCheck + ", bytes")
	m := start()
	found, err := journal.Check(ctx, []string{b.path().Journal()}, journal.CheckOptions{Head: b.head()},
		func(done, total int64) { progress(uint64(done), uint64(total)) })
	if err != nil {
		return err
	}
	if len(found.Faults) > 0 {
		return found.Faults[0]
	}
	b.took(m.stage(stageCheck, int(found.Records)))
	return nil
}

func (b *bench) checkLog(ctx context.Context) error {
	line, err := os.ReadFile(b.path().LogPub())
	if err != nil {
		return err
	}
	key, err := note.NewVerifier(string(trimmed(line)))
	if err != nil {
		return err
	}
	reader, err := journal.OpenReader(b.path().Journal())
	if err != nil {
		return err
	}
	_, next := reader.Bounds()
	m := start()
	found, err := notary.Check(ctx, notary.CheckConfig{
		Dir: b.path().Log(), Key: key, Digests: digestsOf(reader.Scan(ctx, 0, next)), Progress: b.progress(stageCheckLog),
	})
	if err != nil {
		return err
	}
	if !found.OK() || found.Published != next {
		return errors.Join(fmt.Errorf("%d of %d records are published", found.Published, next), firstFault(found))
	}
	b.took(m.stage(stageCheckLog, int(next)))
	return nil
}

func firstFault(r *notary.Report) error {
	if len(r.Faults) == 0 {
		return nil
	}
	return r.Faults[0]
}

func trimmed(line []byte) []byte {
	for len(line) > 0 && line[len(line)-1] == '\n' {
		line = line[:len(line)-1]
	}
	return line
}

// readAll reads the files of a directory, so that they are in the page cache as far as it holds them.
func readAll(ctx context.Context, dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := readFile(filepath.Join(dir, f.Name())); err != nil {
			return err
		}
	}
	return nil
}

func readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(io.Discard, f)
	return err
}
