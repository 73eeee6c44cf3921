package notary

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"k8s.io/klog/v2"
)

// Tessera logs through klog, which has one logger per process and writes to standard error unless it is told
// otherwise. It is told once; the notary opened last says where the messages go.
var (
	klogOnce   sync.Once
	klogTarget atomic.Pointer[slog.Logger]
)

func routeLogs(log *slog.Logger) {
	klogTarget.Store(log)
	klogOnce.Do(func() { klog.SetSlogLogger(slog.New(tesseraLogs{})) })
}

// tesseraLogs hands Tessera's messages on. What Tessera calls information is detail to an operator of the hub.
type tesseraLogs struct{}

func level(l slog.Level) slog.Level {
	if l < slog.LevelWarn {
		return slog.LevelDebug
	}
	return l
}

// Enabled asks the logger that the messages go to.
func (tesseraLogs) Enabled(ctx context.Context, l slog.Level) bool {
	return klogTarget.Load().Enabled(ctx, level(l))
}

// Handle writes one message.
func (tesseraLogs) Handle(ctx context.Context, r slog.Record) error {
	klogTarget.Load().LogAttrs(ctx, level(r.Level), "Tessera says", slog.String("message", r.Message))
	return nil
}

// WithAttrs keeps nothing: klog gives whole messages.
func (t tesseraLogs) WithAttrs([]slog.Attr) slog.Handler { return t }

// WithGroup keeps nothing either.
func (t tesseraLogs) WithGroup(string) slog.Handler { return t }
