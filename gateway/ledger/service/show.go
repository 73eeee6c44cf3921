package service

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// How long an entry that is not found is waited for, and how new it must be.
const (
	lag   = 250 * time.Millisecond
	fresh = 5 * time.Second
)

// maxRelated is how many records one exchange can have: its intent, its end, and what was said of it later.
const maxRelated = 16

// Show implements hubv1.LedgerServiceServer.
func (s *Server) Show(ctx context.Context, request *hubv1.ShowRequest) (*hubv1.ShowResponse, error) {
	return answer(ctx, s, methodShow, func(ctx context.Context, r *reading) (*hubv1.ShowResponse, error) {
		hit, err := r.one(ctx, request.GetExchangeId(), request.GetPosition())
		if err != nil {
			return nil, err
		}
		related, err := r.related(ctx, hit)
		if err != nil {
			return nil, err
		}
		r.access.Entries = uint32(1 + len(related))
		return &hubv1.ShowResponse{Entry: r.entry(hit), Related: related}, nil
	})
}

// Prove implements hubv1.LedgerServiceServer. A proof has the record as it is kept, or it would prove nothing.
func (s *Server) Prove(ctx context.Context, request *hubv1.ProveRequest) (*hubv1.ProveResponse, error) {
	return answer(ctx, s, methodProve, func(ctx context.Context, r *reading) (*hubv1.ProveResponse, error) {
		hit, err := r.one(ctx, request.GetExchangeId(), request.GetPosition())
		if err != nil {
			return nil, err
		}
		proof, err := s.cfg.Prover.Prove(ctx, hit.Seq)
		if err != nil {
			return nil, err
		}
		r.access.Entries = 1
		return &hubv1.ProveResponse{Proof: proof}, nil
	})
}

// one finds the entry that a reader names in one of two ways. It fails with ENTRY_UNKNOWN if there is none, or none
// that the reader may see.
func (r *reading) one(ctx context.Context, exchange, position string) (index.Hit, error) {
	switch {
	case (exchange == "") == (position == "") || !isExchange(exchange):
		return index.Hit{}, reason.FilterInvalid.At("exchange_id")
	case exchange != "":
		r.say("exchange=" + exchange)
		id := exchangeOf(exchange)
		return r.soon(ctx, r.isNew(id), func() (index.Hit, bool, error) { return r.byExchange(ctx, id) })
	}
	seq, here, err := positionOf(position, r.server.cfg.Origin)
	if err != nil {
		return index.Hit{}, err
	}
	var p phrase
	p.addFree("position", position)
	r.say(p.String())
	if !here {
		return index.Hit{}, reason.EntryUnknown
	}
	return r.soon(ctx, seq >= r.server.cfg.Searcher.Indexed(), func() (index.Hit, bool, error) { return r.at(ctx, seq) })
}

// isNew reports whether an id (UUIDv7) was made a moment ago, so that searches may not find it yet.
func (r *reading) isNew(id []byte) bool {
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(id) >> 16))
	return r.server.cfg.Now().Sub(made).Abs() < fresh
}

// soon looks for an entry, and if it may be too new to be found, once more when the index has gone on.
func (r *reading) soon(ctx context.Context, isNew bool, find func() (index.Hit, bool, error)) (index.Hit, error) {
	indexed := r.server.cfg.Searcher.Indexed()
	hit, found, err := find()
	if err == nil && !found && isNew {
		waiting, cancel := context.WithTimeout(ctx, lag)
		defer cancel()
		if r.server.cfg.Searcher.Wait(waiting, indexed) == nil {
			hit, found, err = find()
		}
	}
	if err == nil && !found {
		err = reason.EntryUnknown
	}
	return hit, err
}

// byExchange finds how an exchange ended, or what else there is of it if it has no end.
func (r *reading) byExchange(ctx context.Context, id []byte) (hit index.Hit, found bool, err error) {
	for _, part := range r.scope.parts(index.Query{Exchange: id, Limit: maxRelated}) {
		page, err := r.search(ctx, part)
		if err != nil {
			return hit, false, err
		}
		for _, h := range page.Hits {
			if !found || hit.Record.GetExchange() == nil && h.Record.GetExchange() != nil {
				hit, found = h, true
			}
		}
	}
	return hit, found, nil
}

// at finds the entry at a position.
func (r *reading) at(ctx context.Context, seq uint64) (hit index.Hit, found bool, err error) {
	for _, part := range r.scope.parts(index.Query{OldestFirst: true, After: seq, Limit: 1}) {
		page, err := r.search(ctx, part)
		if err != nil {
			return hit, false, err
		}
		if len(page.Hits) > 0 && page.Hits[0].Seq == seq {
			return page.Hits[0], true, nil
		}
	}
	return hit, false, nil
}

// related finds what else is recorded about the exchange that an entry is about. What the ledger says of an exchange
// may be seen by who may see the exchange.
func (r *reading) related(ctx context.Context, of index.Hit) ([]*hubv1.LedgerEntry, error) {
	id := idOf(of.Record)
	if id == nil {
		return nil, nil
	}
	var pages []index.Page
	for _, part := range r.scope.parts(index.Query{Exchange: id, Limit: maxRelated}) {
		page, err := r.search(ctx, part)
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
	}
	if !r.scope.all {
		notices, err := r.server.cfg.Searcher.Search(ctx, index.Query{Exchange: id, Kinds: []index.Kind{index.KindNotice}, Limit: maxRelated})
		if err != nil {
			return nil, err
		}
		pages = append(pages, about(notices, id))
	}
	var all []*hubv1.LedgerEntry
	for _, hit := range merge(pages, 0) {
		if hit.Seq != of.Seq {
			all = append(all, r.entry(hit))
		}
	}
	return all, nil
}

// about leaves of the ledger's notices what they say of one exchange.
func about(page index.Page, id []byte) index.Page {
	var own []index.Hit
	for _, hit := range page.Hits {
		switch n := hit.Record.GetNotice().GetAbout().(type) {
		case *hubv1.Notice_InDoubt_:
			if bytes.Equal(n.InDoubt.GetExchangeId(), id) {
				own = append(own, hit)
			}
		case *hubv1.Notice_NotAnswered_:
			n.NotAnswered.ExchangeIds, n.NotAnswered.More = [][]byte{id}, 0
			own = append(own, hit)
		}
	}
	return index.Page{Hits: own}
}

// idOf is the id of the exchange that a record is about; nil if it is about none.
func idOf(record *hubv1.LedgerRecord) []byte {
	switch e := record.GetEvent().(type) {
	case *hubv1.LedgerRecord_Exchange:
		return e.Exchange.GetId()
	case *hubv1.LedgerRecord_Intent:
		return e.Intent.GetExchangeId()
	case *hubv1.LedgerRecord_Notice:
		return e.Notice.GetInDoubt().GetExchangeId()
	}
	return nil
}
