package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Kinds of records that people other than operators and auditors may see.
var (
	ofExchanges = []index.Kind{index.KindExchange, index.KindIntent}
	ofPeople    = []index.Kind{index.KindExchange, index.KindIntent, index.KindAccess}
)

// maxPageBytes is how long the entries of a page become together, unless one alone is longer: an answer is 1 MiB at most.
const maxPageBytes = 768 << 10

// errScope says that a search returned what it must not.
var errScope = errors.New("the index returned an entry that the reader may not see: nothing of the page was given")

// parts are the queries that together find what of q may be seen: one for each way to see it.
func (s scope) parts(q index.Query) []index.Query {
	if s.all {
		return []index.Query{q}
	}
	var all []index.Query
	add := func(scope index.Scope, kinds []index.Kind) {
		part := q
		part.Scope, part.Kinds = scope, only(q.Kinds, kinds)
		if len(part.Kinds) > 0 {
			all = append(all, part)
		}
	}
	if len(s.person) > 0 {
		add(index.Scope{Subjects: s.person}, ofPeople)
	}
	if s.consumer != "" {
		add(index.Scope{Consumer: s.consumer}, ofExchanges)
	}
	if s.provider != "" {
		add(index.Scope{Provider: s.provider}, ofExchanges)
	}
	return all
}

// only are the kinds that are asked for and allowed; none asked for is all.
func only(asked, allowed []index.Kind) []index.Kind {
	if len(asked) == 0 {
		return allowed
	}
	var both []index.Kind
	for _, k := range asked {
		if slices.Contains(allowed, k) {
			both = append(both, k)
		}
	}
	return both
}

// newest finds a page of entries, the newest first, and the cursor of the next.
func (r *reading) newest(ctx context.Context, q index.Query, limit int, text string) ([]*hubv1.LedgerEntry, string, error) {
	parts := r.scope.parts(q)
	at, err := readCursor(text, len(parts))
	if err != nil {
		return nil, "", err
	}
	for {
		pages, err := r.pages(ctx, parts, limit, at)
		if err != nil {
			return nil, "", err
		}
		entries := r.entries(known(merge(pages, at.before), pages), limit)
		if len(entries) == 0 {
			if at.pass(pages); at.String() != "" {
				continue // what was found had been given before
			}
			return nil, "", nil
		}
		if err := r.advance(ctx, parts, pages, &at, entries[len(entries)-1].GetSeq()); err != nil {
			return nil, "", err
		}
		return entries, at.String(), nil
	}
}

// pages searches the parts that have not ended, from the cursor on.
func (r *reading) pages(ctx context.Context, parts []index.Query, limit int, at cursor) ([]index.Page, error) {
	pages := make([]index.Page, len(parts))
	for i := range parts {
		if at.parts[i] == ended {
			continue
		}
		parts[i].Limit, parts[i].Cursor = limit, at.parts[i]
		page, err := r.search(ctx, parts[i])
		if err != nil {
			return nil, err
		}
		pages[i] = page
	}
	return pages, nil
}

// search searches one part, and refuses what the scope does not permit.
func (r *reading) search(ctx context.Context, q index.Query) (index.Page, error) {
	page, err := r.server.cfg.Searcher.Search(ctx, q)
	switch {
	case errors.Is(err, index.ErrCursor):
		return page, reason.CursorInvalid.At("cursor")
	case err != nil:
		return page, fmt.Errorf("search: %w", err)
	}
	for _, hit := range page.Hits {
		if !r.scope.permits(hit.Record) {
			return index.Page{}, errScope
		}
	}
	return page, nil
}

// merge joins what the parts found, the newest first and each once, from before a position on; 0 is the end.
func merge(pages []index.Page, before uint64) []index.Hit {
	var all []index.Hit
	for _, page := range pages {
		for _, hit := range page.Hits {
			if before == 0 || hit.Seq < before {
				all = append(all, hit)
			}
		}
	}
	slices.SortFunc(all, func(a, b index.Hit) int { return cmp.Compare(b.Seq, a.Seq) })
	return slices.CompactFunc(all, func(a, b index.Hit) bool { return a.Seq == b.Seq })
}

// known leaves the hits, the newest first, up to where it is not known yet what a part has besides: its page ended there.
func known(hits []index.Hit, pages []index.Page) []index.Hit {
	var end uint64
	for _, page := range pages {
		if n := len(page.Hits); n > 0 && page.Next != "" {
			end = max(end, page.Hits[n-1].Seq)
		}
	}
	for len(hits) > 0 && hits[len(hits)-1].Seq < end {
		hits = hits[:len(hits)-1]
	}
	return hits
}

// entries are the first of the hits as the reader gets them: so many, and not too long together.
func (r *reading) entries(hits []index.Hit, limit int) []*hubv1.LedgerEntry {
	var all []*hubv1.LedgerEntry
	size := 0
	for _, hit := range hits {
		if len(all) == limit {
			break
		}
		entry := r.entry(hit)
		if size += proto.Size(entry); size > maxPageBytes && len(all) > 0 {
			break
		}
		all = append(all, entry)
	}
	return all
}

// advance moves a cursor to where the page ended: last is the position of its last entry.
func (r *reading) advance(ctx context.Context, parts []index.Query, pages []index.Page, at *cursor, last uint64) error {
	at.before = last
	for i, page := range pages {
		given := 0
		for given < len(page.Hits) && page.Hits[given].Seq >= last {
			given++
		}
		switch {
		case at.parts[i] == ended || given == 0 && len(page.Hits) > 0:
		case given == len(page.Hits):
			at.parts[i] = next(page)
		default: // only the index knows the cursor of a place between
			part := parts[i]
			part.Limit = given
			cut, err := r.search(ctx, part)
			if err != nil {
				return err
			}
			at.parts[i] = cut.Next
		}
	}
	return nil
}

// entry is a hit as the reader gets it. What they may not see of it is taken out, and field lists have their text.
func (r *reading) entry(hit index.Hit) *hubv1.LedgerEntry {
	record := hit.Record
	r.scope.cover(record)
	r.spell(record.GetExchange())
	return &hubv1.LedgerEntry{Origin: r.server.cfg.Origin, Seq: hit.Seq, Record: record}
}

// spell puts the text of field lists in.
func (r *reading) spell(x *hubv1.Exchange) {
	if x == nil {
		return
	}
	text := func(have string, digest []byte) string {
		if have != "" || len(digest) != 32 {
			return have
		}
		known, _ := r.server.cfg.Searcher.Fields([32]byte(digest))
		return known
	}
	x.Released = text(x.GetReleased(), x.GetReleasedDigest())
	x.Withheld = text(x.GetWithheld(), x.GetWithheldDigest())
}

// cover takes out of a record what only operators and auditors may see: the hashes of people, but for those that the
// reader is about, and fields that this program does not know.
func (s scope) cover(record *hubv1.LedgerRecord) {
	if s.all {
		return
	}
	record.ProtoReflect().SetUnknown(nil)
	switch e := record.GetEvent().(type) {
	case *hubv1.LedgerRecord_Exchange:
		e.Exchange.SubjectHashes, e.Exchange.Subjects = s.keep(e.Exchange.GetSubjectHashes()), nil
		e.Exchange.ProtoReflect().SetUnknown(nil)
	case *hubv1.LedgerRecord_Intent:
		e.Intent.SubjectHashes, e.Intent.Subjects = s.keep(e.Intent.GetSubjectHashes()), nil
		e.Intent.ProtoReflect().SetUnknown(nil)
	case *hubv1.LedgerRecord_Access:
		e.Access.SubjectHashes = s.keep(e.Access.GetSubjectHashes())
		e.Access.ProtoReflect().SetUnknown(nil)
	}
}

// keep leaves the hashes of the reader's own person.
func (s scope) keep(hashes [][]byte) [][]byte {
	var kept [][]byte
	for _, h := range hashes {
		if s.names(h) {
			kept = append(kept, h)
		}
	}
	return kept
}
