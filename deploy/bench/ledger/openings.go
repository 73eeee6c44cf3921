package ledger

import (
	"context"
	"time"
)

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
		if err := l.Close(); err != nil {
			return wrong("close the ledger", err)
		}
	}
	return nil
}
