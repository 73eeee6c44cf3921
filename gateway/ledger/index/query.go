package index

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Query selects records. What is not set selects all of them; what is set is joined by "and".
type Query struct {
	// Kinds of records: any of these.
	Kinds []Kind
	// From and To: not before, and before. A record's time is LedgerRecord.time.
	From, To time.Time
	// Consumer is the agency that asked, read or changed something, or one of its systems: "H27", "H27/one-stop".
	Consumer string
	// Provider is the agency that owns the registry.
	Provider string
	// Method is a full method name, a service's, or a method's alone: "GetPerson".
	Method string
	// Purpose, Case and Officer are as the consumer gave them.
	Purpose, Case, Officer string
	// Outcome is how it ended. Refusals that were only counted are found by it and by Reason too.
	Outcome hubv1.Exchange_Outcome
	// Reason is the registered reason.
	Reason string
	// Agreement that decided, or that was changed.
	Agreement string
	// MinLatency is how long it took at least. It selects exchanges only.
	MinLatency time.Duration
	// Trace is the W3C trace id, 16 bytes.
	Trace []byte
	// Exchange is the id, 16 bytes: of an exchange or an access, and of what was said of it before and after.
	Exchange []byte
	// Subjects are keyed hashes of one person: any of these.
	Subjects [][16]byte
	// Scope is what the reader may see at all.
	Scope Scope

	// Limit is how many hits a page has at most. Default 50.
	Limit int
	// Cursor is where the page before ended: Page.Next of the same query.
	Cursor string
	// OldestFirst gives the oldest first.
	OldestFirst bool
	// After, with OldestFirst, passes over the positions before it. For following.
	After uint64
}

// Scope restricts a query further.
type Scope struct {
	// Consumer is an agency: only what it asked.
	Consumer string
	// Provider is an agency: only what its registries were asked.
	Provider string
	// Subjects are keyed hashes of one person, any of these: only what is about that person. nil is no restriction.
	Subjects [][16]byte
}

// ErrQuery says that a query cannot be answered as it is.
var ErrQuery = errors.New("query is not valid")

const (
	defaultLimit = 50
	maxLimit     = 10_000
)

// check refuses what would otherwise find nothing, or something else than was meant.
func (q *Query) check() error {
	switch {
	case q.Limit < 0 || q.Limit > maxLimit:
		return fmt.Errorf("%w: a page has 1 to %d entries", ErrQuery, maxLimit)
	case q.MinLatency < 0:
		return fmt.Errorf("%w: no exchange takes less than no time", ErrQuery)
	case !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To):
		return fmt.Errorf("%w: it ends before it begins", ErrQuery)
	case len(q.Trace) != 0 && len(q.Trace) != 16:
		return fmt.Errorf("%w: a trace id has 16 bytes", ErrQuery)
	case len(q.Exchange) != 0 && len(q.Exchange) != 16:
		return fmt.Errorf("%w: an exchange id has 16 bytes", ErrQuery)
	case q.Outcome < 0 || q.Outcome > 255:
		return fmt.Errorf("%w: there is no such outcome", ErrQuery)
	case q.After > 0 && !q.OldestFirst:
		return fmt.Errorf("%w: only who reads the oldest first can begin after a position", ErrQuery)
	case q.Scope.Subjects != nil && len(q.Scope.Subjects) == 0:
		return fmt.Errorf("%w: the scope names nobody", ErrQuery)
	}
	for _, k := range q.Kinds {
		if k < KindExchange || k > KindNotice {
			return fmt.Errorf("%w: there is no such kind of record", ErrQuery)
		}
	}
	return nil
}

// condition is something that a record must have: in a column, a value within any of the spans.
type condition struct {
	col   column
	spans []span
	keys  []uint64 // of a column of keys, instead of spans
}

// conditions are the query's, those that leave the least first.
func (q *Query) conditions() []condition {
	var all []condition
	key := func(c column, keys ...uint64) { all = append(all, condition{col: c, keys: keys}) }
	value := func(c column, s ...span) { all = append(all, condition{col: c, spans: s}) }
	text := func(c column, s string) {
		if s != "" {
			value(c, exactly(s))
		}
	}
	if len(q.Exchange) > 0 {
		key(colExchange, randomKey(q.Exchange))
	}
	if len(q.Trace) > 0 {
		key(colTrace, randomKey(q.Trace))
	}
	if q.Case != "" {
		key(colCase, hashedKey([]byte(q.Case)))
	}
	for _, subjects := range [...][][16]byte{q.Scope.Subjects, q.Subjects} {
		if len(subjects) > 0 {
			key(colSubject, subjectKeys(subjects)...)
		}
	}
	text(colOfficer, q.Officer)
	text(colReason, q.Reason)
	text(colAgreement, q.Agreement)
	text(colPurpose, q.Purpose)
	if q.Method != "" {
		value(methodSpan(q.Method))
	}
	for _, consumer := range [...]string{q.Consumer, q.Scope.Consumer} {
		if consumer != "" {
			value(colConsumer, consumerSpan(consumer))
		}
	}
	text(colProvider, q.Provider)
	text(colProvider, q.Scope.Provider)
	if q.Outcome != 0 {
		value(colOutcome, exactly(string(outcomeKeys[byte(q.Outcome)])))
	}
	if q.MinLatency > 0 {
		value(colLatency, span{string(latencyKeys[latencyClass(q.minMicros())]), string(latencyKeys[latencyClasses])})
	}
	if len(q.Kinds) > 0 {
		value(colKind, kindSpans(q.Kinds)...)
	}
	return all
}

func subjectKeys(subjects [][16]byte) []uint64 {
	keys := make([]uint64, len(subjects))
	for i, s := range subjects {
		keys[i] = randomKey(s[:])
	}
	return keys
}

func kindSpans(kinds []Kind) []span {
	spans := make([]span, len(kinds))
	for i, k := range kinds {
		spans[i] = exactly(string(k.key()))
	}
	return spans
}

func methodSpan(method string) (column, span) {
	switch {
	case strings.Contains(method, "/"):
		return colMethod, exactly(method)
	case strings.Contains(method, "."):
		return colMethod, within(method + "/")
	default:
		return colMethodName, exactly(method)
	}
}

func consumerSpan(consumer string) span {
	if strings.Contains(consumer, "/") {
		return exactly(consumer)
	}
	return within(consumer + "/")
}

// minMicros is MinLatency in whole microseconds, rounded up.
func (q *Query) minMicros() uint32 {
	us := (q.MinLatency + time.Microsecond - 1) / time.Microsecond
	return uint32(min(us, 1<<32-1))
}

// matches compares the record itself.
func (q *Query) matches(t *terms) bool {
	return q.matchesTime(t.time) &&
		is(q.Provider, t.provider) && is(q.Scope.Provider, t.provider) &&
		isConsumer(q.Consumer, t) && isConsumer(q.Scope.Consumer, t) &&
		isMethod(q.Method, t.method) &&
		is(q.Purpose, t.purpose) && is(q.Case, t.dossier) && is(q.Officer, t.officer) &&
		is(q.Reason, t.reason) && is(q.Agreement, t.agreement) &&
		(q.Outcome == 0 || q.Outcome == t.outcome) &&
		(q.MinLatency <= 0 || t.kind == KindExchange && time.Duration(t.totalUS)*time.Microsecond >= q.MinLatency) &&
		(len(q.Trace) == 0 || bytes.Equal(q.Trace, t.trace)) &&
		(len(q.Exchange) == 0 || hasID(t.ids, q.Exchange)) &&
		names(t.subjects, q.Subjects) && names(t.subjects, q.Scope.Subjects) &&
		isKind(q.Kinds, t.kind)
}

// selectsAll reports whether nothing is asked of a record: then one that does not read is found too.
func (q *Query) selectsAll() bool {
	return len(q.conditions()) == 0 && q.From.IsZero() && q.To.IsZero()
}

func (q *Query) matchesTime(at int64) bool {
	return (q.From.IsZero() || at >= nanos(q.From)) && (q.To.IsZero() || at < nanos(q.To))
}

func is(want string, have []byte) bool { return want == "" || want == string(have) }

func isConsumer(want string, t *terms) bool {
	if want == "" {
		return true
	}
	agency, system, named := strings.Cut(want, "/")
	return agency == string(t.agency) && (!named || system == string(t.system))
}

func isMethod(want string, have []byte) bool {
	if want == "" {
		return true
	}
	c, s := methodSpan(want)
	if c == colMethodName {
		have = methodName(have)
	}
	return string(have) >= s.lo && string(have) < s.hi
}

func isKind(want []Kind, have Kind) bool {
	for _, k := range want {
		if k == have {
			return true
		}
	}
	return len(want) == 0
}

func hasID(ids [][]byte, id []byte) bool {
	for _, one := range ids {
		if bytes.Equal(one, id) {
			return true
		}
	}
	return false
}

// names reports whether one of the subjects is one of those that are looked for.
func names(subjects [][]byte, any [][16]byte) bool {
	for _, want := range any {
		if hasID(subjects, want[:]) {
			return true
		}
	}
	return len(any) == 0
}
