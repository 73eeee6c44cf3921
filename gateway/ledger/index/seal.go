package index

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/lienthong/lienthong/services/store"
)

const (
	insertBlock  = `INSERT INTO block (number, head) VALUES ($1, $2)`
	insertPage   = `INSERT INTO page (block, col, first, data) VALUES ($1, $2, $3, $4)`
	insertFields = `INSERT INTO fields (digest, text) VALUES ($1, $2) ON CONFLICT (digest) DO UPDATE SET text = $2`
)

// sealed is the full block's head. lists is how many field lists are known by its end.
func (b *live) sealed(lists int) *sealed {
	s := &sealed{number: b.number, size: b.size, earliest: b.earliest, latest: b.latest, late: b.late,
		lists: uint64(lists), digest: b.digest}
	s.volumeFirst, s.volumeLast = b.volumes.span()
	return s
}

// write writes a full block in one transaction, in place of anything that is there from it on.
func (b *live) write(ctx context.Context, db *store.DB, head *sealed) error {
	return db.InTx(ctx, func(tx *sql.Tx) error {
		for _, clear := range [...]string{`DELETE FROM page WHERE block >= $1`, `DELETE FROM block WHERE number >= $1`} {
			if _, err := tx.ExecContext(ctx, clear, int64(b.number)); err != nil {
				return fmt.Errorf("clear the place of block %d: %w", b.number, err)
			}
		}
		if err := b.writeFields(ctx, tx); err != nil {
			return err
		}
		if err := b.writePages(ctx, tx); err != nil {
			return fmt.Errorf("write block %d: %w", b.number, err)
		}
		if _, err := tx.ExecContext(ctx, insertBlock, int64(b.number), head.head()); err != nil {
			return fmt.Errorf("write head of block %d: %w", b.number, err)
		}
		return nil
	})
}

// replace writes a block's pages in place of those that are there.
func (b *live) replace(ctx context.Context, db *store.DB) error {
	return db.InTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM page WHERE block = $1`, int64(b.number)); err != nil {
			return fmt.Errorf("clear block %d: %w", b.number, err)
		}
		return b.writePages(ctx, tx)
	})
}

func (b *live) writeFields(ctx context.Context, tx *sql.Tx) error {
	for digest, text := range b.fields {
		if _, err := tx.ExecContext(ctx, insertFields, digest[:], text); err != nil {
			return fmt.Errorf("write field list: %w", err)
		}
	}
	return nil
}

// writePages writes all columns, in the order of their keys.
func (b *live) writePages(ctx context.Context, tx *sql.Tx) error {
	insert, err := tx.PrepareContext(ctx, insertPage)
	if err != nil {
		return err
	}
	defer insert.Close()
	p := &pager{block: b.number, write: func(c column, first string, data []byte) error {
		_, err := insert.ExecContext(ctx, int64(b.number), int(c), []byte(first), data)
		return err
	}}
	for c := range column(valueColumns) {
		p.col = c
		if err := p.values(b.values[c], b.size); err != nil {
			return err
		}
	}
	for i := range b.keys {
		p.col = firstKeyColumn + column(i)
		if err := p.pairs(b.keys[i].sorted()); err != nil {
			return err
		}
	}
	p.col = colTime
	if err := p.times(b.times); err != nil {
		return err
	}
	p.col = colVolume
	return p.volumes(b.volumes)
}

// values writes a column of values.
func (p *pager) values(all map[string]*[]uint16, size int) error {
	var b []byte
	for _, value := range slices.Sorted(maps.Keys(all)) {
		b = appendOrdinals(b[:0], *all[value], size)
		if err := p.entry(value, b); err != nil {
			return err
		}
	}
	return p.flush("")
}
