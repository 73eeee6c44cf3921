package service

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// streaming is a read that goes on for a while. Its Access is recorded before the first entry is given, and once more
// with the same id when it has ended: how many entries were given, and why no more if that was refused.
type streaming struct {
	*reading
	subject *hubv1.DataSubject // whom the filter names; nil if nobody
	query   index.Query        // but for the scope, which may change
}

// stream answers a streaming question. Open says what is asked for; once that is recorded, goOn gives it.
func (s *Server) stream(ctx context.Context, m method, g *gate, open func(*streaming) error, goOn func(context.Context, *streaming) error) error {
	st := &streaming{reading: s.begin(ctx, m)}
	began := false
	_, err := attempt(ctx, st.reading, g, func(ctx context.Context) (none struct{}, err error) {
		if err := open(st); err != nil {
			return none, err
		}
		if err := st.record(ctx, nil); err != nil {
			return none, &recorded{err}
		}
		began = true
		_ = grpc.SendHeader(ctx, nil) // so that the reader knows that it has begun, though there may be nothing for long
		return none, goOn(ctx, st)
	})
	var told *recorded
	switch {
	case err == nil:
		return nil
	case errors.As(err, &told):
		err = told.error
	case began:
		err = st.end(ctx, err)
	default:
		err = st.record(ctx, err)
	}
	return st.refuse(err)
}

// end records how a stream ended that had begun. That the reader went away is how following ends: it is no failure, and
// no second Access is needed when nothing was given.
func (st *streaming) end(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return st.record(ctx, err)
	}
	if err := st.leave(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// leave records the end of a stream that nobody refused, if entries were given.
func (st *streaming) leave(ctx context.Context) error {
	if st.access.GetEntries() == 0 {
		return nil
	}
	return st.record(ctx, nil)
}

// recorded is an error that an Access tells of already.
type recorded struct{ error }

// read takes the filter of a stream.
func (st *streaming) read(f *hubv1.Filter, also string) error {
	q, err := st.reading.filter(f)
	if err != nil {
		return err
	}
	if also != "" {
		if st.access.Filter != "" {
			also = " " + also
		}
		st.access.Filter += also
	}
	st.subject, st.query = f.GetSubject(), q
	return nil
}

// still judges the reader once more.
func (st *streaming) still() error { return st.again(st.subject != nil) }

// oldest finds entries from a position on, the oldest first, and says where to go on: all below was looked at.
func (st *streaming) oldest(ctx context.Context, from uint64, limit int) (hits []index.Hit, next uint64, err error) {
	ctx, cancel := st.server.within(ctx)
	defer cancel()
	if st.subject != nil { // there may be a new key since
		st.query.Subjects, _ = st.server.cfg.Hasher.Hash(st.subject.GetKind(), st.subject.GetValue())
	}
	next = max(from, st.server.cfg.Searcher.Indexed())
	var pages []index.Page
	for _, part := range st.scope.parts(st.query) {
		part.OldestFirst, part.After, part.Limit = true, from, limit
		page, err := st.search(ctx, part)
		if err != nil {
			return nil, 0, err
		}
		end := page.Covered
		if n := len(page.Hits); page.Next != "" && n > 0 {
			end = page.Hits[n-1].Seq + 1
		}
		next = min(next, max(from, end))
		pages = append(pages, page)
	}
	all := merge(pages, next)
	for i := len(all) - 1; i >= 0; i-- {
		hits = append(hits, all[i])
	}
	return hits, next, nil
}

// pause waits, and fails when the reader goes away meanwhile.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return reason.Of(ctx.Err())
	}
}
