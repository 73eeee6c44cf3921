package ledger

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/ledgertest"
	"github.com/lienthong/lienthong/proto/journal"
)

// fillers is how many append generated records at once, as many as callers of a busy hub: records of one moment change places.
const fillers = 256

// openJournal opens the journal of the ledger.
func (b *bench) openJournal() (*journal.Journal, error) {
	j, _, err := journal.Open(journal.Config{Dir: b.path().Journal(), Head: b.head(), SegmentSize: b.effort.segment, Log: b.log})
	return j, err
}

// fill appends generated records through the journal.
func (b *bench) fill(ctx context.Context) (err error) {
	b.cfg.Say("making a ledger of %d records", b.cfg.Records)
	j, err := b.openJournal()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	stored, err := ledger.OpenStored(b.path())
	if err != nil {
		return err
	}
	m := start()
	var done atomic.Uint64
	work := make(chan group, fillers)
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error {
		defer close(work)
		return b.generate(ctx, stored.Hide, work, &done)
	})
	for range fillers {
		tasks.Go(func() error { return appendAll(ctx, j, work, &done) })
	}
	if err := tasks.Wait(); err != nil {
		return wrong("make a ledger", err)
	}
	b.took(m.stage("generated and appended", b.cfg.Records))
	return nil
}

// group is records that must stay in their order: what comes before an exchange, and the exchange.
type group [][]byte

// generate sends the records of a hub.
func (b *bench) generate(ctx context.Context, hide func(record []byte), work chan<- group, done *atomic.Uint64) error {
	progress := b.progress("make a ledger")
	var g group
	for record := range ledgertest.Records(seed, b.cfg.Records) {
		record = bytes.Clone(record)
		hide(record)
		if g = append(g, record); comesBefore(record) {
			continue
		}
		if err := send(ctx, work, g); err != nil {
			return err
		}
		progress(done.Load(), uint64(b.cfg.Records))
		g = nil
	}
	return send(ctx, work, g) // what the end of the ledger cut off
}

func send(ctx context.Context, work chan<- group, g group) error {
	select {
	case work <- g:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// comesBefore reports whether a record must be in the ledger before the next one: an intent, or a notice of the fields
// that an exchange then names.
func comesBefore(record []byte) bool {
	const intent, notice = 11, 14 // fields of hubv1.LedgerRecord
	for len(record) > 0 {
		number, kind, n := protowire.ConsumeTag(record)
		if n < 0 {
			return false
		}
		if number == intent || number == notice {
			return true
		}
		m := protowire.ConsumeFieldValue(number, kind, record[n:])
		if m < 0 {
			return false
		}
		record = record[n+m:]
	}
	return false
}

func appendAll(ctx context.Context, j *journal.Journal, work <-chan group, done *atomic.Uint64) error {
	for g := range work {
		for _, record := range g {
			if _, err := j.Append(record); err != nil {
				return err
			}
		}
		done.Add(uint64(len(g)))
	}
	return ctx.Err()
}
