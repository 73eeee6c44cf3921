package ledger

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/exchange"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
	"github.com/lienthong/lienthong/proto/reason"
)

// Append takes the record of an exchange, or the intent of one, and returns when it is durable. The record becomes
// what is kept of it. An error means that nothing may be answered; an exchange that may have its record all the same
// is recorded as not answered as soon as the ledger can write again.
func (l *Ledger) Append(_ context.Context, e exchange.Evidence) (exchange.Receipt, error) {
	switch event := e.Record.GetEvent().(type) {
	case *hubv1.LedgerRecord_Exchange:
		return l.appendExchange(e, event.Exchange)
	case *hubv1.LedgerRecord_Intent:
		return l.appendIntent(e, event.Intent)
	}
	return exchange.Receipt{}, fmt.Errorf("append: %T is no exchange", e.Record.GetEvent())
}

func (l *Ledger) appendExchange(e exchange.Evidence, x *hubv1.Exchange) (exchange.Receipt, error) {
	if l.onlyCounted(x) {
		return exchange.Receipt{}, l.journal.Err()
	}
	key, err := l.keep(x, e)
	if err != nil {
		l.miss(x, false, 0)
		return exchange.Receipt{}, err
	}
	seq, err := l.append(e.Record)
	if err != nil {
		l.miss(x, journal.Uncertain(err), seq)
		return exchange.Receipt{}, err
	}
	l.intents.end(exchange.ID(x.GetId()))
	return l.receiptOf(seq, key), nil
}

// onlyCounted reports whether an exchange is one of so many equal refusals that it was counted and needs no record of
// its own. What ends an intent always has one, and so has what a registry said of somebody.
func (l *Ledger) onlyCounted(x *hubv1.Exchange) bool {
	return x.GetOutcome() == hubv1.Exchange_OUTCOME_REFUSED && !saysSomething(x) && !l.intents.has(exchange.ID(x.GetId())) &&
		l.flood.counts(sameRefusal{x.GetConsumerAgency(), x.GetConsumerSystem(), x.GetReason(), ""}, l.cfg.Now())
}

// saysSomething reports whether a refusal told the consumer something of a person: a registry was asked and refused
// for what it has on record, such as a death, and not for the question's form.
func saysSomething(x *hubv1.Exchange) bool {
	return x.GetCarryUs() > 0 && reason.Reason(x.GetReason()).Form().Code != codes.InvalidArgument
}

func (l *Ledger) appendIntent(e exchange.Evidence, i *hubv1.Intent) (exchange.Receipt, error) {
	h := l.hasher.Load()
	i.SubjectHashes, i.SubjectKey, i.Subjects = l.blinding.hide(i.GetExchangeId(), h.subjects(i.GetSubjects())), h.number, nil
	key := l.receipt.receiptKey(i.GetExchangeId())
	i.RequestDigest = digestOfRequest(key, e.Request)
	id := exchange.ID(i.GetExchangeId())
	l.intents.begin(id) // before its record can be seen: a crash in between leaves no trace of it
	seq, err := l.append(e.Record)
	switch {
	case err == nil:
		l.intents.at(id, openIntent{seq: seq})
	case journal.Uncertain(err): // what becomes of the exchange closes the intent
		l.intents.at(id, openIntent{seq: seq, uncertain: true})
		return exchange.Receipt{}, err
	default:
		l.intents.end(id)
		return exchange.Receipt{}, err
	}
	return l.receiptOf(seq, key), nil
}

func (l *Ledger) receiptOf(seq uint64, key [keySize]byte) exchange.Receipt {
	b := make([]byte, 0, len(l.cfg.Origin)+21)
	b = strconv.AppendUint(append(append(b, l.cfg.Origin...), ':'), seq, 10)
	return exchange.Receipt{Position: string(b), Key: receiptText(key)}
}

// AppendAccess takes the record that somebody read the ledger. Refused reads beyond some of a kind in a minute are
// counted.
func (l *Ledger) AppendAccess(_ context.Context, record *hubv1.LedgerRecord) error {
	a := record.GetAccess()
	if a.GetReason() != "" && l.flood.counts(sameRefusal{a.GetAgency(), a.GetSystem(), a.GetReason(), a.GetMethod()}, l.cfg.Now()) {
		return l.journal.Err()
	}
	kept := proto.CloneOf(record) // the reader goes on with the hashes as they were
	kept.GetAccess().SubjectHashes = l.blinding.hide(a.GetId(), a.GetSubjectHashes())
	_, err := l.append(kept)
	return err
}

// AppendChange takes the record that the hub's rules were changed, and says where it stands: ORIGIN:SEQ.
func (l *Ledger) AppendChange(_ context.Context, c *hubv1.Change) (position string, err error) {
	seq, err := l.append(&hubv1.LedgerRecord{
		Time:  timestamppb.New(l.cfg.Now()),
		Event: &hubv1.LedgerRecord_Change{Change: c},
	})
	if err != nil {
		return "", err
	}
	return l.cfg.Origin + ":" + strconv.FormatUint(seq, 10), nil
}

// AppendRefusal takes the record that a method was refused by which somebody wanted to see or change the hub's rules.
// Those beyond some of a kind in a minute are counted.
func (l *Ledger) AppendRefusal(ctx context.Context, method string, c *hubv1.Change) error {
	if l.flood.counts(sameRefusal{c.GetAgency(), c.GetSystem(), c.GetReason(), method}, l.cfg.Now()) {
		return l.journal.Err()
	}
	_, err := l.AppendChange(ctx, c)
	return err
}

// CountRejected counts a connection that was refused before anybody knew who was at its other end.
func (l *Ledger) CountRejected(reason string) {
	l.flood.count(sameRefusal{reason: reason}, l.cfg.Now())
}

// buffers hold records until the journal has copied them.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// append makes a record canonical and hands it to the journal.
func (l *Ledger) append(record *hubv1.LedgerRecord) (seq uint64, err error) {
	record.Origin = l.cfg.Origin
	record.Time = l.clock.stamp(record.GetTime())
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	*b, err = proto.MarshalOptions{Deterministic: true}.MarshalAppend((*b)[:0], record)
	if err != nil {
		return 0, fmt.Errorf("append: %w", err)
	}
	if seq, err = l.journal.Append(*b); err != nil {
		return seq, fmt.Errorf("append: %w", err)
	}
	return seq, nil
}
