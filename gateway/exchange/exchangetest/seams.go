package exchangetest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/exchange"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Carrier answers each question as the function says.
type Carrier func(ctx context.Context, q *courier.Question) (*hubv1.Answer, error)

// Ask implements exchange.Carrier.
func (c Carrier) Ask(ctx context.Context, q *courier.Question) (*hubv1.Answer, error) {
	return c(ctx, q)
}

// Answers is a carrier that always brings this response.
func Answers(response []byte) Carrier {
	return func(context.Context, *courier.Question) (*hubv1.Answer, error) {
		return &hubv1.Answer{Result: &hubv1.Result{Code: hubv1.Result_FOUND}, Response: response}, nil
	}
}

// Fails is a carrier of answers that are not OK.
func Fails(reason, field string) Carrier {
	return func(context.Context, *courier.Question) (*hubv1.Answer, error) {
		return &hubv1.Answer{Status: 13, Reason: reason, FaultField: field}, nil
	}
}

// Recorder keeps records in memory.
type Recorder struct {
	// Before, if set, is called with each record before it is kept; its error is Append's.
	Before func(context.Context, *hubv1.LedgerRecord) error

	mu   sync.Mutex
	kept []*hubv1.LedgerRecord
}

// Append implements exchange.Recorder.
func (r *Recorder) Append(ctx context.Context, e exchange.Evidence) (exchange.Receipt, error) {
	if r.Before != nil {
		if err := r.Before(ctx, e.Record); err != nil {
			return exchange.Receipt{}, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, proto.CloneOf(e.Record))
	return exchange.Receipt{Position: fmt.Sprintf("%s:%d", e.Record.GetOrigin(), len(r.kept)-1), Key: "key"}, nil
}

// Kept returns the exchanges that were recorded so far.
func (r *Recorder) Kept() []*hubv1.Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*hubv1.Exchange
	for _, record := range r.kept {
		if e := record.GetExchange(); e != nil {
			all = append(all, e)
		}
	}
	return all
}

// Records returns all records so far, intents too.
func (r *Recorder) Records() []*hubv1.LedgerRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.kept)
}
