package index

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"
)

// Run follows the journal until ctx ends, and returns nil then. What fails is said in the log and by Err, and tried
// again.
func (x *Index) Run(ctx context.Context) error {
	for {
		err := x.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			if old := x.Err(); old == nil || old.Error() != err.Error() { // not each second while a disk is full
				x.cfg.Log.Error("ledger index does not follow the journal", slog.Any("error", err))
			}
			x.setFault(err)
			rest(ctx, x.cfg.Retry)
		}
	}
}

// rest waits until the time is over or ctx ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (x *Index) setFault(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.fault = err
}

// follow reads what the journal has, and waits for more, again and again. It comes back when something failed, and
// when the database was made new.
func (x *Index) follow(ctx context.Context) error {
	if err := x.CatchUp(ctx, nil); err != nil {
		return err
	}
	x.setFault(nil)
	if err := x.watch(ctx); err != nil {
		return err
	}
	rest(ctx, x.cfg.Rest)
	return nil
}

// watch waits for more records, or for the database to be condemned.
func (x *Index) watch(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() { watched <- x.cfg.Source.Watch(ctx, x.Indexed()) }()
	select {
	case err := <-watched:
		stop()
		return err
	case <-x.wake:
		stop()
		<-watched
		return nil
	}
}

// CatchUp reads all that the journal has by now. Progress, when given, is told from time to time how many positions
// are done and of how many. Run does this again and again: it must not be called meanwhile.
func (x *Index) CatchUp(ctx context.Context, progress func(done, total uint64)) error {
	if x.condemned.Load() {
		if err := x.anew(ctx); err != nil {
			return err
		}
	}
	if x.live.full() { // and could not be written
		if err := x.seal(ctx); err != nil {
			return err
		}
	}
	to := x.cfg.Source.Durable()
	if err := x.skipRemoved(ctx, to); err != nil {
		return err
	}
	var t terms
	for entry, err := range x.cfg.Source.Scan(ctx, x.Indexed(), to) {
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		if entry.Seq != x.Indexed() {
			return fmt.Errorf("journal gave position %d instead of %d", entry.Seq, x.Indexed())
		}
		if err := x.add(ctx, &entry, &t); err != nil {
			return err
		}
		if done := entry.Seq + 1; progress != nil && (done%progressEvery == 0 || done == to) {
			progress(done, to)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if x.Indexed() < to {
		return fmt.Errorf("journal gave %d positions of %d", x.Indexed(), to)
	}
	return nil
}

// progressEvery is how many positions are read between two calls of progress.
const progressEvery = 1 << 14

// skipRemoved passes over positions of the first block that are no longer kept.
func (x *Index) skipRemoved(ctx context.Context, to uint64) error {
	var t terms
	for first := min(x.cfg.Source.First(), to); x.Indexed() < first; {
		if err := x.add(ctx, &Entry{Seq: x.Indexed(), Void: true}, &t); err != nil {
			return err
		}
	}
	return nil
}

// add adds a position to the live block, which is written when it is full.
func (x *Index) add(ctx context.Context, entry *Entry, t *terms) error {
	readable := !entry.Void
	if readable {
		if err := t.read(entry.Payload); err != nil {
			readable = false
			x.cfg.Log.Error("record does not read and is found by nothing", slog.Uint64("seq", entry.Seq))
		}
	}
	x.mu.Lock()
	if readable {
		x.live.add(t)
		x.learn(t.fields)
	} else {
		x.live.skip()
	}
	x.live.digest = entry.Digest
	x.indexed.Add(1)
	if x.changed != nil {
		close(x.changed)
		x.changed = nil
	}
	x.mu.Unlock()
	if x.live.full() {
		return x.seal(ctx)
	}
	return nil
}

// learn remembers field lists. Index.mu is held.
func (x *Index) learn(lists [][]byte) {
	for _, text := range lists {
		digest := sha256.Sum256(text)
		if _, known := x.fields[digest]; !known {
			x.fields[digest], x.live.fields[digest] = string(text), string(text)
		}
	}
}

// seal writes the full block and begins the next one. Searches go on meanwhile.
func (x *Index) seal(ctx context.Context) error {
	if x.cfg.BeforeSeal != nil {
		if err := x.cfg.BeforeSeal(x.live.number); err != nil {
			return err
		}
	}
	head := x.live.sealed(len(x.fields))
	if err := x.live.write(ctx, x.db, head); err != nil {
		return x.suspect(err)
	}
	next := newLive(head.number+1, x.cfg.BlockSize)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.blocks, x.live = append(x.blocks, head), next
	return nil
}

// suspect condemns the database if the error is one of a database that is damaged. It returns the error.
func (x *Index) suspect(err error) error {
	const noTable, corrupt, notADatabase = 1, 11, 26 // SQLITE_ERROR, which here has no other cause; _CORRUPT, _NOTADB
	switch code, _ := sqliteCode(err); code {
	case noTable, corrupt, notADatabase:
		x.condemn(err)
	}
	return err
}
