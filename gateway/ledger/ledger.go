// Package ledger keeps the record of every exchange: durable before its answer leaves, provable to a stranger, and
// searchable.
//
//	Append ─▶ keep (hashes for people, digests for bytes) ─▶ journal ─▶ released
//	                                                            ├─▶ notary   transparency log: proofs
//	                                                            └─▶ index    searches, volumes, citizens' lists
//
// Invariants:
//   - Append returns only after its record is durable. If it cannot be, nothing is answered.
//   - No number of a person is kept: only hashes under keys that nobody but the ledger has.
//   - Nobody an exchange was about is absent from its record.
//   - An intent to change something has exactly one outcome in the ledger, a crash included: in doubt is one.
//   - The journal is the truth. The transparency log and the index follow it and can be made again from it.
//
// What does not belong here: how bytes are made durable (proto/journal), who may read (service), and what an exchange
// is (exchange).
package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/notary"
	"github.com/lienthong/lienthong/gateway/ledger/proof"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

// Config says where a ledger lies and how it is kept.
type Config struct {
	Dir       string           // the ledger's directory; see Path
	Head      string           // file that remembers how far the journal went, best on another disk
	Origin    string           // the ledger's name: positions are ORIGIN:SEQ
	Version   string           // of the program, for the record that says the ledger was opened
	Beginning *hubv1.Change    // what a new ledger records first, if anything: why it begins
	Witnesses notary.Witnesses // who cosigns checkpoints
	Log       *slog.Logger     // default: slog's default
	Now       func() time.Time // default time.Now

	AcceptMissingHead bool // open although Head is missing, see journal.Config

	Refusals    int           // of one kind in a minute that have records of their own; default 10
	SegmentSize int64         // of the journal, bytes; default the journal's
	Patience    time.Duration // until an append that is not durable fails; default the journal's
	disk        journal.Disk  // seam for tests
}

// Path names the files of a ledger below its directory.
type Path string

// Journal holds the segments.
func (p Path) Journal() string { return filepath.Join(string(p), "journal") }

// Archive holds old segments, compressed.
func (p Path) Archive() string { return filepath.Join(string(p), "archive") }

// Log holds tiles and checkpoint of the transparency log: it is public.
func (p Path) Log() string { return filepath.Join(string(p), "log") }

// LogKey signs checkpoints: it is secret.
func (p Path) LogKey() string { return filepath.Join(string(p), "log.key") }

// LogPub is the key by which anybody checks them.
func (p Path) LogPub() string { return filepath.Join(string(p), "log.pub") }

// Index is the index's database.
func (p Path) Index() string { return filepath.Join(string(p), "index.db") }

// Keys are those of data subjects, receipts and tokens: secret.
func (p Path) Keys() string { return filepath.Join(string(p), "keys.json") }

// Segments are the directories in which there are segments: the journal's, and the archive's if there is one.
func (p Path) Segments() []string {
	dirs := []string{p.Journal()}
	if _, err := os.Stat(p.Archive()); err == nil {
		dirs = append(dirs, p.Archive())
	}
	return dirs
}

// LogOrigin is the name of a ledger's transparency log.
func LogOrigin(origin string) string { return proof.LogPrefix + origin }

// Ledger is an open ledger. It is safe for concurrent use.
type Ledger struct {
	cfg     Config
	path    Path
	journal *journal.Journal
	reader  *journal.Reader
	notary  *notary.Notary
	index   *index.Index

	mu      sync.Mutex // guards secrets
	secrets *secrets
	hasher  atomic.Pointer[hasher]
	receipt *keyed

	blinding *blinding

	clock   clock
	lists   lists
	flood   flood
	intents intents
	missed  missed
	unsure  *unsure // belongs to the goroutine that says notices

	abandoned bool // by a test: the last record is not written
}

// Open opens the ledger, or makes a new one, and brings what follows the journal up to it. What was left open by a
// crash is recorded as in doubt. Run it, then Close it.
func Open(ctx context.Context, cfg Config) (_ *Ledger, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Refusals == 0 {
		cfg.Refusals = ownRecords
	}
	l := &Ledger{cfg: cfg, path: Path(cfg.Dir), flood: flood{own: cfg.Refusals}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open ledger %s: %w", cfg.Dir, err), l.Close())
		}
	}()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	found, err := l.openJournal()
	if err != nil {
		return nil, err
	}
	if err := l.openKeys(); err != nil {
		return nil, err
	}
	if err := l.checkKeys(ctx); err != nil {
		return nil, err
	}
	if l.notary, err = notary.Open(ctx, notary.Config{
		Dir: l.path.Log(), Origin: LogOrigin(cfg.Origin), KeyFile: l.path.LogKey(), PublicFile: l.path.LogPub(),
		HeadFile: l.checkpointHead(), Source: digests{l.journal, l.reader}, Witnesses: cfg.Witnesses, Log: cfg.Log,
	}); err != nil {
		return nil, err
	}
	if l.index, err = index.Open(ctx, index.Config{Path: l.path.Index(), Source: entries{l.journal, shown{l.reader, l.blinding}}, Log: cfg.Log}); err != nil {
		return nil, err
	}
	return l, l.begin(ctx, found)
}

func (l *Ledger) openJournal() (found *journal.Recovery, err error) {
	l.journal, found, err = journal.Open(journal.Config{
		Dir: l.path.Journal(), Head: l.cfg.Head, AcceptMissingHead: l.cfg.AcceptMissingHead, SegmentSize: l.cfg.SegmentSize, Patience: l.cfg.Patience, Log: l.cfg.Log,
		Now: l.cfg.Now, Disk: l.cfg.disk,
	})
	if err != nil {
		return nil, err
	}
	l.reader = l.journal.ReaderWith(l.path.Archive())
	return found, nil
}

// checkpointHead remembers the last checkpoint beside the journal's head.
func (l *Ledger) checkpointHead() string {
	if l.cfg.Head == "" {
		return ""
	}
	return l.cfg.Head + ".checkpoint"
}

func (l *Ledger) openKeys() (err error) {
	l.secrets, err = openSecrets(l.path.Keys(), l.journal.Durable() == 0, l.cfg.Now())
	if err != nil {
		return err
	}
	l.receipt = newKeyed(l.secrets.Receipt)
	l.useNewestKey()
	l.blinding, err = newBlinding(l.receipt)
	return err
}

func (l *Ledger) useNewestKey() {
	newest := l.secrets.Subjects[len(l.secrets.Subjects)-1]
	l.hasher.Store(&hasher{number: newest.Number, keyed: newKeyed(newest.Key)})
}

// begin records that the ledger was opened, and what its last run left open.
func (l *Ledger) begin(ctx context.Context, found *journal.Recovery) error {
	left, err := l.leftOpen(ctx)
	if err != nil {
		return err
	}
	opened := &hubv1.Notice_Opened{Clean: left.clean, Version: l.cfg.Version}
	if found.Cut != nil {
		opened.CutBytes = found.Cut.Bytes
	}
	if l.journal.Durable() == 0 && l.cfg.Beginning != nil {
		record := &hubv1.LedgerRecord{Time: timestamppb.New(l.cfg.Now()), Event: &hubv1.LedgerRecord_Change{Change: l.cfg.Beginning}}
		if _, err := l.append(record); err != nil {
			return err
		}
	}
	if err := l.notice(&hubv1.Notice{About: &hubv1.Notice_Opened_{Opened: opened}}); err != nil {
		return err
	}
	for _, i := range left.intents {
		if err := l.notice(l.inDoubt(i.id, i.seq)); err != nil {
			return err
		}
	}
	return nil
}

// Run lets the transparency log and the index follow the journal until ctx ends; nothing may be appended any more by
// then. It ends with a record that nothing is open, which a last checkpoint covers. A failure of what follows the
// journal does not stop the ledger.
func (l *Ledger) Run(ctx context.Context) error {
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var tasks errgroup.Group
	tasks.Go(func() error { return l.notary.Run(following) })
	tasks.Go(func() error { return l.index.Run(following) })
	l.tidy(ctx)
	l.end()
	stop()
	return tasks.Wait()
}

// every is how often what waits to be recorded is looked at.
const every = 200 * time.Millisecond

// tidy records what was counted or could not be recorded at its time.
func (l *Ledger) tidy(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if l.journal.Err() == nil {
			l.settle(l.cfg.Now())
		}
	}
}

// settle records what waits: what has no record yet stays for the next time if it fails.
func (l *Ledger) settle(now time.Time) {
	known, err := l.recall()
	if known && err == nil {
		err = l.sayAll(now)
	}
	if err != nil && !errors.Is(err, journal.ErrUnavailable) {
		l.cfg.Log.Error("notice not recorded", "error", err)
	}
}

func (l *Ledger) sayAll(now time.Time) error {
	if err := l.sayMissed(); err != nil {
		return err
	}
	if err := l.sayRefusals(now); err != nil {
		return err
	}
	return l.sayClock()
}

// end records that nothing is open, if so.
func (l *Ledger) end() {
	if l.journal.Err() != nil || l.abandoned {
		return
	}
	l.settle(l.cfg.Now().Add(time.Hour)) // the minute is over
	if !l.intents.none() || !l.missed.none() {
		return
	}
	if err := l.notice(&hubv1.Notice{About: &hubv1.Notice_Closed_{Closed: &hubv1.Notice_Closed{}}}); err != nil {
		l.cfg.Log.Error("ledger not closed in good order", "error", err)
	}
}

// Close gives back what Open took. Run must have returned.
func (l *Ledger) Close() error {
	var errs []error
	if l.index != nil {
		errs = append(errs, l.index.Close())
	}
	if l.notary != nil {
		errs = append(errs, l.notary.Close())
	}
	if l.journal != nil {
		errs = append(errs, l.journal.Close())
	}
	return errors.Join(errs...)
}

// position is how a record is named.
func (l *Ledger) position(seq uint64) string { return fmt.Sprintf("%s:%d", l.cfg.Origin, seq) }

// notice appends what the ledger says of itself.
func (l *Ledger) notice(n *hubv1.Notice) error {
	_, err := l.appendNotice(n)
	return err
}

func (l *Ledger) appendNotice(n *hubv1.Notice) (seq uint64, err error) {
	return l.append(&hubv1.LedgerRecord{Time: timestamppb.New(l.cfg.Now()), Event: &hubv1.LedgerRecord_Notice{Notice: n}})
}
