package policy

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/reason"
)

// Bounds on how old a policy may be.
const (
	pollEvery = time.Second            // covers a bell that nobody heard
	staleFrom = 10 * time.Second       // without a look that succeeded; then nothing is decided
	ringGap   = 2 * time.Millisecond   // between two looks, however often it rings
	waitEvery = 500 * time.Microsecond // how often Wait looks
)

// Config says what a watcher watches.
type Config struct {
	DB    *state.DB
	Log   *slog.Logger          // default: slog's default
	Now   func() time.Time      // default time.Now
	Poll  time.Duration         // default 1 s
	Stale time.Duration         // default 10 s
	After func(context.Context) // called after each look, in the watcher's goroutine; may be nil
}

// Watcher keeps the policy current. Its methods may be called by any number of goroutines.
type Watcher struct {
	cfg     Config
	reader  *Reader
	current atomic.Pointer[Policy]
	looked  atomic.Pointer[time.Time] // when the last look that succeeded began; of the clock that is never set
	failure atomic.Pointer[error]
	rang    chan struct{}
	end     context.CancelFunc
	done    chan struct{}
}

// Watch reads the policy once, and again whenever Ring is called or a second has passed, until ctx ends or Close is
// called. It fails if the policy cannot be read the first time.
func Watch(ctx context.Context, cfg Config) (*Watcher, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Poll == 0 {
		cfg.Poll = pollEvery
	}
	if cfg.Stale == 0 {
		cfg.Stale = staleFrom
	}
	w := &Watcher{cfg: cfg, reader: NewReader(cfg.DB), rang: make(chan struct{}, 1), done: make(chan struct{})}
	w.current.Store(new(Policy))
	w.look(ctx)
	if err := w.Err(); err != nil {
		return nil, err
	}
	ctx, w.end = context.WithCancel(ctx)
	go w.run(ctx)
	return w, nil
}

// Load returns the policy as it was last read, however long ago that was.
func (w *Watcher) Load() *Policy { return w.current.Load() }

// Current returns the policy that decides at a moment. It fails with POLICY_STALE if nobody knows whether it still
// holds; the policy is returned all the same, to name it in a record. It neither blocks nor allocates.
func (w *Watcher) Current(now time.Time) (*Policy, error) {
	if now.Sub(*w.looked.Load()) > w.cfg.Stale {
		return w.current.Load(), reason.PolicyStale
	}
	return w.current.Load(), nil
}

// Err says why the state as it is now is not what decides; nil when it is.
func (w *Watcher) Err() error {
	if err := w.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Ring has the state looked at now. It does not wait.
func (w *Watcher) Ring() {
	select {
	case w.rang <- struct{}{}:
	default:
	}
}

// Wait returns when a revision decides, or ctx ends.
func (w *Watcher) Wait(ctx context.Context, revision int64) error {
	tick := time.NewTicker(waitEvery)
	defer tick.Stop()
	for w.Load().Revision < revision {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// Close ends the watching and waits for it.
func (w *Watcher) Close() {
	w.end()
	<-w.done
}

func (w *Watcher) run(ctx context.Context) {
	defer close(w.done)
	tick := time.NewTicker(w.cfg.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.rang:
		case <-tick.C:
		}
		w.look(ctx)
		if w.cfg.After != nil {
			w.cfg.After(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(ringGap):
		}
	}
}

// look reads the state, and shows what it read.
func (w *Watcher) look(ctx context.Context) {
	began := w.cfg.Now()
	next, err := w.reader.Read(ctx)
	if ctx.Err() != nil {
		return // told to stop: that says nothing of the state
	}
	was := w.Err()
	if err != nil {
		w.failure.Store(&err)
		if was == nil || was.Error() != err.Error() {
			w.cfg.Log.Warn("policy not read: the one before stays in force, for seconds", "error", err)
		}
		return
	}
	w.looked.Store(&began)
	w.failure.Store(nil)
	if before := w.current.Load(); before.Members == nil || before.Revision != next.Revision {
		w.current.Store(&next)
		w.cfg.Log.Info("policy in force", "revision", next.Revision, "took", w.cfg.Now().Sub(began))
		if broken := next.Agreements.Broken(); len(broken) > 0 {
			w.cfg.Log.Warn("agreements decide nothing, as they do not fit the catalog", "versions", len(broken), "first", broken[0])
		}
	} else if was != nil {
		w.cfg.Log.Info("policy read again", "revision", next.Revision)
	}
}
