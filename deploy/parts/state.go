package parts

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/nats-io/nats.go"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/buscreds"
	"github.com/lienthong/lienthong/gateway/policy"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/services/store"
)

// OpenState opens the hub's own state. It is made if there is none. The caller closes it.
func (d Dir) OpenState(ctx context.Context) (*state.DB, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, fmt.Errorf("use directory %s, choose another one with --dir: %w", d, err)
	}
	return state.Open(ctx, state.Config{Config: store.Config{Path: d.State()}})
}

// Ring tells the gateways on the bus of the hub that runs from the directory that there is a new revision. It fails
// with fs.ErrNotExist if no hub runs.
func (d Dir) Ring(ctx context.Context, revision int64) error {
	ready, err := d.ReadReady()
	if err != nil {
		return err
	}
	creds, err := buscreds.Ensure(string(d))
	if err != nil {
		return err
	}
	ringer, err := creds.RingerCreds()
	if err != nil {
		return err
	}
	nc, err := nats.Connect(ready.Addresses["nats"], nats.Name("command"), buscreds.Option(ringer), nats.NoReconnect())
	if err != nil {
		return fmt.Errorf("reach the bus: %w", err)
	}
	defer nc.Close()
	return state.Ring(nc, revision)
}

// Members are those of this moment, for a part that is no gateway.
type Members struct{ policy *policy.Watcher }

// WatchMembers keeps the members current until Close.
func (c *Credentials) WatchMembers(ctx context.Context, log *slog.Logger) (*Members, error) {
	w, err := policy.Watch(ctx, policy.Config{DB: c.State, Log: log})
	if err != nil {
		return nil, err
	}
	return &Members{w}, nil
}

// Directory returns them. It never blocks.
func (m *Members) Directory() *member.Directory { return m.policy.Load().Members }

// Close ends the watching.
func (m *Members) Close() { m.policy.Close() }
