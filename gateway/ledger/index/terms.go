package index

import (
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Kind is what a record tells of.
type Kind byte

// Kinds of records; the zero Kind is a record of none of them.
const (
	KindExchange Kind = iota + 1
	KindIntent
	KindChange
	KindAccess
	KindNotice
)

var kindNames = [...]string{"", "exchange", "intent", "change", "access", "notice"}

// String returns the kind as filters name it. Example: "exchange".
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return ""
	}
	return kindNames[k]
}

// ParseKind returns the kind that has this name.
func ParseKind(name string) (Kind, error) {
	for k := KindExchange; k <= KindNotice; k++ {
		if kindNames[k] == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("no kind of record is called %q: there are exchange, intent, change, access and notice", name)
}

// terms is all that a record is found and counted by. Its bytes are the record's.
type terms struct {
	made                             stamp
	time                             int64 // Unix nanoseconds
	kind                             Kind
	agency, system                   []byte // who asked, read or changed
	provider, method                 []byte
	purpose, officer, dossier        []byte
	reason, agreement                []byte
	outcome                          hubv1.Exchange_Outcome
	totalUS, requestBytes, answerLen uint32
	trace                            []byte
	ids                              [][]byte // exchanges that it is about
	subjects                         [][]byte
	refused                          uint64 // refusals that it counts
	first                            *stamp // when the first of them came
	fields                           [][]byte
	about                            protowire.Number // which notice
	changed                          hubv1.Change_Kind
	object                           []byte // what was changed
}

// Fields of hub.v1.LedgerRecord.
const (
	recordTime     = 1
	recordExchange = 10
	recordIntent   = 11
	recordChange   = 12
	recordAccess   = 13
	recordNotice   = 14
)

// read reads a record's bytes. It looks at them once and copies nothing: decoding them into a message would take
// ten times as long, and is done for hits alone.
func (t *terms) read(record []byte) error {
	t.made = stamp{}
	t.reset()
	err := eachField(record, func(num protowire.Number, v []byte, _ uint64) error {
		if v == nil {
			return nil
		}
		if num == recordTime {
			return t.made.read(v)
		}
		if num < recordExchange || num > recordNotice {
			return nil
		}
		// A later event replaces one of another kind, and is joined to one of its own.
		if kind := Kind(num-recordExchange) + KindExchange; kind != t.kind {
			t.reset()
			t.kind = kind
		}
		return t.event(v)
	})
	t.time = t.made.nanoseconds()
	if t.changed == hubv1.Change_KIND_AGREEMENT { // is found by the agreement
		t.agreement = t.object
	}
	return err
}

// reset forgets the event.
func (t *terms) reset() {
	*t = terms{made: t.made, ids: t.ids[:0], subjects: t.subjects[:0], fields: t.fields[:0]}
}

func (t *terms) event(v []byte) error {
	switch t.kind {
	case KindExchange:
		return eachField(v, t.exchange)
	case KindIntent:
		return eachField(v, t.intent)
	case KindChange:
		return eachField(v, t.change)
	case KindAccess:
		return eachField(v, t.access)
	default:
		return eachField(v, t.notice)
	}
}

func (t *terms) exchange(num protowire.Number, v []byte, n uint64) error {
	if v == nil {
		switch num {
		case 18:
			t.outcome = hubv1.Exchange_Outcome(int32(n))
		case 24:
			t.requestBytes = uint32(n)
		case 25:
			t.answerLen = uint32(n)
		case 26:
			t.totalUS = uint32(n)
		}
		return nil
	}
	switch num {
	case 1:
		t.ids = append(t.ids[:0], v)
	case 2:
		t.trace = v
	case 4:
		t.agency = v
	case 5:
		t.system = v
	case 7:
		t.officer = v
	case 8:
		t.dossier = v
	case 9:
		t.purpose = v
	case 11:
		t.provider = v
	case 12:
		t.method = v
	case 14:
		t.agreement = v
	case 19:
		t.reason = v
	case 34:
		t.subjects = append(t.subjects, v)
	}
	return nil
}

func (t *terms) intent(num protowire.Number, v []byte, _ uint64) error {
	if v == nil {
		return nil
	}
	switch num {
	case 1:
		t.ids = append(t.ids[:0], v)
	case 3:
		t.agency = v
	case 4:
		t.system = v
	case 5:
		t.officer = v
	case 6:
		t.dossier = v
	case 7:
		t.purpose = v
	case 8:
		t.provider = v
	case 9:
		t.method = v
	case 11:
		t.agreement = v
	case 13:
		t.subjects = append(t.subjects, v)
	}
	return nil
}

func (t *terms) change(num protowire.Number, v []byte, n uint64) error {
	switch {
	case num == 1 && v == nil:
		t.changed = hubv1.Change_Kind(int32(n))
	case v == nil:
	case num == 2:
		t.object = v
	case num == 4:
		t.agency = v
	case num == 5:
		t.system = v
	case num == 13:
		t.officer = v
	case num == 14:
		t.reason, t.outcome = v, hubv1.Exchange_OUTCOME_REFUSED
	}
	return nil
}

func (t *terms) access(num protowire.Number, v []byte, _ uint64) error {
	if v == nil {
		return nil
	}
	switch num {
	case 1:
		t.ids = append(t.ids[:0], v)
	case 3:
		t.agency = v
	case 4:
		t.system = v
	case 6:
		t.officer = v
	case 8:
		t.method = v
	case 10:
		t.subjects = append(t.subjects, v)
	case 13:
		t.reason, t.outcome = v, hubv1.Exchange_OUTCOME_REFUSED
	case 14:
		t.trace = v
	}
	return nil
}

// Notices that are found by more than their kind.
const (
	noticeInDoubt     = 3
	noticeNotAnswered = 4
	noticeRefusals    = 5
	noticeFields      = 7
)

func (t *terms) notice(num protowire.Number, v []byte, _ uint64) error {
	if v == nil || num < 1 || num > noticeFields {
		return nil
	}
	if num != t.about {
		t.reset()
		t.kind, t.about = KindNotice, num
	}
	switch num {
	case noticeInDoubt:
		return eachField(v, func(num protowire.Number, v []byte, _ uint64) error {
			if num == 1 && v != nil {
				t.ids = append(t.ids[:0], v)
			}
			return nil
		})
	case noticeNotAnswered:
		return eachField(v, func(num protowire.Number, v []byte, _ uint64) error {
			if num == 1 && v != nil {
				t.ids = append(t.ids, v)
			}
			return nil
		})
	case noticeRefusals:
		t.outcome = hubv1.Exchange_OUTCOME_REFUSED
		return eachField(v, t.refusals)
	case noticeFields:
		return eachField(v, func(num protowire.Number, v []byte, _ uint64) error {
			if num == 1 && v != nil {
				t.fields = append(t.fields, v)
			}
			return nil
		})
	}
	return nil
}

func (t *terms) refusals(num protowire.Number, v []byte, n uint64) error {
	switch {
	case num == 4 && v == nil:
		t.refused = n
	case v == nil:
	case num == 1:
		t.agency = v
	case num == 2:
		t.system = v
	case num == 3:
		t.reason = v
	case num == 5:
		if t.first == nil {
			t.first = new(stamp)
		}
		return t.first.read(v)
	case num == 7:
		t.method = v
	}
	return nil
}

// empty stands for a value of no bytes, which is a value all the same.
var empty = []byte{}

// eachField calls f for the fields of a message that have a length, v, or are a varint, n, with v nil.
func eachField(b []byte, f func(num protowire.Number, v []byte, n uint64) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var v []byte
		var number uint64
		switch typ {
		case protowire.BytesType:
			if v, n = protowire.ConsumeBytes(b); n >= 0 && v == nil {
				v = empty
			}
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if typ != protowire.BytesType && typ != protowire.VarintType {
			continue
		}
		if err := f(num, v, number); err != nil {
			return err
		}
	}
	return nil
}

// stamp is a google.protobuf.Timestamp.
type stamp struct{ seconds, nanos int64 }

// read reads a stamp over what this one is already.
func (s *stamp) read(b []byte) error {
	return eachField(b, func(num protowire.Number, v []byte, n uint64) error {
		switch {
		case v != nil:
		case num == 1:
			s.seconds = int64(n)
		case num == 2:
			s.nanos = int64(int32(n))
		}
		return nil
	})
}

func (s *stamp) nanoseconds() int64 { return s.seconds*int64(time.Second) + s.nanos }

func floorDiv(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		return quotient - 1, rest + b
	}
	return quotient, rest
}

// nanos is a time in Unix nanoseconds, the nearest that there is.
func nanos(t time.Time) int64 {
	switch {
	case t.Year() < 1678:
		return math.MinInt64
	case t.Year() > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}
