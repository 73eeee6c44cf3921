package main

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

// account is what a ledger says, by exchange and by dossier.
type account struct {
	next      uint64            // sequence numbers issued
	records   int               // that are not void
	fates     map[string]*fate  // by exchange id
	cases     map[string]string // exchange id, by dossier
	counted   map[string]uint64 // refusals without a record of their own, by reason
	unordered []string          // what stands where it cannot
}

// fate is what the ledger says of one exchange.
type fate struct {
	id          string
	intents     []uint64 // positions
	ended       []uint64
	inDoubt     []uint64
	notAnswered []uint64
	end         *hubv1.Exchange // of the last record in ended
}

// readAccount reads a ledger that nobody writes.
func readAccount(ctx context.Context, dirs ...string) (*account, error) {
	r, err := journal.OpenReader(dirs...)
	if err != nil {
		return nil, err
	}
	a := &account{fates: map[string]*fate{}, cases: map[string]string{}, counted: map[string]uint64{}}
	first, next := r.Bounds()
	if first != 0 {
		return nil, fmt.Errorf("the ledger begins at seq %d", first)
	}
	for e, err := range r.Scan(ctx, 0, next) {
		if err != nil {
			return nil, err
		}
		if e.Seq != a.next {
			return nil, fmt.Errorf("seq %d follows seq %d", e.Seq, a.next)
		}
		a.next++
		if e.Void {
			continue
		}
		var record hubv1.LedgerRecord
		if err := proto.Unmarshal(e.Payload, &record); err != nil {
			return nil, fmt.Errorf("seq %d: %w", e.Seq, err)
		}
		a.records++
		a.take(e.Seq, &record)
	}
	if a.next != next {
		return nil, fmt.Errorf("the ledger ends at seq %d, not at %d", a.next, next)
	}
	return a, nil
}

// take adds one record.
func (a *account) take(seq uint64, record *hubv1.LedgerRecord) {
	switch {
	case record.GetExchange() != nil:
		x := record.GetExchange()
		f := a.fate(x.GetId(), x.GetCase())
		f.ended, f.end = append(f.ended, seq), x
	case record.GetIntent() != nil:
		f := a.fate(record.GetIntent().GetExchangeId(), record.GetIntent().GetCase())
		if len(f.ended) > 0 {
			a.unordered = append(a.unordered, fmt.Sprintf("the intent at seq %d comes after the end of its exchange", seq))
		}
		f.intents = append(f.intents, seq)
	case record.GetNotice().GetInDoubt() != nil:
		f := a.fate(record.GetNotice().GetInDoubt().GetExchangeId(), "")
		f.inDoubt = append(f.inDoubt, seq)
	case record.GetNotice().GetNotAnswered() != nil:
		for _, id := range record.GetNotice().GetNotAnswered().GetExchangeIds() {
			f := a.fate(id, "")
			f.notAnswered = append(f.notAnswered, seq)
		}
	case record.GetNotice().GetRefusals() != nil:
		r := record.GetNotice().GetRefusals()
		a.counted[r.GetReason()] += r.GetCount()
	}
}

func (a *account) fate(id []byte, dossier string) *fate {
	key := idText(id)
	f := a.fates[key]
	if f == nil {
		f = &fate{id: key}
		a.fates[key] = f
	}
	if dossier != "" {
		a.cases[dossier] = key
	}
	return f
}

// ofCase is what the ledger says of the exchange with this dossier; empty if nothing.
func (a *account) ofCase(dossier string) *fate {
	if f := a.fates[a.cases[dossier]]; f != nil {
		return f
	}
	return new(fate)
}

// answered reports whether the ledger says that an answer left.
func (f *fate) answered() bool {
	return len(f.ended) > 0 && f.end.GetOutcome() == hubv1.Exchange_OUTCOME_ANSWERED && len(f.notAnswered) == 0
}

// wrong says why the exchange is not in exactly one state; empty if it is.
func (f *fate) wrong() string {
	said := fmt.Sprintf("exchange %s: intents at %v, ends at %v, in doubt at %v, not answered at %v", f.id, f.intents, f.ended, f.inDoubt, f.notAnswered)
	switch {
	case len(f.intents) > 1, len(f.ended) > 1, len(f.inDoubt) > 1, len(f.notAnswered) > 1:
		return said + ": more than one of a kind"
	case len(f.inDoubt) > 0 && len(f.ended)+len(f.notAnswered) > 0:
		return said + ": in doubt, and not"
	case len(f.intents) > 0 && len(f.ended)+len(f.inDoubt)+len(f.notAnswered) == 0:
		return said + ": no outcome"
	case len(f.intents) > 0 && len(f.ended) > 0 && f.intents[0] > f.ended[0]:
		return said + ": the intent comes last"
	}
	return ""
}
