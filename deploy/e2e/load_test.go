package e2e_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lienthong/lienthong/gateway/client"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

const (
	callers = 16                    // calls in flight at the most
	pace    = 40 * time.Millisecond // between the calls of one caller: 400 calls/s in all
	soon    = 2 * time.Second       // deadline of one call
)

// outcome is what came of one call.
type outcome struct {
	began, ended time.Time
	exchange     string // of an answered call
	err          error
	reason       string // of a failed call; empty if the hub was not there to say one
}

// load is a steady stream of questions about one person.
type load struct {
	mu   sync.Mutex
	all  []outcome
	stop context.CancelFunc
	done sync.WaitGroup
}

// startLoad asks until end is called.
func startLoad(t *testing.T, conn *grpc.ClientConn) *load {
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	asker := populationv1.NewPopulationServiceClient(conn)
	for range callers {
		l.done.Go(func() {
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				l.ask(asker)
			}
		})
	}
	t.Cleanup(func() { l.end() })
	return l
}

// ask asks once. It is not cancelled by the end of the load.
func (l *load) ask(asker populationv1.PopulationServiceClient) {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	ctx = client.With(ctx, client.Words{Purpose: "CT-TT", Case: "E2E-LOAD", Officer: "can.bo"})
	var header metadata.MD
	o := outcome{began: time.Now()}
	_, o.err = asker.GetResidence(ctx, &populationv1.GetResidenceRequest{PersonalId: "040094997317"}, grpc.Header(&header))
	o.ended = time.Now()
	if o.err == nil {
		o.exchange = client.ReceiptOf(header).Exchange
	} else {
		o.reason = client.RefusalOf(o.err).Reason
		if o.reason == "" && status.Code(o.err) == codes.DeadlineExceeded {
			o.reason = "DEADLINE_EXCEEDED" // the caller's own clock said so, milliseconds before the hub's word was here
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, o)
}

// end stops asking, and returns all that was asked once the last call is answered.
func (l *load) end() []outcome {
	l.stop()
	l.done.Wait()
	return l.all
}

// answered counts the calls so far that began after a moment and were answered.
func (l *load) answered(after time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, o := range l.all {
		if o.err == nil && o.began.After(after) {
			n++
		}
	}
	return n
}
