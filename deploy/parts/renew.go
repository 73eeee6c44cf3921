package parts

import (
	"context"
	"log/slog"
	"time"

	"github.com/lienthong/lienthong/gateway/member/authority"
)

// renewEvery is how often certificates are looked at. They are renewed with a third of their time left, which is
// ten days: a look that fails leaves many more.
const renewEvery = time.Hour

// keepRenewed renews the certificates of gateways and connectors that are due, at once and then each interval, until
// ctx ends. A renewed certificate comes into use within seconds, for listeners and sealing keys. With a
// nil authority it does nothing.
func keepRenewed(ctx context.Context, a *authority.Authority, every time.Duration, log *slog.Logger) error {
	if a == nil {
		return nil
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		renewed, err := a.RenewDue(ctx)
		if err != nil && ctx.Err() == nil {
			log.Error("certificates not renewed; they are tried again", "error", err)
		}
		for _, r := range renewed {
			log.Info("certificate renewed", "identity", r.ID.String(), "serial", r.Serial, "until", r.NotAfter)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
