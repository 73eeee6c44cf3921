// Package index finds the ledger's records: by who asked whom, when, why, for whom and how it ended. It is a
// projection of the journal into SQL that can be made again at will.
//
// Records are indexed in blocks of 65,536. A full block is written once, in one transaction; the last one is held in
// memory and read again from the journal at start. A block has a column for everything that records are found by, and
// a column is a sorted list of values with the ordinals of their records, cut into checksummed pages. A search goes
// through the blocks, intersects ordinals, and reads each record that is left from the journal.
//
// What does not belong here: who may read what, hashing of data subjects, and anything that the journal does not say.
//
// Invariants:
//   - The index may lag, and says by how much, but never lies: every hit was read from the journal and compared.
//   - A search misses none of the records below Page.Covered. A page of the index that is damaged or missing is
//     noticed, said in the log and made again; until then the search fails.
//   - An index of another format, of another journal or ahead of it is set aside and made again.
package index

import (
	"context"
	"embed"
	"errors"
	"iter"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lienthong/lienthong/services/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Entry is one position of the journal.
type Entry struct {
	// Seq is the position, from 0.
	Seq uint64
	// Void says that the position has no record.
	Void bool
	// Digest is the journal's chain up to here.
	Digest [32]byte
	// Payload is the record: canonical bytes of hubv1.LedgerRecord. In a Scan it is valid until the next entry.
	Payload []byte
}

// Source is the journal. Its methods may be called concurrently.
type Source interface {
	// First is the first position that is still kept.
	First() uint64
	// Durable is how many positions there are: one more than the last that may be read.
	Durable() uint64
	// Watch waits until Durable() > after, or fails with ctx's error.
	Watch(ctx context.Context, after uint64) error
	// Scan reads the positions from ≤ seq < to, in order.
	Scan(ctx context.Context, from, to uint64) iter.Seq2[Entry, error]
	// Get reads one position.
	Get(ctx context.Context, seq uint64) (Entry, error)
}

// Config says what to index, and where.
type Config struct {
	// Path of the SQLite file. Made if it does not exist; its directory must.
	Path string
	// Source is the journal.
	Source Source
	// Log is told of damage and of what was done about it. Default: nothing is logged.
	Log *slog.Logger
	// BlockSize is the number of records of a block, a multiple of 64 up to 65,536. Default 65,536.
	BlockSize int
	// Rest is the shortest time between two looks at the journal: records that come meanwhile are read together.
	// Default 10 ms.
	Rest time.Duration
	// Retry is how long to wait after a failure. Default one second.
	Retry time.Duration
	// BeforeSeal is called before a full block is written; its error fails the writing. For tests.
	BeforeSeal func(block uint64) error
}

const (
	maxBlockSize = 1 << 16
	defaultRest  = 10 * time.Millisecond
	defaultRetry = time.Second
)

// Index is an open index. Its methods may be called concurrently, Run once.
type Index struct {
	cfg    Config
	unlock func() // lets other processes open it

	// gate is held for reading while the database is used, and for writing while it is exchanged for another.
	gate      sync.RWMutex
	db        *store.DB
	pages     *store.Stmt   // the last page of a column that begins before a key
	condemned atomic.Bool   // the database must be made again
	wake      chan struct{} // tells Run so

	// mending is held while a block is made again.
	mending sync.Mutex

	mu      sync.RWMutex
	blocks  []*sealed // never changed in place, only appended to
	live    *live     // the block after them
	fields  map[[32]byte]string
	changed chan struct{} // closed when a record is added; nil when nobody waits
	fault   error

	indexed atomic.Uint64
}

// Open opens the index, and makes it if there is none. What it finds there and cannot use, it sets aside: Run makes
// it again. It fails with ErrInUse when another process has the index open. The caller closes the index.
func Open(ctx context.Context, cfg Config) (*Index, error) {
	if cfg.Path == "" || cfg.Source == nil {
		return nil, errors.New("open index: path and source are needed")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.BlockSize == 0 {
		cfg.BlockSize = maxBlockSize
	}
	if cfg.BlockSize < 64 || cfg.BlockSize > maxBlockSize || cfg.BlockSize%64 != 0 {
		return nil, errors.New("open index: a block has 64 to 65,536 records, a multiple of 64")
	}
	if cfg.Rest == 0 {
		cfg.Rest = defaultRest
	}
	if cfg.Retry == 0 {
		cfg.Retry = defaultRetry
	}
	unlock, err := lock(cfg.Path)
	if err != nil {
		return nil, err
	}
	x := &Index{cfg: cfg, unlock: unlock, wake: make(chan struct{}, 1)}
	if err := x.openOrAnew(ctx); err != nil {
		unlock()
		return nil, err
	}
	return x, nil
}

// Close closes the index. Run must have returned.
func (x *Index) Close() error {
	x.gate.Lock()
	defer x.gate.Unlock()
	var err error
	if x.db != nil {
		err = x.db.Close()
	}
	x.unlock()
	return err
}

// Indexed is how many positions of the journal searches cover: all below it.
func (x *Index) Indexed() uint64 { return x.indexed.Load() }

// Bytes is how much the index takes on disk.
func (x *Index) Bytes() (total int64) {
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(x.cfg.Path + suffix); err == nil {
			total += info.Size()
		}
	}
	return total
}

// Err says why the index does not follow the journal now; nil when it does.
func (x *Index) Err() error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.fault
}

// Wait waits until Indexed() > after, or fails with ctx's error.
func (x *Index) Wait(ctx context.Context, after uint64) error {
	for {
		x.mu.Lock()
		if x.indexed.Load() > after {
			x.mu.Unlock()
			return nil
		}
		if x.changed == nil {
			x.changed = make(chan struct{})
		}
		changed := x.changed
		x.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Fields returns the text of a field list: leaf paths, sorted, joined by commas.
func (x *Index) Fields(digest [32]byte) (text string, known bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	text, known = x.fields[digest]
	return text, known
}
