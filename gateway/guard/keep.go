package guard

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	saveEvery = time.Second     // the last minute, and reading what others changed
	lastSave  = 5 * time.Second // that a guard has to save what it knows when it ends
)

// row is a row of what was counted.
type row struct {
	second int64
	who
}

// Run shares, keeps and reads until ctx ends; then it saves once more. What goes wrong meanwhile is logged and done
// again: nobody who is stopped is released by it.
func (g *Guard) Run(ctx context.Context) error {
	shared := make(chan struct{})
	loops, ctx := errgroup.WithContext(ctx)
	loops.Go(func() error {
		defer close(shared)
		return g.sharing(ctx)
	})
	loops.Go(func() error {
		g.keepUntil(ctx)
		<-shared
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
		defer cancel()
		if err := g.settle(ctx); err != nil {
			return err
		}
		return g.flush(ctx)
	})
	return loops.Wait()
}

// keepUntil keeps and reads until ctx ends.
func (g *Guard) keepUntil(ctx context.Context) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	settled := trouble{log: g.cfg.Log, what: "the guard cannot write whom it stopped; they stay stopped in this gateway"}
	flushed := trouble{log: g.cfg.Log, what: "the guard cannot save what it counted; a restart would forget it"}
	read := trouble{log: g.cfg.Log, what: "the guard cannot read whom others stopped or released"}
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-g.stopped:
			settled.note(g.settle(ctx))
			select { // whoever asks for decoys all the time does not keep the database busy
			case <-ctx.Done():
			case <-time.After(shareEvery):
			}
		case <-tick.C:
			settled.note(g.settle(ctx))
			flushed.note(g.flush(ctx))
			read.note(g.Reload(ctx))
			g.sweep(i % shards)
		}
	}
}

// sweep forgets what is old in one shard.
func (g *Guard) sweep(i int) {
	second := g.now().Unix()
	s := &g.shards[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, p := range s.pairs {
		p.to(&g.rules, second)
		if p.sweep(&g.rules); p.idle() {
			delete(s.pairs, k)
		}
	}
}

// save has counts written soon. Officers who miss nobody are saved together: after a restart only their share in the
// agency's total counts.
func (g *Guard) save(counted map[who]counts) {
	second := g.now().Unix()
	g.keeping.Lock()
	defer g.keeping.Unlock()
	for w, c := range counted {
		if c.clean && w.officer != "" {
			w.officer = others
		}
		r := row{second, w}
		sum := g.unsaved[r]
		sum.add(c)
		g.unsaved[r] = sum
	}
}

const (
	saveCounts = `INSERT INTO guard_count (second, gateway, agency, purpose, officer, matched, missed) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (second, gateway, agency, purpose, officer)
		DO UPDATE SET matched = guard_count.matched + excluded.matched, missed = guard_count.missed + excluded.missed`
	dropCounts = `DELETE FROM guard_count WHERE second <= $1`
)

// flush writes what is to be saved, and drops what is old. It is called by one at a time, and holds up nobody.
func (g *Guard) flush(ctx context.Context) error {
	old := g.now().Unix() - g.rules.window
	g.keeping.Lock()
	unsaved := g.unsaved
	g.unsaved = map[row]counts{}
	g.keeping.Unlock()
	maps.DeleteFunc(unsaved, func(r row, _ counts) bool { return r.second <= old })
	if len(unsaved) == 0 && g.newest == 0 {
		return nil
	}
	err := g.cfg.State.InTx(ctx, func(tx *sql.Tx) error {
		if err := g.writeCounts(ctx, tx, unsaved); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, dropCounts, old)
		return err
	})
	if err != nil {
		g.keeping.Lock()
		defer g.keeping.Unlock()
		for r, c := range unsaved {
			c.add(g.unsaved[r])
			g.unsaved[r] = c
		}
		return fmt.Errorf("save what the guard counted: %w", err)
	}
	for r := range unsaved {
		g.newest = max(g.newest, r.second)
	}
	if g.newest <= old {
		g.newest = 0
	}
	return nil
}

func (g *Guard) writeCounts(ctx context.Context, tx *sql.Tx, unsaved map[row]counts) error {
	if len(unsaved) == 0 {
		return nil
	}
	insert, err := tx.PrepareContext(ctx, saveCounts)
	if err != nil {
		return err
	}
	defer insert.Close()
	for r, c := range unsaved {
		if _, err := insert.ExecContext(ctx, r.second, g.cfg.Process, r.agency, r.purpose, r.officer, int64(c.matched), int64(c.missed)); err != nil {
			return err
		}
	}
	return nil
}

// restore counts again what all gateways counted within the window, except what was released since. What the others
// counted in the second before may be missing: they may have told it already, and not saved it yet.
func (g *Guard) restore(ctx context.Context) error {
	free, err := g.lastReleases(ctx)
	if err != nil {
		return err
	}
	now := g.now().Unix()
	rows, err := g.cfg.State.Read.QueryContext(ctx, `SELECT second, agency, purpose, officer, CAST(SUM(matched) AS BIGINT), CAST(SUM(missed) AS BIGINT) FROM guard_count
		WHERE second > $1 AND second <= $2 GROUP BY second, agency, purpose, officer ORDER BY second`, now-g.rules.window, now)
	if err != nil {
		return fmt.Errorf("read what the guard counted: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var second int64
		var e entry
		if err := rows.Scan(&second, &e.agency, &e.purpose, &e.officer, &e.matched, &e.missed); err != nil {
			return fmt.Errorf("read what the guard counted: %w", err)
		}
		if second <= max(free[e.who], free[who{e.agency, e.purpose, ""}]) || g.Check(e.agency, e.purpose, e.officer) != nil {
			continue
		}
		g.with(e.who, true, func(p *pair) { p.put(&g.rules, second, e.officer, e.matched, e.missed) })
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read what the guard counted: %w", err)
	}
	return nil
}

// lastReleases says when who was released.
func (g *Guard) lastReleases(ctx context.Context) (map[who]int64, error) {
	when := map[who]int64{}
	err := g.cfg.State.InReadTx(ctx, func(tx *sql.Tx) error {
		_, free, err := readStops(ctx, tx, 0)
		for _, f := range free {
			when[f.who] = f.second
		}
		return err
	})
	return when, err
}

// trouble logs when something begins to fail, and when it works again.
type trouble struct {
	log  *slog.Logger
	what string
	on   bool
}

func (t *trouble) note(err error) {
	switch {
	case err != nil && !t.on:
		t.log.Error(t.what, "error", err)
	case err == nil && t.on:
		t.log.Info("it works again", "before", t.what)
	}
	t.on = err != nil
}
