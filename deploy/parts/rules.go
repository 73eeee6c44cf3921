package parts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/guard"
	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/meter"
	"github.com/lienthong/lienthong/gateway/policy"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/gateway/tally"
	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/peer"
)

const (
	clockEvery   = time.Minute          // how often deadlines of suspended consumers are looked at
	recordWithin = 5 * time.Second      // that a change has to be in force and recorded before its maker is answered
	positionGap  = 2 * time.Millisecond // between two looks for where a change stands
)

// rules is a gateway's end of the hub's state: the policy that decides, who guesses, how much was asked, and what of all
// changes is not in the ledger yet.
type rules struct {
	id     peer.ID
	db     *state.DB
	log    *slog.Logger
	ledger *ledger.Ledger
	who    string // this process, among the gateways
	nc     *nats.Conn
	policy *policy.Watcher
	tally  *tally.Bus
	guard  *guard.Guard
	meter  *meter.Meter
	mu     sync.Mutex    // one delivery at a time
	due    chan struct{} // changes may wait for delivery
}

// rulesConfig says what rules are made of.
type rulesConfig struct {
	ID     peer.ID // the gateway
	DB     *state.DB
	Bus    bus.ConnectConfig
	Log    *slog.Logger
	Alarm  func(guard.Alarm)
	Ledger *ledger.Ledger
}

// openRules reads the policy and joins the bell.
func openRules(ctx context.Context, cfg rulesConfig) (_ *rules, err error) {
	r := &rules{id: cfg.ID, db: cfg.DB, log: cfg.Log, ledger: cfg.Ledger, who: cfg.Bus.Process, due: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	cfg.Bus.Name, cfg.Bus.Inbox, cfg.Bus.Log = cfg.ID.String()+" rules", bus.GatewayInbox, cfg.Log
	cfg.Bus.OnChange = nil
	if r.nc, err = bus.Connect(cfg.Bus); err != nil {
		return nil, err
	}
	key, err := r.db.Secret(ctx, "tally")
	if err != nil {
		return nil, err
	}
	if r.tally, err = tally.Open(ctx, tally.Config{NC: r.nc, Key: key, Process: r.who}); err != nil {
		return nil, err
	}
	r.guard, err = guard.Open(ctx, guard.Config{
		State: r.db, Tally: r.tally, Process: r.who, By: state.Actor{ID: r.id}, Alarm: cfg.Alarm, Changed: r.rung, Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	if r.meter, err = meter.Open(ctx, meter.Config{DB: r.db, Link: r.tally, Log: cfg.Log}); err != nil {
		return nil, err
	}
	r.policy, err = policy.Watch(ctx, policy.Config{DB: r.db, Log: cfg.Log, After: r.after})
	if err != nil {
		return nil, err
	}
	if _, err = state.Listen(r.nc, r.policy.Ring); err != nil {
		return nil, err
	}
	return r, nil
}

// after follows each look at the state. It only reads: the next look must not wait for what writes.
func (r *rules) after(ctx context.Context) {
	if err := r.guard.Reload(ctx); err != nil && ctx.Err() == nil {
		r.log.Error("stops of the guard not read", "error", err)
	}
	select {
	case r.due <- struct{}{}:
	default:
	}
}

// keepDelivering delivers what waits after each look, until ctx ends.
func (r *rules) keepDelivering(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.due:
		}
		if err := r.deliver(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("changes not recorded; they are tried again", "error", err)
		}
	}
}

// deliver has the ledger take all changes that it does not have.
func (r *rules) deliver(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := r.db.Deliver(ctx, r.who, r.ledger.AppendChange)
	return err
}

// rung tells all gateways of a change that this one made by itself, without waiting for them.
func (r *rules) rung(made state.Made) {
	if r.policy != nil {
		r.policy.Ring()
	}
	if err := state.Ring(r.nc, made.Revision); err != nil {
		r.log.Warn("bell not rung: other gateways see the change within a second or two", "error", err)
	}
}

// changed makes a change known: it decides here, the other gateways are told, and it is in a ledger, before its maker is
// answered.
func (r *rules) changed(ctx context.Context, made state.Made) error {
	if made.Revision == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	r.rung(made)
	if err := errors.Join(r.policy.Wait(ctx, made.Revision), r.deliver(ctx)); err != nil {
		return fmt.Errorf("change %v made, and not recorded yet: %w", made.Numbers, err)
	}
	for _, number := range made.Numbers { // another gateway may have it in its hands
		if err := r.awaitRecord(ctx, number); err != nil {
			return fmt.Errorf("change %d made, and not recorded yet: %w", number, err)
		}
	}
	return nil
}

func (r *rules) awaitRecord(ctx context.Context, number int64) error {
	for {
		position, err := r.db.Position(ctx, number)
		if err != nil || position != "" {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(positionGap):
		}
	}
}

// run keeps guard, meter, the clocks of the rules and the ledger's copy of changes until ctx ends.
func (r *rules) run(ctx context.Context) error {
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return r.guard.Run(ctx) })
	tasks.Go(func() error { return r.meter.Run(ctx) })
	tasks.Go(func() error { return r.keepClocks(ctx) })
	tasks.Go(func() error { return r.keepDelivering(ctx) })
	return tasks.Wait()
}

// keepClocks ends the agreements of consumers that have not mended in time what they were suspended for (R16).
func (r *rules) keepClocks(ctx context.Context) error {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		if err := r.endOverdue(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("overdue suspensions not ended; they are tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (r *rules) endOverdue(ctx context.Context) error {
	now := time.Now()
	due, err := book.AnyOverdue(ctx, r.db.Read, now)
	if err != nil || !due {
		return err
	}
	made, err := r.db.Change(ctx, state.Actor{ID: r.id}, func(tx *state.Tx) error {
		_, err := book.EndOverdue(ctx, tx, now)
		return err
	})
	if err != nil {
		return err
	}
	return r.changed(ctx, made)
}

// close gives back what openRules took. What was counted and not stored yet is stored.
func (r *rules) close() {
	ctx, cancel := context.WithTimeout(context.Background(), recordWithin)
	defer cancel()
	if r.policy != nil {
		r.policy.Close()
		if err := r.deliver(ctx); err != nil {
			r.log.Error("changes not recorded; the next start records them", "error", err)
		}
	}
	if r.meter != nil {
		if err := r.meter.Close(ctx); err != nil {
			r.log.Error("counts not stored", "error", err)
		}
	}
	if r.tally != nil {
		_ = r.tally.Close() // the connection is closed next
	}
	if r.nc != nil {
		r.nc.Close()
	}
}
