package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/lienthong/lienthong/gateway/ledger"
)

// stop ends a ledger in good order.
func stop(ctx context.Context, l *ledger.Ledger) error {
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	return errors.Join(l.Run(stopped), l.Close())
}

// opens takes how long the whole ledger takes to open: as a crash leaves it, and as a stop does.
func (b *bench) opens(ctx context.Context) error {
	for _, after := range []string{"open after a crash, of records that came as fast as they could be made", "open after a stop"} {
		before := time.Now()
		l, err := b.open(ctx)
		if err != nil {
			return wrong("open the ledger", err)
		}
		took := time.Since(before)
		b.report.Opens = append(b.report.Opens, Opening{Name: after, Seconds: took.Seconds()})
		b.cfg.Say("%s: %.2f s", after, took.Seconds())
		if err := stop(ctx, l); err != nil {
			return wrong("close the ledger", err)
		}
	}
	return nil
}
