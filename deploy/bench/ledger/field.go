package ledger

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// field is one field of hubv1.Filter.
type field struct {
	name   string
	values func(*hubv1.LedgerRecord) []string // that a record is found by; nil where absent has all values
	set    func(*index.Query, string)
	absent string // a value that no record has
}

// fields are those that are compared with what a record says. Times are in searches.go, and whom a record is about is
// looked for as the service does it, by hashes.
var fields = []field{
	{"consumer", consumers, func(q *index.Query, v string) { q.Consumer = v }, "H99"},
	{"provider", of((*hubv1.Exchange).GetProviderAgency), func(q *index.Query, v string) { q.Provider = v }, "G99"},
	{"method", methods, func(q *index.Query, v string) { q.Method = v }, "NoSuchMethod"},
	{"purpose", of((*hubv1.Exchange).GetPurpose), func(q *index.Query, v string) { q.Purpose = v }, "XX-XX"},
	{"case", of((*hubv1.Exchange).GetCase), func(q *index.Query, v string) { q.Case = v }, "000.00.19.H27-260101-999999"},
	{"officer", of((*hubv1.Exchange).GetOfficer), func(q *index.Query, v string) { q.Officer = v }, "nobody"},
	{"outcome", outcomes, setOutcome, ""},
	{"reason", of((*hubv1.Exchange).GetReason), func(q *index.Query, v string) { q.Reason = v }, "PERSON_SEALED"},
	{"agreement", of((*hubv1.Exchange).GetAgreement), func(q *index.Query, v string) { q.Agreement = v }, "H99-G99-nothing"},
	{"min_latency", latencies, setLatency, "1h"},
	{"trace_id", inHex((*hubv1.Exchange).GetTraceId), func(q *index.Query, v string) { q.Trace = unhex(v) }, strings.Repeat("f", 32)},
	{"exchange_id", inHex((*hubv1.Exchange).GetId), func(q *index.Query, v string) { q.Exchange = unhex(v) }, strings.Repeat("f", 32)},
	{"subject", subjects, setSubject, strings.Repeat("f", 32)},
	{"kind", kinds, setKind, ""},
}

func fieldNamed(name string) field {
	for _, f := range fields {
		if f.name == name {
			return f
		}
	}
	panic("no field " + name) // never: the names are in this package
}

// of reads a text of an exchange; other records have none.
func of(get func(*hubv1.Exchange) string) func(*hubv1.LedgerRecord) []string {
	return func(r *hubv1.LedgerRecord) []string {
		if v := get(r.GetExchange()); v != "" {
			return []string{v}
		}
		return nil
	}
}

func inHex(get func(*hubv1.Exchange) []byte) func(*hubv1.LedgerRecord) []string {
	return of(func(e *hubv1.Exchange) string { return hex.EncodeToString(get(e)) })
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err) // never: inHex wrote it
	}
	return b
}

func consumers(r *hubv1.LedgerRecord) []string {
	e := r.GetExchange()
	if e == nil {
		return nil
	}
	return []string{e.GetConsumerAgency(), e.GetConsumerAgency() + "/" + e.GetConsumerSystem()}
}

// methods are the names that a method goes by: whole, its service's, and alone.
func methods(r *hubv1.LedgerRecord) []string {
	whole := r.GetExchange().GetMethod()
	service, method, ok := strings.Cut(whole, "/")
	if !ok {
		return nil
	}
	return []string{whole, service, method}
}

func outcomes(r *hubv1.LedgerRecord) []string {
	if r.GetExchange() == nil {
		return nil
	}
	return []string{r.GetExchange().GetOutcome().String()}
}

func setOutcome(q *index.Query, v string) {
	q.Outcome = hubv1.Exchange_Outcome(hubv1.Exchange_Outcome_value[v])
}

// latencies are bounds below which an exchange was not.
func latencies(r *hubv1.LedgerRecord) []string {
	var all []string
	for _, bound := range []time.Duration{time.Millisecond, 20 * time.Millisecond, time.Second} {
		if e := r.GetExchange(); e != nil && time.Duration(e.GetTotalUs())*time.Microsecond >= bound {
			all = append(all, bound.String())
		}
	}
	return all
}

func setLatency(q *index.Query, v string) {
	d, err := time.ParseDuration(v)
	if err != nil {
		panic(err) // never: latencies wrote it
	}
	q.MinLatency = d
}

func subjects(r *hubv1.LedgerRecord) []string {
	var all []string
	for _, hash := range r.GetExchange().GetSubjectHashes() {
		all = append(all, hex.EncodeToString(hash))
	}
	return all
}

func setSubject(q *index.Query, v string) { q.Subjects = [][16]byte{[16]byte(unhex(v))} }

func kinds(r *hubv1.LedgerRecord) []string {
	switch r.GetEvent().(type) {
	case *hubv1.LedgerRecord_Exchange:
		return []string{index.KindExchange.String()}
	case *hubv1.LedgerRecord_Intent:
		return []string{index.KindIntent.String()}
	case *hubv1.LedgerRecord_Access:
		return []string{index.KindAccess.String()}
	case *hubv1.LedgerRecord_Notice:
		return []string{index.KindNotice.String()}
	case *hubv1.LedgerRecord_Change:
		return []string{index.KindChange.String()}
	}
	return nil
}

func setKind(q *index.Query, v string) {
	kind, err := index.ParseKind(v)
	if err != nil {
		panic(fmt.Errorf("kind of a record: %w", err)) // never: kinds wrote it
	}
	q.Kinds = []index.Kind{kind}
}
