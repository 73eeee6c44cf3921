package service

import (
	"context"
	"slices"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Bounds on a page.
const (
	defaultLimit = 50
	maxLimit     = 500
)

// Search implements hubv1.LedgerServiceServer.
func (s *Server) Search(ctx context.Context, request *hubv1.SearchRequest) (*hubv1.SearchResponse, error) {
	return answer(ctx, s, methodSearch, func(ctx context.Context, r *reading) (*hubv1.SearchResponse, error) {
		q, err := r.filter(request.GetFilter())
		if err != nil {
			return nil, err
		}
		limit, err := limitOf(request.GetLimit())
		if err != nil {
			return nil, err
		}
		entries, next, err := r.newest(ctx, q, limit, request.GetCursor())
		if err != nil {
			return nil, err
		}
		r.access.Entries = uint32(len(entries))
		return &hubv1.SearchResponse{Entries: entries, NextCursor: next, MissingOrigins: s.cfg.Former}, nil
	})
}

// ListCitizen implements hubv1.LedgerServiceServer.
func (s *Server) ListCitizen(ctx context.Context, request *hubv1.ListCitizenRequest) (*hubv1.ListCitizenResponse, error) {
	return answer(ctx, s, methodListCitizen, func(ctx context.Context, r *reading) (*hubv1.ListCitizenResponse, error) {
		q := index.Query{Kinds: ofPeople}
		if request.GetSubject() == nil && r.claims == nil {
			return nil, reason.FilterInvalid.At("subject")
		}
		r.say("")
		if err := r.subject(request.GetSubject(), "subject", &q); err != nil {
			return nil, err
		}
		limit, err := limitOf(request.GetLimit())
		if err != nil {
			return nil, err
		}
		entries, next, err := r.newest(ctx, q, limit, request.GetCursor())
		if err != nil {
			return nil, err
		}
		r.access.Entries = uint32(len(entries))
		return &hubv1.ListCitizenResponse{Entries: entries, NextCursor: next, MissingOrigins: s.cfg.Former}, nil
	})
}

// filter reads a filter, the person it names too, and says so in the Access.
func (r *reading) filter(f *hubv1.Filter) (index.Query, error) {
	q, err := queryOf(f)
	if err != nil {
		return q, err
	}
	r.say(words(f))
	return q, r.subject(f.GetSubject(), "filter.subject", &q)
}

// say notes what was asked for.
func (r *reading) say(words string) {
	var p phrase
	if r.claims != nil && r.claims.Holder != r.caller.ID {
		p.add("token_of", r.claims.Holder.String())
	}
	if words != "" && p.Len() > 0 {
		p.WriteByte(' ')
	}
	r.access.Filter = p.String() + words
}

// subject takes the person that the reader looks for by number, if there is one. Whom was looked for is recorded even
// if it is refused. Who shows a citizen's token reads about that person, and can look for no other.
func (r *reading) subject(s *hubv1.DataSubject, field string, q *index.Query) error {
	if s == nil {
		return nil
	}
	if err := goodSubject(s, field); err != nil {
		return err
	}
	hashes, key := r.server.cfg.Hasher.Hash(s.GetKind(), s.GetValue())
	if r.claims != nil {
		r.about(slices.Concat(r.claims.Subjects, hashes), key)
		return reason.LedgerReadNotAllowed.At(field)
	}
	r.about(hashes, key)
	if len(hashes) == 0 {
		return errNoKey
	}
	q.Subjects = hashes
	return r.allow(true)
}

func limitOf(limit uint32) (int, error) {
	switch {
	case limit == 0:
		return defaultLimit, nil
	case limit > maxLimit:
		return 0, reason.FilterInvalid.At("limit")
	}
	return int(limit), nil
}
