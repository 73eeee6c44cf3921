package meter

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

const (
	keepQuery = `INSERT INTO retention (agreement, consumer, provider, keep_until, answers) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (agreement, consumer, provider, keep_until) DO UPDATE SET answers = retention.answers + excluded.answers`
	openQuery = `SELECT consumer, provider, keep_until, answers - confirmed FROM retention
		WHERE agreement = $1 AND substr(consumer, 1, $2) = $3 AND keep_until <= $4 AND answers > confirmed`
	confirmQuery = `UPDATE retention SET confirmed = confirmed + $5
		WHERE agreement = $1 AND consumer = $2 AND provider = $3 AND keep_until = $4`
	overdueQuery = `SELECT agreement, consumer, provider, keep_until, answers - confirmed FROM retention
		WHERE keep_until < $1 AND answers > confirmed ORDER BY keep_until, agreement, consumer, provider`
)

// held is what answers that must be destroyed are counted by.
type held struct{ agreement, consumer, provider, day string }

func (a held) compare(b held) int {
	return cmp.Or(cmp.Compare(a.agreement, b.agreement), cmp.Compare(a.consumer, b.consumer), cmp.Compare(a.provider, b.provider),
		cmp.Compare(a.day, b.day))
}

// retained holds the answers that were counted and not stored yet.
type retained struct {
	mu     sync.Mutex
	counts map[held]int64
}

func (r *retained) add(h held, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[h] += n
}

// Keep counts an answer that a consumer (AGENCY/SYSTEM) must destroy after a day, such as "2026-12-31". Without a day
// there is nothing to count. It does not wait.
func (m *Meter) Keep(agreement, consumer, provider, day string) {
	if day != "" {
		m.retained.add(held{agreement, consumer, provider, day}, 1)
	}
}

// storeRetained stores the answers that were counted since the last time.
func (m *Meter) storeRetained(ctx context.Context) error {
	r := &m.retained
	r.mu.Lock()
	counts := r.counts
	r.counts = map[held]int64{}
	r.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	order := make([]held, 0, len(counts))
	for h := range counts {
		order = append(order, h)
	}
	slices.SortFunc(order, held.compare) // all gateways lock rows in one order
	err := m.cfg.DB.InTx(ctx, func(tx *sql.Tx) error {
		for _, h := range order {
			if _, err := tx.ExecContext(ctx, keepQuery, h.agreement, h.consumer, h.provider, h.day, counts[h]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for h, n := range counts {
			r.add(h, n)
		}
		return fmt.Errorf("store answers to be destroyed: %w", err)
	}
	return nil
}

// Confirm takes an agency's word that its systems destroyed what they had to destroy up to and including a day, records
// it, and returns how many answers that were. Answers that come later, for the same days, are not confirmed by it.
func Confirm(ctx context.Context, tx *state.Tx, agreement, consumerAgency, through, text string) (int64, error) {
	open, err := openAnswers(ctx, tx, agreement, consumerAgency+"/", through)
	if err != nil {
		return 0, fmt.Errorf("confirm destruction: %w", err)
	}
	var total int64
	for _, o := range open {
		if _, err := tx.ExecContext(ctx, confirmQuery, agreement, o.GetConsumer(), o.GetProvider(), o.GetKeepUntil(), o.GetAnswers()); err != nil {
			return 0, fmt.Errorf("confirm destruction: %w", err)
		}
		total += o.GetAnswers()
	}
	tx.Record(&hubv1.Change{
		Kind: hubv1.Change_KIND_DESTRUCTION, Object: agreement,
		Text: fmt.Sprintf("%s destroyed %d answers that it might keep until %s: %s", consumerAgency, total, through, text),
	})
	return total, nil
}

// openAnswers returns what was not confirmed up to a day, of the consumers that begin with a prefix.
func openAnswers(ctx context.Context, tx *state.Tx, agreement, prefix, through string) ([]*hubv1.Overdue, error) {
	rows, err := tx.QueryContext(ctx, openQuery, agreement, int64(len(prefix)), prefix, through)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var open []*hubv1.Overdue
	for rows.Next() {
		o := &hubv1.Overdue{Agreement: agreement}
		if err := rows.Scan(&o.Consumer, &o.Provider, &o.KeepUntil, &o.Answers); err != nil {
			return nil, err
		}
		open = append(open, o)
	}
	return open, rows.Err()
}

// Overdue returns the answers that should have been destroyed before today, in Hà Nội, and of which nobody said so; the
// oldest first.
func Overdue(ctx context.Context, db *state.DB, now time.Time) ([]*hubv1.Overdue, error) {
	rows, err := db.Read.QueryContext(ctx, overdueQuery, now.UTC().Add(hanoi*time.Second).Format(time.DateOnly))
	if err != nil {
		return nil, fmt.Errorf("list overdue answers: %w", err)
	}
	defer rows.Close()
	var all []*hubv1.Overdue
	for rows.Next() {
		o := new(hubv1.Overdue)
		if err := rows.Scan(&o.Agreement, &o.Consumer, &o.Provider, &o.KeepUntil, &o.Answers); err != nil {
			return nil, fmt.Errorf("list overdue answers: %w", err)
		}
		all = append(all, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list overdue answers: %w", err)
	}
	return all, nil
}
