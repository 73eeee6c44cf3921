package index

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// condemn has the database made again by Run.
func (x *Index) condemn(err error) {
	if x.condemned.Swap(true) {
		return
	}
	x.cfg.Log.Error("ledger index is damaged and will be made again", slog.Any("error", err))
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// anew puts a new database in the place of a condemned one, when the searches that use it are over.
func (x *Index) anew(ctx context.Context) error {
	x.gate.Lock()
	defer x.gate.Unlock()
	if err := x.db.Close(); err != nil {
		x.cfg.Log.Error("damaged ledger index does not close", slog.Any("error", err))
	}
	if err := setAside(x.cfg.Path); err != nil {
		return err
	}
	if err := x.openDatabase(ctx); err != nil {
		return err
	}
	x.cfg.Log.Info("ledger index is made again", slog.String("aside", x.cfg.Path+aside),
		slog.Uint64("records", x.cfg.Source.Durable()))
	return nil
}

// mend makes the damaged block again, from the journal. When it cannot, the whole index is condemned.
func (x *Index) mend(ctx context.Context, d *damage) error {
	x.mending.Lock()
	defer x.mending.Unlock()
	if x.sound(ctx, d.block, d.col) == nil { // another search came upon it as well, and was first
		return nil
	}
	x.cfg.Log.Error("ledger index is damaged; the block is made again", slog.Uint64("block", d.block),
		slog.Int("column", int(d.col)), slog.Any("error", d.err))
	if err := x.rewrite(ctx, d.block); err != nil {
		if ctx.Err() == nil {
			x.condemn(errors.Join(d, err))
		}
		return fmt.Errorf("%w; it could not be made again: %w", d, err)
	}
	x.cfg.Log.Info("ledger index is mended", slog.Uint64("block", d.block))
	return nil
}

// sound reads all pages of a column.
func (x *Index) sound(ctx context.Context, block uint64, c column) error {
	return x.eachPage(ctx, block, c, everything, func(page) error { return nil })
}

// Check reads every page of the index and has the damaged ones mended. Searches do so with what they come upon; this
// is for who wants to know. Progress, when given, is told how many blocks are done and of how many.
func (x *Index) Check(ctx context.Context, progress func(done, total int)) (mended int, err error) {
	blocks := x.view().blocks
	for i, b := range blocks {
		if err := ctx.Err(); err != nil {
			return mended, err
		}
		for _, c := range columns {
			damaged := false
			err := x.withMending(ctx, func() error {
				err := x.sound(ctx, b.number, c)
				damaged = damaged || err != nil
				return err
			})
			if err != nil {
				return mended, err
			}
			if damaged {
				mended++
			}
		}
		if progress != nil {
			progress(i+1, len(blocks))
		}
	}
	return mended, nil
}

// rewrite writes a block's pages again.
func (x *Index) rewrite(ctx context.Context, number uint64) error {
	b := newLive(number, x.cfg.BlockSize)
	for first := x.cfg.Source.First(); !b.full() && b.start()+uint64(b.n) < first; {
		b.skip()
	}
	var t terms
	for entry, err := range x.cfg.Source.Scan(ctx, b.start()+uint64(b.n), b.start()+uint64(b.size)) {
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		if entry.Void || t.read(entry.Payload) != nil {
			b.skip()
		} else {
			b.add(&t)
		}
		b.digest = entry.Digest
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	head := x.headOf(number)
	if !b.full() || head == nil || b.digest != head.digest {
		return errors.New("the journal has other records there than the index was made from")
	}
	return b.replace(ctx, x.db)
}

func (x *Index) headOf(number uint64) *sealed {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(x.blocks) == 0 || number < x.blocks[0].number || number-x.blocks[0].number >= uint64(len(x.blocks)) {
		return nil
	}
	return x.blocks[number-x.blocks[0].number]
}
