package parts

import (
	"context"
	"errors"
	"time"

	"github.com/lienthong/lienthong/gateway/catalog"
)

// tellPolicy says in the log what became of a change to catalog, agreements or members, until ctx ends: that it is
// in force, or why it is not. Reasons says the same to whoever asks.
func (g *Gateway) tellPolicy(ctx context.Context) error {
	tick := time.NewTicker(catalog.Poll)
	defer tick.Stop()
	agreements, wrong := g.policy.Load().Agreements, ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		before, was := agreements, wrong
		agreements, wrong = g.policy.Load().Agreements, ""
		if err := errors.Join(g.members.Err(), g.policy.Err()); err != nil {
			wrong = err.Error()
		}
		switch {
		case wrong != "" && wrong != was:
			g.cfg.Log.Warn("policy not changed: what was last good stays in force", "error", wrong)
		case wrong == "" && (was != "" || agreements != before):
			g.cfg.Log.Info("policy as it lies in the directory is in force")
		}
	}
}
