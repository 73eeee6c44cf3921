package service

import (
	"context"
	"time"

	"google.golang.org/grpc"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Bounds on following. Nothing is held for a reader that is slow: it is given what comes next when it takes it.
const (
	followPage = 64                    // entries that are found at a time
	followPace = 50 * time.Millisecond // between two searches, for many may follow
)

// Follow implements hubv1.LedgerServiceServer.
func (s *Server) Follow(request *hubv1.FollowRequest, to grpc.ServerStreamingServer[hubv1.FollowResponse]) error {
	var from uint64
	open := func(st *streaming) error {
		from = s.cfg.Searcher.Indexed() // its own Access is the first that it may be given
		return st.read(request.GetFilter(), "")
	}
	return s.stream(to.Context(), methodFollow, s.streams, open, func(ctx context.Context, st *streaming) error {
		undrained, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.draining, cancel)()
		err := st.goOn(undrained, from, to)
		if ctx.Err() == nil && undrained.Err() != nil {
			return st.leave(ctx)
		}
		return err
	})
}

// goOn gives what there is from a position on, and then what comes, until ctx ends.
func (st *streaming) goOn(ctx context.Context, from uint64, to grpc.ServerStreamingServer[hubv1.FollowResponse]) error {
	for {
		next, err := st.follow(ctx, from, to)
		if err != nil {
			return err
		}
		if from = next; from < st.server.cfg.Searcher.Indexed() {
			continue
		}
		if err := st.wait(ctx, from); err != nil {
			return err
		}
	}
}

// follow gives what there is from a position on, and returns where to go on.
func (st *streaming) follow(ctx context.Context, from uint64, to grpc.ServerStreamingServer[hubv1.FollowResponse]) (uint64, error) {
	if err := st.still(); err != nil {
		return 0, err
	}
	hits, next, err := st.oldest(ctx, from, followPage)
	if err != nil {
		return 0, err
	}
	for _, hit := range hits {
		if err := st.still(); err != nil { // the one before may have been taken late
			return 0, err
		}
		if !st.scope.permits(hit.Record) {
			continue // what the reader may see has changed
		}
		if err := to.Send(&hubv1.FollowResponse{Entry: st.entry(hit)}); err != nil {
			return 0, err
		}
		st.access.Entries++
	}
	return next, nil
}

// wait waits until there is more, but no longer than until the reader is to be judged again.
func (st *streaming) wait(ctx context.Context, from uint64) error {
	if err := pause(ctx, followPace); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, st.server.cfg.Again)
	defer cancel()
	err := st.server.cfg.Searcher.Wait(waiting, from)
	switch {
	case ctx.Err() != nil:
		return reason.Of(ctx.Err())
	case waiting.Err() != nil:
		return nil
	}
	return err
}
