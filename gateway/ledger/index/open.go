package index

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/lienthong/lienthong/services/store"
)

const (
	selectPage   = `SELECT first, data FROM page WHERE block = $1 AND col = $2 AND first < $3 ORDER BY first DESC LIMIT 1`
	selectBlocks = `SELECT number, head FROM block ORDER BY number`
	selectFields = `SELECT digest, text FROM fields`
)

// openOrAnew opens the database, or a new one in place of one that cannot be used.
func (x *Index) openOrAnew(ctx context.Context) error {
	err := x.openDatabase(ctx)
	if err == nil || ctx.Err() != nil || blameless(err) {
		return err
	}
	x.cfg.Log.Error("ledger index cannot be used and is made again", slog.String("aside", x.cfg.Path+aside),
		slog.Any("error", err))
	if err := setAside(x.cfg.Path); err != nil {
		return err
	}
	return x.openDatabase(ctx)
}

// blameless reports whether the index can be good although it did not open: for what the journal or the machine did.
func blameless(err error) bool {
	var source *sourceError
	var file *fs.PathError
	if errors.As(err, &source) || errors.As(err, &file) {
		return true
	}
	const perm, busy, locked, noMemory, readOnly, full, cannotOpen = 3, 5, 6, 7, 8, 13, 14 // SQLite's
	switch code, _ := sqliteCode(err); code {
	case perm, busy, locked, noMemory, readOnly, full, cannotOpen:
		return true
	}
	return false
}

// sqliteCode returns the primary result code of an error of SQLite.
func sqliteCode(err error) (code int, is bool) {
	var coded interface{ Code() int }
	if !errors.As(err, &coded) {
		return 0, false
	}
	return coded.Code() & 0xff, true
}

// aside is what the name of an index ends in that could not be used.
const aside = ".aside"

// setAside puts the files of a database out of the way, in place of those that were there before.
func setAside(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + aside + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set index aside: %w", err)
		}
		if err := os.Rename(path+suffix, path+aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set index aside: %w", err)
		}
	}
	return nil
}

// openDatabase opens the database and reads its blocks' heads.
func (x *Index) openDatabase(ctx context.Context) (err error) {
	if err := touch(x.cfg.Path); err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{Path: x.cfg.Path})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if err := db.Migrate(ctx, migrations); err != nil {
		return err
	}
	pages, err := store.Prepare(ctx, db.Read, "ledger.index.page", selectPage)
	if err != nil {
		return err
	}
	blocks, err := readBlocks(ctx, db, x.cfg.BlockSize)
	if err != nil {
		return err
	}
	fields, err := readFields(ctx, db)
	if err != nil {
		return err
	}
	if err := x.checkBlocks(ctx, blocks, len(fields)); err != nil {
		return err
	}
	x.adopt(db, pages, blocks, fields)
	return nil
}

// touch makes the file if there is none, for nobody else to read: who asked whom, and for which case, is in it.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make index: %w", err)
	}
	return f.Close()
}

// adopt makes the opened database the index's.
func (x *Index) adopt(db *store.DB, pages *store.Stmt, blocks []*sealed, fields map[[32]byte]string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	size := uint64(x.cfg.BlockSize)
	x.db, x.pages, x.blocks, x.fields = db, pages, blocks, fields
	next := x.cfg.Source.First() / size
	if len(blocks) > 0 {
		next = blocks[len(blocks)-1].number + 1
	}
	x.live = newLive(next, x.cfg.BlockSize)
	x.indexed.Store(next * size)
	x.condemned.Store(false)
}

func readBlocks(ctx context.Context, db *store.DB, size int) ([]*sealed, error) {
	rows, err := db.Read.QueryContext(ctx, selectBlocks)
	if err != nil {
		return nil, fmt.Errorf("read blocks: %w", err)
	}
	defer rows.Close()
	var blocks []*sealed
	for rows.Next() {
		var number int64
		var head []byte
		if err := rows.Scan(&number, &head); err != nil {
			return nil, fmt.Errorf("read blocks: %w", err)
		}
		b, err := readHead(head)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", number, err)
		}
		if b.number != uint64(number) || (len(blocks) > 0 && b.number != blocks[len(blocks)-1].number+1) {
			return nil, fmt.Errorf("block %d is not where it should be", b.number)
		}
		if b.size != size {
			return nil, fmt.Errorf("blocks have %d records, this program's have %d", b.size, size)
		}
		blocks = append(blocks, b)
	}
	return blocks, rows.Err()
}

// readFields reads all field lists: each is its own proof.
func readFields(ctx context.Context, db *store.DB) (map[[32]byte]string, error) {
	rows, err := db.Read.QueryContext(ctx, selectFields)
	if err != nil {
		return nil, fmt.Errorf("read field lists: %w", err)
	}
	defer rows.Close()
	fields := map[[32]byte]string{}
	for rows.Next() {
		var digest []byte
		var text string
		if err := rows.Scan(&digest, &text); err != nil {
			return nil, fmt.Errorf("read field lists: %w", err)
		}
		sum := sha256.Sum256([]byte(text))
		if string(digest) != string(sum[:]) {
			return nil, errors.New("a field list is not what its digest says")
		}
		fields[sum] = text
	}
	return fields, rows.Err()
}

// checkBlocks makes sure that the blocks are of this journal, and that nothing is missing before them. The digest at
// the end of the last one covers all that the journal has before it.
func (x *Index) checkBlocks(ctx context.Context, blocks []*sealed, lists int) error {
	if len(blocks) == 0 {
		return nil
	}
	src, last := x.cfg.Source, blocks[len(blocks)-1]
	if first := src.First(); blocks[0].start() > first {
		return fmt.Errorf("it begins at position %d and the journal at %d", blocks[0].start(), first)
	}
	if last.lists != uint64(lists) {
		return fmt.Errorf("it has %d field lists and should have %d", lists, last.lists)
	}
	end := last.start() + uint64(last.size)
	if end > src.Durable() {
		return fmt.Errorf("it is ahead of the journal: it has %d records, the journal %d", end, src.Durable())
	}
	if end <= src.First() {
		return nil // nothing is left to compare
	}
	entry, err := src.Get(ctx, end-1)
	if err != nil {
		return &sourceError{fmt.Errorf("read journal: %w", err)}
	}
	if entry.Digest != last.digest {
		return fmt.Errorf("it is of another journal: they differ at or before position %d", end-1)
	}
	return nil
}

// sourceError is a failure of the journal, for which the index is not to blame.
type sourceError struct{ error }

// Unwrap returns the journal's error.
func (e *sourceError) Unwrap() error { return e.error }
