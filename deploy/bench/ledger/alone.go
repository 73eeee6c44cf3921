package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/proto/journal"
)

// The journal alone.
const (
	recordSize = 400 // bytes
	turns      = 10  // of the journal and the bare disk; a warm-up is as long as one
)

// journalAlone measures the journal without anything around it, and what it adds to the disk's own sync.
func (b *bench) journalAlone(ctx context.Context) error {
	for _, appenders := range []int{256, 64} {
		if err := b.appenders(ctx, appenders); err != nil {
			return wrong("journal alone", err)
		}
	}
	return wrong("journal with one appender", b.oneAppender(ctx))
}

// openAlone opens a journal of its own. The caller closes it and removes what it wrote.
func (b *bench) openAlone() (j *journal.Journal, remove func() error, err error) {
	dir := filepath.Join(b.dir, "alone")
	j, _, err = journal.Open(journal.Config{Dir: filepath.Join(dir, "journal"), SegmentSize: b.effort.segment, Log: b.log})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return j, func() error { return errors.Join(j.Close(), os.RemoveAll(dir)) }, nil
}

// appenders measures so many that each wait for their own record to be durable.
func (b *bench) appenders(ctx context.Context, n int) (err error) {
	j, remove, err := b.openAlone()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if _, err := appendFor(ctx, j, n, b.cfg.Time/turns); err != nil {
		return err
	}
	m := start()
	times, err := appendFor(ctx, j, n, b.cfg.Time)
	if err != nil {
		return err
	}
	all := sorted(times...)
	s := m.stage(aloneName(n), len(all))
	s.P50, s.P99 = milli(quantile(all, 0.5)), milli(quantile(all, 0.99))
	b.took(s)
	return nil
}

func aloneName(appenders int) string {
	return fmt.Sprintf("journal alone, %d appenders of %d bytes", appenders, recordSize)
}

// appendFor lets so many append for so long, each once at least, and returns how long each record of each of them took.
func appendFor(ctx context.Context, j *journal.Journal, n int, length time.Duration) ([][]time.Duration, error) {
	payload := make([]byte, recordSize)
	if _, err := rand.Read(payload); err != nil {
		return nil, err
	}
	times := make([][]time.Duration, n)
	end := time.Now().Add(length)
	tasks, ctx := errgroup.WithContext(ctx)
	for i := range times {
		tasks.Go(func() error {
			own := make([]time.Duration, 0, 1<<14)
			defer func() { times[i] = own }()
			for before := time.Now(); ctx.Err() == nil; {
				if _, err := j.Append(payload); err != nil {
					return err
				}
				after := time.Now()
				own = append(own, after.Sub(before))
				if before = after; !before.Before(end) {
					break
				}
			}
			return ctx.Err()
		})
	}
	return times, tasks.Wait()
}

// oneAppender measures one appender and the bare disk in turns, so that what disturbs the disk meets both.
func (b *bench) oneAppender(ctx context.Context) (err error) {
	j, remove, err := b.openAlone()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if _, err := appendFor(ctx, j, 1, b.cfg.Time/turns); err != nil {
		return err
	}
	stats := j.Stats()
	raw, err := openBare(filepath.Join(b.dir, "alone", "bare"), b.effort.segment, int(stats.Bytes/stats.Batches))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, raw.close()) }()
	var disk, one []time.Duration
	for range turns {
		syncs, err := raw.syncs(ctx, b.cfg.Time/turns)
		if err != nil {
			return err
		}
		times, err := appendFor(ctx, j, 1, b.cfg.Time/turns)
		if err != nil {
			return err
		}
		disk, one = append(disk, syncs...), append(one, times[0]...)
	}
	b.took(alternating(fmt.Sprintf("fdatasync alone, of %d bytes", len(raw.data)), disk))
	b.took(alternating(aloneName(1), one))
	b.report.oneAppender, b.report.oneSync = mean(one), mean(disk)
	return nil
}

// alternating is a stage that took the sum of its times. What CPU it took is not known.
func alternating(name string, times []time.Duration) Stage {
	all := sorted(times)
	seconds := (mean(all) * time.Duration(len(all))).Seconds()
	return Stage{Name: name, Records: len(all), Seconds: seconds, PerSecond: float64(len(all)) / seconds,
		P50: milli(quantile(all, 0.5)), P99: milli(quantile(all, 0.99))}
}
