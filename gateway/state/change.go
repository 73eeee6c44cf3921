package state

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// write puts the records of a change beside it.
func (tx *Tx) write(ctx context.Context) ([]int64, error) {
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM change`).Scan(&last); err != nil {
		return nil, fmt.Errorf("count changes: %w", err)
	}
	numbers := make([]int64, len(tx.changes))
	for i, c := range tx.changes {
		last++
		numbers[i] = last
		c.Number, c.Revision, c.Made = last, tx.Revision, timestamppb.New(tx.Now)
		c.Agency, c.System, c.Certificate, c.Officer = tx.By.ID.Agency, tx.By.ID.System, tx.By.Serial, tx.By.Officer
		record, err := proto.MarshalOptions{Deterministic: true}.Marshal(c)
		if err != nil {
			return nil, fmt.Errorf("write change: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO change (number, revision, kind, object, record) VALUES ($1, $2, $3, $4, $5)`,
			last, tx.Revision, int64(c.GetKind()), c.GetObject(), record); err != nil {
			return nil, fmt.Errorf("write change: %w", err)
		}
	}
	return numbers, nil
}

// Recorded is a change and where it stands in a ledger.
type Recorded struct {
	*hubv1.Change
	Position string // ORIGIN:SEQ; empty until it was recorded
}

// History returns the changes of an object, the newest first, at most limit of them.
func (db *DB) History(ctx context.Context, kind hubv1.Change_Kind, object string, limit int) ([]Recorded, error) {
	rows, err := db.Read.QueryContext(ctx,
		`SELECT record, position FROM change WHERE kind = $1 AND object = $2 ORDER BY number DESC LIMIT $3`, int64(kind), object, limit)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	defer rows.Close()
	var all []Recorded
	for rows.Next() {
		var record []byte
		r := Recorded{Change: new(hubv1.Change)}
		if err := rows.Scan(&record, &r.Position); err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		if err := proto.Unmarshal(record, r.Change); err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// Position says where a change stands in a ledger; empty while it does not.
func (db *DB) Position(ctx context.Context, number int64) (position string, err error) {
	err = db.Read.QueryRowContext(ctx, `SELECT position FROM change WHERE number = $1`, number).Scan(&position)
	if err != nil {
		return "", fmt.Errorf("read change %d: %w", number, err)
	}
	return position, nil
}

const (
	claimTime  = 30 * time.Second // that a gateway has to record what it claimed; then another one may
	claimMost  = 100              // changes that are claimed at a time
	claimQuery = `UPDATE change SET claimed_by = $1, claimed_until = $2 WHERE number IN (
		SELECT number FROM change WHERE position = '' AND claimed_until < $3 ORDER BY number LIMIT $4)
		RETURNING number, record`
)

// Recorder takes the record of a change and says where it stands: ORIGIN:SEQ.
type Recorder func(ctx context.Context, c *hubv1.Change) (position string, err error)

// Deliver has the changes recorded that nobody has recorded yet, in their order, and returns how many there were.
// gateway names who does it: several gateways share the work and none does the same.
func (db *DB) Deliver(ctx context.Context, gateway string, record Recorder) (delivered int, err error) {
	for {
		claimed, err := db.claim(ctx, gateway)
		if err != nil || len(claimed) == 0 {
			return delivered, err
		}
		for _, c := range claimed {
			position, err := record(ctx, c)
			if err != nil {
				return delivered, errors.Join(fmt.Errorf("record change %d: %w", c.GetNumber(), err), db.unclaim(ctx, gateway))
			}
			if _, err := db.Write.ExecContext(ctx, `UPDATE change SET position = $1 WHERE number = $2 AND position = ''`, position, c.GetNumber()); err != nil {
				return delivered, fmt.Errorf("note change %d as recorded: %w", c.GetNumber(), err)
			}
			delivered++
		}
	}
}

func (db *DB) claim(ctx context.Context, gateway string) ([]*hubv1.Change, error) {
	var waiting int
	if err := db.Read.QueryRowContext(ctx, `SELECT COUNT(*) FROM change WHERE position = ''`).Scan(&waiting); err != nil || waiting == 0 {
		return nil, err // nothing is written where there is nothing to do
	}
	now := db.now()
	var claimed []*hubv1.Change
	err := db.InTx(ctx, func(tx *sql.Tx) error {
		claimed = nil
		rows, err := tx.QueryContext(ctx, claimQuery, gateway, now.Add(claimTime).UnixMilli(), now.UnixMilli(), claimMost)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var number int64
			var record []byte
			if err := rows.Scan(&number, &record); err != nil {
				return err
			}
			c := new(hubv1.Change)
			if err := proto.Unmarshal(record, c); err != nil {
				return err
			}
			claimed = append(claimed, c)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("claim changes: %w", err)
	}
	slices.SortFunc(claimed, func(a, b *hubv1.Change) int { return cmp.Compare(a.GetNumber(), b.GetNumber()) })
	return claimed, nil
}

// unclaim lets others record what this gateway could not.
func (db *DB) unclaim(ctx context.Context, gateway string) error {
	_, err := db.Write.ExecContext(context.WithoutCancel(ctx), `UPDATE change SET claimed_until = 0 WHERE claimed_by = $1 AND position = ''`, gateway)
	return err
}
