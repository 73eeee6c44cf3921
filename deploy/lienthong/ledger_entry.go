package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// position is where an entry stands: ORIGIN:SEQ.
func position(e *hubv1.LedgerEntry) string {
	return e.GetOrigin() + ":" + strconv.FormatUint(e.GetSeq(), 10)
}

// ledgerEntry is an entry in JSON.
type ledgerEntry struct {
	Position string         `json:"position"`
	Exchange string         `json:"exchange,omitempty"` // the exchange it is, or is about
	Kind     string         `json:"kind"`               // "exchange", "intent", "change", "access" or "notice"
	Record   map[string]any `json:"record"`             // as in hub.v1.LedgerRecord, with ids in their usual form
}

func plainEntry(e *hubv1.LedgerEntry) ledgerEntry {
	return ledgerEntry{Position: position(e), Exchange: exchangeOf(e.GetRecord()), Kind: kindOf(e.GetRecord()), Record: plain(e.GetRecord().ProtoReflect())}
}

func plainEntries(entries []*hubv1.LedgerEntry) []ledgerEntry {
	list := make([]ledgerEntry, 0, len(entries))
	for _, e := range entries {
		list = append(list, plainEntry(e))
	}
	return list
}

// kindOf says what kind of record it is.
func kindOf(r *hubv1.LedgerRecord) string {
	m := r.ProtoReflect()
	if fd := m.WhichOneof(m.Descriptor().Oneofs().ByName("event")); fd != nil {
		return string(fd.Name())
	}
	return "unknown"
}

// exchangeOf is the exchange that a record is, or is about; empty if it is about none.
func exchangeOf(r *hubv1.LedgerRecord) string {
	for _, id := range [][]byte{
		r.GetExchange().GetId(), r.GetIntent().GetExchangeId(), r.GetAccess().GetId(), r.GetNotice().GetInDoubt().GetExchangeId(),
	} {
		if u, err := uuid.FromBytes(id); err == nil {
			return u.String()
		}
	}
	return ""
}

// plain is a message as JSON is read by people and scripts: names as in the contract, ids as UUIDs, other bytes in
// hexadecimal digits, enum values without the enum's name, moments in RFC 3339, UTC. What is not set is left out.
func plain(m protoreflect.Message) map[string]any {
	out := map[string]any{}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := string(fd.Name())
		if !fd.IsList() {
			out[name] = plainValue(fd, v)
			return true
		}
		list := make([]any, 0, v.List().Len())
		for i := range v.List().Len() {
			list = append(list, plainValue(fd, v.List().Get(i)))
		}
		out[name] = list
		return true
	})
	return out
}

func plainValue(fd protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch fd.Kind() {
	case protoreflect.MessageKind:
		if t, ok := v.Message().Interface().(*timestamppb.Timestamp); ok {
			return t.AsTime().Format(time.RFC3339Nano)
		}
		return plain(v.Message())
	case protoreflect.BytesKind:
		name := string(fd.Name())
		if u, err := uuid.FromBytes(v.Bytes()); err == nil && (name == "id" || strings.HasPrefix(name, "exchange_id")) {
			return u.String()
		}
		return hex.EncodeToString(v.Bytes())
	case protoreflect.EnumKind:
		return enumWord(fd.Enum(), v.Enum())
	}
	return v.Interface()
}

// enumWord is an enum value without the enum's own name: OUTCOME_ANSWERED is ANSWERED.
func enumWord(ed protoreflect.EnumDescriptor, n protoreflect.EnumNumber) string {
	value := ed.Values().ByNumber(n)
	if value == nil {
		return strconv.Itoa(int(n))
	}
	if zero := ed.Values().ByNumber(0); zero != nil {
		if prefix, ok := strings.CutSuffix(string(zero.Name()), "UNSPECIFIED"); ok {
			return strings.TrimPrefix(string(value.Name()), prefix)
		}
	}
	return string(value.Name())
}

// word is an enum value in lower case, for tables.
func word(e protoreflect.Enum) string {
	return strings.ReplaceAll(strings.ToLower(enumWord(e.Descriptor(), e.Number())), "_", "-")
}

// ms shows microseconds in milliseconds.
func ms(us uint32) string { return strconv.FormatFloat(float64(us)/1000, 'f', 1, 64) }

// shortMethod is a method's name without its service's.
func shortMethod(method string) string { return method[strings.LastIndexByte(method, '/')+1:] }

var entryHeader = []string{"TIME (+07:00)", "WHO", "WHAT", "PURPOSE", "OUTCOME", "MS", "ID"}

// entryRow is an entry in one line of a table.
func entryRow(e *hubv1.LedgerEntry) []string {
	r := e.GetRecord()
	who, what, purpose, outcome, took := happened(r)
	id := position(e)
	if r.GetExchange() != nil {
		id = exchangeOf(r)
	}
	return []string{clock(r.GetTime().AsTime()), who, what, purpose, outcome, took, id}
}

// happened says of a record in a few words who did what, and what came of it.
func happened(r *hubv1.LedgerRecord) (who, what, purpose, outcome, took string) {
	switch {
	case r.GetExchange() != nil:
		x := r.GetExchange()
		return x.GetConsumerAgency() + "/" + x.GetConsumerSystem(), shortMethod(x.GetMethod()), x.GetPurpose(), ended(x), ms(x.GetTotalUs())
	case r.GetIntent() != nil:
		x := r.GetIntent()
		return x.GetConsumerAgency() + "/" + x.GetConsumerSystem(), shortMethod(x.GetMethod()), x.GetPurpose(), "intent of " + exchangeOf(r), ""
	case r.GetAccess() != nil:
		x := r.GetAccess()
		return x.GetAgency() + "/" + x.GetSystem(), "read the ledger: " + x.GetMethod(), "", readOutcome(x), ""
	case r.GetChange() != nil:
		x := r.GetChange()
		outcome = x.GetObject()
		if x.GetVersion() > 0 {
			outcome += fmt.Sprintf(" v%d", x.GetVersion())
		}
		who = strings.Trim(x.GetAgency()+"/"+x.GetSystem(), "/")
		if x.GetReason() != "" {
			return who, "wanted: " + strings.TrimPrefix(x.GetText(), "refused: "), "", strings.TrimSpace("refused " + x.GetReason() + " " + x.GetObject()), ""
		}
		return who, "changed: " + word(x.GetKind()), "", outcome, ""
	case r.GetNotice() != nil:
		return "the ledger", "notice", "", told(r.GetNotice()), ""
	}
	return "", "a record of a kind that this program does not know", "", "", ""
}

// ended says how an exchange ended, and why.
func ended(x *hubv1.Exchange) string {
	text := word(x.GetOutcome())
	if x.GetReason() != "" {
		text += " " + x.GetReason()
	} else if code := x.GetResult().GetCode(); code != hubv1.Result_CODE_UNSPECIFIED {
		text += " " + code.String()
	}
	if x.GetInDoubt() {
		text += ", IN DOUBT"
	}
	return text
}

func readOutcome(a *hubv1.Access) string {
	if a.GetReason() != "" {
		return "refused " + a.GetReason()
	}
	return fmt.Sprintf("%d entries as %s", a.GetEntries(), word(a.GetRole()))
}

// told says what the ledger says of itself.
func told(n *hubv1.Notice) string {
	switch {
	case n.GetOpened() != nil:
		switch o := n.GetOpened(); {
		case o.GetCutBytes() > 0:
			return fmt.Sprintf("opened; %d bytes of an incomplete batch were cut off", o.GetCutBytes())
		case !o.GetClean():
			return "opened; it had not been closed in good order"
		}
		return "opened"
	case n.GetClosed() != nil:
		return "closed in good order"
	case n.GetInDoubt() != nil:
		return fmt.Sprintf("IN DOUBT: nobody knows what came of the intent at %d", n.GetInDoubt().GetIntentSeq())
	case n.GetNotAnswered() != nil:
		a := n.GetNotAnswered()
		return fmt.Sprintf("%d exchanges were told LEDGER_UNAVAILABLE; nothing of them left", uint64(len(a.GetExchangeIds()))+a.GetMore())
	case n.GetRefusals() != nil:
		f := n.GetRefusals()
		return strings.TrimSpace(fmt.Sprintf("%d more refusals of %s/%s with %s %s", f.GetCount(), f.GetConsumerAgency(), f.GetConsumerSystem(), f.GetReason(), f.GetMethod()))
	case n.GetClockBack() != nil:
		return fmt.Sprintf("the clock went back by %v", time.Duration(n.GetClockBack().GetBehindMs())*time.Millisecond)
	case n.GetFields() != nil:
		return fmt.Sprintf("%d field lists", len(n.GetFields().GetLists()))
	}
	return "of a kind that this program does not know"
}
