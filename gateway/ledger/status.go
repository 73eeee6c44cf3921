package ledger

import (
	"context"
	"errors"
	"net/http"

	"github.com/lienthong/lienthong/gateway/ledger/index"
)

// Status is in which state a ledger is.
type Status struct {
	Records     uint64 // on disk
	Proven      uint64 // of them, those that the last published checkpoint covers
	Indexed     uint64 // of them, those that searches find
	OpenIntents int    // intents without outcome
	Missed      int    // exchanges not answered for want of a record, which no record says yet
	Fault       error  // why no records are taken now; nil when they are
	Following   error  // what keeps transparency log or index from following; nil when they follow
}

// Status says in which state the ledger is. It does not block.
func (l *Ledger) Status() Status {
	s := Status{
		Proven: l.notary.Published(), Indexed: l.index.Indexed(), OpenIntents: l.intents.count(), Missed: l.missed.count(),
		Fault: l.journal.Err(), Following: errors.Join(l.notary.Err(), l.index.Err()),
	}
	s.Records = l.journal.Durable() // last: it is never less than what follows it
	return s
}

// Origin is the ledger's name.
func (l *Ledger) Origin() string { return l.cfg.Origin }

// Index is where the ledger is searched.
func (l *Ledger) Index() *index.Index { return l.index }

// LogHandler serves the transparency log: C2SP tlog-tiles, read-only.
func (l *Ledger) LogHandler() http.Handler { return l.notary.Handler() }

// Checkpoint is the last published checkpoint, as it is signed.
func (l *Ledger) Checkpoint(ctx context.Context) ([]byte, error) { return l.notary.Checkpoint(ctx) }
