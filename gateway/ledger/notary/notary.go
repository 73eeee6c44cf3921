// Package notary keeps the ledger's transparency log: a Merkle tree whose leaf i is the digest of journal record i,
// kept by Tessera as C2SP tlog-tiles, with a checkpoint signed each second. Whoever has the public key can then be
// shown that a record is in the ledger, and that the ledger only ever grew.
//
// Invariants:
//   - Leaf i is the digest of journal record i; only durable records become leaves, in order, each once.
//   - A checkpoint is signed only for the root that the notary itself computed from the journal, not for what the files
//     of the log say, and only if that tree contains the tree of every checkpoint signed before it.
//   - What cannot be so is refused: a journal shorter than the log, or one that says something else.
//   - Nothing that goes wrong here stops the journal: the notary tries again and says so in Err.
//
// What does not belong here: the records themselves, and who may read them. Everything in the log may be public.
package notary

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"golang.org/x/mod/sumdb/note"
)

// Source is the journal as the notary sees it.
type Source interface {
	// Durable is the number of records that are on disk for good.
	Durable() uint64
	// Watch waits until Durable is more than after, or ctx ends.
	Watch(ctx context.Context, after uint64) error
	// Digests yields the digests of the records [from, to), in order.
	Digests(ctx context.Context, from, to uint64) iter.Seq2[[32]byte, error]
}

// Config says where a log lies and what it follows. Dir, Origin, KeyFile, PublicFile and Source must be set.
type Config struct {
	// Dir is the directory of the log: tiles, entry bundles, checkpoint. It is made when it is new.
	Dir string
	// Origin is the first line of each checkpoint and the name of the key, such as lienthong/G06/gateway.
	Origin string
	// KeyFile holds the signing key (mode 0600), PublicFile the verifier key in one line. Both are made with a new log.
	KeyFile, PublicFile string
	// HeadFile is a copy of the last checkpoint, on another disk if possible: a log and journal that are older than it,
	// or tell another history, are refused. It is written before a checkpoint is published. Empty: none is kept. If log,
	// journal and head are put back together, only a witness can tell, or who kept a later checkpoint (Check's Since).
	HeadFile string
	// Source is the journal.
	Source Source
	// Interval is the shortest time between two checkpoints. Default: one second.
	Interval time.Duration
	// Batch is how many leaves are added at once at most. Default: 16,384, which takes about 10 MB while it is added.
	Batch int
	// Witnesses cosign the checkpoints. Default: none.
	Witnesses Witnesses
	// Log takes what happens, Tessera's own messages included. Default: slog.Default().
	Log *slog.Logger
}

// The defaults of Config.
const (
	DefaultInterval = time.Second
	DefaultBatch    = 16 << 10
)

// Errors that callers tell apart.
var (
	// ErrNotYet: the record is not covered by a published checkpoint yet. It will be, in at most Config.Interval.
	ErrNotYet = errors.New("not in a published checkpoint yet, ask again in at most a second")
	// ErrShortJournal: the log has more leaves than the journal has records, so records were lost.
	ErrShortJournal = errors.New("the journal is shorter than its log")
	// ErrDisagrees: a leaf of the log is not the digest of the journal's record.
	ErrDisagrees = errors.New("the journal disagrees with its log")
	// ErrKey: the key is not the one that log.pub or the checkpoint speaks of.
	ErrKey = errors.New("wrong key of the log")
	// ErrRefused: a witness has cosigned what this log does not contain. Log, journal and head were put back to an older
	// state together, or another history was signed with the log's key.
	ErrRefused = errors.New("a witness knows another history of this log")
	// ErrInUse: another notary has the directory.
	ErrInUse = errors.New("another process keeps this log")
)

// Notary keeps one log. Its methods may be called from several goroutines; Run from one, once.
type Notary struct {
	cfg    Config
	store  store
	signer note.Signer
	key    note.Verifier
	public string // the verifier key, in its one line
	unlock func()

	size      uint64                     // leaves in the tree, published or not; Run's alone
	grown     *compact.Range             // the tree of that size, as the journal has it; Run's alone
	signed    []*checkpoint              // what was signed, as far as the files know, the newest last; Run's alone
	stuck     bool                       // a batch never ended; Run's alone
	published atomic.Pointer[checkpoint] // nil while a rebuilt tree has not reached what was signed
	gateway   publisher                  // signs, and asks the witnesses

	mu  sync.Mutex
	err error // why the log does not grow; nil when it does
}

// Open opens the log in cfg.Dir, or makes it and its key if there is none. It compares the tree with its checkpoints
// and its last leaves with the journal; Check compares everything. It fails with ErrInUse, ErrKey, ErrShortJournal or
// ErrDisagrees, or with a *Fault if a file that it reads is damaged.
//
// A log whose directories tile and .state were moved away is built again from the journal, and publishes nothing
// until it contains what was published before.
func Open(ctx context.Context, cfg Config) (*Notary, error) {
	if cfg.Dir == "" || cfg.Origin == "" || cfg.KeyFile == "" || cfg.PublicFile == "" || cfg.Source == nil {
		return nil, errors.New("open log: Dir, Origin, KeyFile, PublicFile and Source must be set")
	}
	cfg = withDefaults(cfg)
	unlock, err := lock(cfg.Dir)
	if err != nil {
		return nil, err
	}
	n := &Notary{cfg: cfg, store: store{dir: cfg.Dir}, unlock: unlock}
	if err := n.open(ctx); err != nil {
		unlock()
		return nil, fmt.Errorf("open log %s: %w", cfg.Dir, err)
	}
	return n, nil
}

func withDefaults(cfg Config) Config {
	if cfg.Interval <= 0 {
		cfg.Interval = DefaultInterval
	}
	if cfg.Batch <= 0 {
		cfg.Batch = DefaultBatch
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return cfg
}

func (n *Notary) open(ctx context.Context) error {
	routeLogs(n.cfg.Log)
	if err := n.openKey(); err != nil {
		return err
	}
	var err error
	if n.gateway, err = newPublisher(n.cfg.Witnesses, n.signer, n.store); err != nil {
		return err
	}
	return n.resume(ctx)
}

// Close gives the directory back. Call it when Run has returned.
func (n *Notary) Close() error {
	n.unlock()
	return nil
}

// Verifier is the log's public key in its one line, as log.pub holds it.
func (n *Notary) Verifier() string { return n.public }

// Published is the number of records that the last published checkpoint covers.
func (n *Notary) Published() uint64 {
	if cp := n.published.Load(); cp != nil {
		return cp.Size
	}
	return 0
}

// Lag is the number of durable records that no published checkpoint covers yet.
func (n *Notary) Lag() uint64 {
	durable, published := n.cfg.Source.Durable(), n.Published()
	return durable - min(durable, published)
}

// Cosigned is the number of configured witnesses whose cosignatures the last published checkpoint has.
func (n *Notary) Cosigned() int {
	if cp := n.published.Load(); cp != nil {
		return cp.cosigned
	}
	return 0
}

// Err says why the log does not grow, that witnesses do not cosign what needs it, or, with ErrRefused, that one of them
// knows better; nil when all is well.
func (n *Notary) Err() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// Checkpoint is the last published checkpoint, a signed note. It fails with ErrNotYet while there is none.
func (n *Notary) Checkpoint(context.Context) ([]byte, error) {
	cp := n.published.Load()
	if cp == nil {
		return nil, fmt.Errorf("checkpoint: %w", ErrNotYet)
	}
	return append([]byte(nil), cp.raw...), nil
}

func exists(path string) (bool, error) {
	switch _, err := os.Stat(path); {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	default:
		return false, err
	}
}
