package meter

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	longest   = 8784 * time.Hour // that an agreement may bound; see hub.v1.Agreement.Frequency
	storeMost = 2 * chunkCalls   // calls in one transaction, about: others write too
	rowChunk  = 100              // calls in one statement

	callsQuery   = `SELECT subject, stamp, times, until_ms FROM frequency WHERE until_ms > $1 AND stamp >= $2`
	oldCallQuery = `DELETE FROM frequency WHERE until_ms <= $1`
)

// storeQuery stores so many calls. One that is stored already stays as it is.
func storeQuery(rows int) string {
	var q strings.Builder
	q.WriteString(`INSERT INTO frequency (subject, stamp, times, until_ms) VALUES `)
	for i := range rows {
		if i > 0 {
			q.WriteString(", ")
		}
		fmt.Fprintf(&q, "($%d, $%d, $%d, $%d)", 4*i+1, 4*i+2, 4*i+3, 4*i+4)
	}
	q.WriteString(` ON CONFLICT (subject, stamp) DO NOTHING`)
	return q.String()
}

var fullQuery = storeQuery(rowChunk)

// storeCalls stores the calls that were shared since the last time.
func (m *Meter) storeCalls(ctx context.Context) error {
	for {
		var chunks [][]call
		for n := 0; n < storeMost; {
			chunk := m.outbox.due()
			if chunk == nil {
				break
			}
			chunks, n = append(chunks, chunk), n+len(chunk)
		}
		if len(chunks) == 0 {
			return nil
		}
		calls := slices.Concat(chunks...)
		if err := m.cfg.DB.InTx(ctx, func(tx *sql.Tx) error { return insertCalls(ctx, tx, calls) }); err != nil {
			m.outbox.await(calls)
			return fmt.Errorf("store calls: %w", err)
		}
	}
}

func insertCalls(ctx context.Context, tx *sql.Tx, calls []call) error {
	args := make([]any, 0, 4*rowChunk)
	for len(calls) > 0 {
		part := calls[:min(len(calls), rowChunk)]
		calls = calls[len(part):]
		args = args[:0]
		for i := range part {
			c := &part[i]
			args = append(args, c.key[:], int64(c.stamp), c.times, c.until)
		}
		query := fullQuery
		if len(part) < rowChunk {
			query = storeQuery(len(part))
		}
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// restore counts the stored calls that still matter, from a moment on, in Unix ms.
func (m *Meter) restore(ctx context.Context, since int64) error {
	rows, err := m.cfg.DB.Read.QueryContext(ctx, callsQuery, m.cfg.Now().UnixMilli(), since<<stampBits)
	if err != nil {
		return fmt.Errorf("restore calls: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var subject sql.RawBytes
		var c call
		if err := rows.Scan(&subject, &c.stamp, &c.times, &c.until); err != nil {
			return fmt.Errorf("restore calls: %w", err)
		}
		if len(subject) != keySize || !c.sound() {
			continue // nothing that a meter stored
		}
		c.key = key(subject)
		m.windows.merge(c)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("restore calls: %w", err)
	}
	return nil
}

func (m *Meter) cleanCalls(ctx context.Context, now time.Time) error {
	return m.cfg.DB.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, oldCallQuery, now.UnixMilli()); err != nil {
			return fmt.Errorf("remove old calls: %w", err)
		}
		return nil
	})
}
