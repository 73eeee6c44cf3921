package index_test

import (
	"crypto/sha256"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Small vocabularies, so that random records and random queries meet. Some words are the beginnings of others, some
// begin alike in what the index keeps of them.
var (
	agencies   = []string{"", "H27", "H27.07", "H2", "G01"}
	systems    = []string{"", "one-stop", "one", "clinic"}
	methods    = []string{"", "a.v1.People/Get", "a.v1.People/GetAll", "a.v1.PeopleX/Get", "a.v1/Get", "Search"}
	purposes   = []string{"", "HT-KS", "HT-KT", "HT"}
	officers   = []string{"", "an", "an.nv", "binh"}
	dossiers   = []string{"", "1", "2", "3", "4", "5"}
	reasons    = []string{"", "NO_AGREEMENT", "OVERLOADED"}
	agreements = []string{"", "H27-G01", "H27-G15"}
	ids        = [][]byte{nil, id("\x01", 1), id("\x01", 2), id("\x02", 1), id("\x03", 3), id("\x04", 4), id("\x05", 5)}
	latencies  = []uint32{0, 1, 2, 7, 8, 9, 15, 16, 1000, 1023, 1024, 1025, 5_000_000, 1<<32 - 1}
	outcomes   = []hubv1.Exchange_Outcome{0, 1, 2, 3, 4, 5}
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// id has one end or the other in common with others.
func id(front string, back byte) []byte {
	return append([]byte(strings.Repeat(front, 15)), back)
}

func one[T any](t *rapid.T, of []T) T { return rapid.SampledFrom(of).Draw(t, "one") }

// randomEntry draws a position: a record of any kind, now and then none or one that does not read. at goes forward,
// nearly always.
func randomEntry(t *rapid.T, at *time.Time) index.Entry {
	switch rapid.IntRange(0, 40).Draw(t, "entry") {
	case 0:
		return index.Entry{Void: true}
	case 1:
		return index.Entry{Payload: []byte{0xff, 0xff}}
	}
	*at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 1000, 1_000_000_000, 70_000_000_000}).Draw(t, "later")))
	made := *at
	if rapid.IntRange(0, 150).Draw(t, "backward") == 0 {
		made = made.Add(-2 * time.Second)
	}
	r := &hubv1.LedgerRecord{Time: timestamppb.New(made), Origin: "G06/gateway"}
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		r.Event = &hubv1.LedgerRecord_Intent{Intent: &hubv1.Intent{ExchangeId: one(t, ids), ConsumerAgency: one(t, agencies),
			ConsumerSystem: one(t, systems), Officer: one(t, officers), Case: one(t, dossiers), Purpose: one(t, purposes),
			ProviderAgency: one(t, agencies), Method: one(t, methods), Agreement: one(t, agreements), SubjectHashes: randomSubjects(t)}}
	case 1:
		r.Event = &hubv1.LedgerRecord_Change{Change: &hubv1.Change{Kind: hubv1.Change_Kind(rapid.IntRange(0, 3).Draw(t, "changed")),
			Object: one(t, agreements), Agency: one(t, agencies), System: one(t, systems), Officer: one(t, officers), Reason: one(t, reasons)}}
	case 2:
		r.Event = &hubv1.LedgerRecord_Access{Access: &hubv1.Access{Id: one(t, ids), TraceId: one(t, ids), Agency: one(t, agencies),
			System: one(t, systems), Officer: one(t, officers), Method: one(t, methods), Reason: one(t, reasons), SubjectHashes: randomSubjects(t)}}
	case 3:
		r.Event = &hubv1.LedgerRecord_Notice{Notice: randomNotice(t, made)}
	case 4:
		// of a kind that this program does not know
	default:
		r.Event = &hubv1.LedgerRecord_Exchange{Exchange: randomExchange(t)}
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return index.Entry{Payload: b}
}

func randomExchange(t *rapid.T) *hubv1.Exchange {
	return &hubv1.Exchange{Id: one(t, ids), TraceId: one(t, ids), ConsumerAgency: one(t, agencies), ConsumerSystem: one(t, systems),
		Officer: one(t, officers), Case: one(t, dossiers), Purpose: one(t, purposes), ProviderAgency: one(t, agencies),
		Method: one(t, methods), Agreement: one(t, agreements), Outcome: one(t, outcomes), Reason: one(t, reasons),
		RequestBytes: 3, AnswerBytes: 7, TotalUs: one(t, latencies), SubjectHashes: randomSubjects(t)}
}

func randomSubjects(t *rapid.T) [][]byte {
	return rapid.SliceOfN(rapid.SampledFrom(ids[1:]), 0, 3).Draw(t, "subjects")
}

func randomNotice(t *rapid.T, at time.Time) *hubv1.Notice {
	switch rapid.IntRange(0, 3).Draw(t, "notice") {
	case 0:
		return &hubv1.Notice{About: &hubv1.Notice_InDoubt_{InDoubt: &hubv1.Notice_InDoubt{ExchangeId: one(t, ids), IntentSeq: 1}}}
	case 1:
		return &hubv1.Notice{About: &hubv1.Notice_NotAnswered_{NotAnswered: &hubv1.Notice_NotAnswered{
			ExchangeIds: rapid.SliceOfN(rapid.SampledFrom(ids[1:]), 0, 3).Draw(t, "ids")}}}
	case 2:
		n := &hubv1.Notice_Refusals{ConsumerAgency: one(t, agencies), ConsumerSystem: one(t, systems),
			Reason: one(t, reasons), Count: uint64(rapid.IntRange(0, 9).Draw(t, "count"))}
		if rapid.Bool().Draw(t, "no exchange") {
			n.Method = one(t, methods)
		}
		if rapid.Bool().Draw(t, "dated") {
			n.First = timestamppb.New(at.Add(-90 * time.Second))
		}
		return &hubv1.Notice{About: &hubv1.Notice_Refusals_{Refusals: n}}
	default:
		return &hubv1.Notice{About: &hubv1.Notice_Fields_{Fields: &hubv1.Notice_Fields{Lists: []string{one(t, methods), one(t, officers)}}}}
	}
}

// randomQuery draws a query of at most a few filters.
func randomQuery(t *rapid.T, until time.Time) index.Query {
	q := index.Query{Limit: rapid.IntRange(1, 30).Draw(t, "limit"), OldestFirst: rapid.Bool().Draw(t, "oldest first")}
	for range rapid.IntRange(0, 3).Draw(t, "filters") {
		switch rapid.IntRange(0, 17).Draw(t, "filter") {
		case 0:
			q.Kinds = rapid.SliceOfN(rapid.Map(rapid.IntRange(1, 5), func(i int) index.Kind { return index.Kind(i) }), 0, 3).Draw(t, "kinds")
		case 1:
			q.From = randomTime(t, until)
		case 2:
			q.To = randomTime(t, until)
		case 3:
			q.Consumer = one(t, agencies)
		case 4:
			q.Consumer = one(t, agencies[1:]) + "/" + one(t, systems[1:])
		case 5:
			q.Provider = one(t, agencies)
		case 6:
			q.Method = one(t, append([]string{"Get", "GetAll", "a.v1.People", "a.v1", "Other"}, methods...))
		case 7:
			q.Purpose = one(t, purposes)
		case 8:
			q.Officer = one(t, officers)
		case 9:
			q.Case = one(t, dossiers)
		case 10:
			q.Outcome = one(t, outcomes)
		case 11:
			q.Reason = one(t, reasons)
		case 12:
			q.Agreement = one(t, agreements)
		case 13:
			q.MinLatency = time.Duration(one(t, latencies)) * time.Microsecond
		case 14:
			q.Trace = one(t, ids)
		case 15:
			q.Exchange = one(t, ids)
		case 16:
			q.Subjects = randomHashes(t, 0)
		case 17:
			q.Scope = index.Scope{Consumer: one(t, agencies), Provider: one(t, agencies)}
			if rapid.Bool().Draw(t, "citizen") {
				q.Scope = index.Scope{Subjects: randomHashes(t, 1)}
			}
		}
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		q.To = time.Time{}
	}
	return q
}

func randomTime(t *rapid.T, until time.Time) time.Time {
	return epoch.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(epoch))+1).Draw(t, "time")))
}

func randomHashes(t *rapid.T, least int) (hashes [][16]byte) {
	for _, s := range rapid.SliceOfN(rapid.SampledFrom(ids[1:]), least, 2).Draw(t, "hashes") {
		hashes = append(hashes, [16]byte(s))
	}
	return hashes
}

// facts is what is found by, taken from the decoded message: the index never sees it this way.
type facts struct {
	kind                                 index.Kind
	agency, system, provider, method     string
	purpose, officer, dossier, agreement string
	reason                               string
	outcome                              hubv1.Exchange_Outcome
	trace                                []byte
	ids, subjects                        [][]byte
}

func factsOf(r *hubv1.LedgerRecord) facts {
	switch {
	case r.GetExchange() != nil:
		e := r.GetExchange()
		return facts{index.KindExchange, e.GetConsumerAgency(), e.GetConsumerSystem(), e.GetProviderAgency(), e.GetMethod(), e.GetPurpose(),
			e.GetOfficer(), e.GetCase(), e.GetAgreement(), e.GetReason(), e.GetOutcome(), e.GetTraceId(), [][]byte{e.GetId()}, e.GetSubjectHashes()}
	case r.GetIntent() != nil:
		i := r.GetIntent()
		return facts{kind: index.KindIntent, agency: i.GetConsumerAgency(), system: i.GetConsumerSystem(), provider: i.GetProviderAgency(),
			method: i.GetMethod(), purpose: i.GetPurpose(), officer: i.GetOfficer(), dossier: i.GetCase(), agreement: i.GetAgreement(),
			ids: [][]byte{i.GetExchangeId()}, subjects: i.GetSubjectHashes()}
	case r.GetChange() != nil:
		c := r.GetChange()
		f := facts{kind: index.KindChange, agency: c.GetAgency(), system: c.GetSystem(), officer: c.GetOfficer(), reason: c.GetReason()}
		if c.GetKind() == hubv1.Change_KIND_AGREEMENT {
			f.agreement = c.GetObject()
		}
		f.outcome = refusedFor(c.GetReason())
		return f
	case r.GetAccess() != nil:
		a := r.GetAccess()
		return facts{kind: index.KindAccess, agency: a.GetAgency(), system: a.GetSystem(), method: a.GetMethod(), officer: a.GetOfficer(),
			reason: a.GetReason(), outcome: refusedFor(a.GetReason()), trace: a.GetTraceId(), ids: [][]byte{a.GetId()}, subjects: a.GetSubjectHashes()}
	case r.GetNotice() != nil:
		n := r.GetNotice()
		f := facts{kind: index.KindNotice, ids: n.GetNotAnswered().GetExchangeIds()}
		if d := n.GetInDoubt(); d != nil {
			f.ids = [][]byte{d.GetExchangeId()}
		}
		if c := n.GetRefusals(); c != nil {
			f.agency, f.system, f.reason, f.outcome = c.GetConsumerAgency(), c.GetConsumerSystem(), c.GetReason(), hubv1.Exchange_OUTCOME_REFUSED
			f.method = c.GetMethod()
		}
		return f
	}
	return facts{}
}

// refusedFor is the outcome of what is no exchange.
func refusedFor(reason string) hubv1.Exchange_Outcome {
	if reason == "" {
		return hubv1.Exchange_OUTCOME_UNSPECIFIED
	}
	return hubv1.Exchange_OUTCOME_REFUSED
}

// wants is what a query means, said once more.
func wants(q *index.Query, r *hubv1.LedgerRecord) bool {
	f, at := factsOf(r), r.GetTime().AsTime()
	either := func(any [][16]byte) bool {
		for _, a := range any {
			for _, s := range f.subjects {
				if string(s) == string(a[:]) {
					return true
				}
			}
		}
		return len(any) == 0
	}
	kind := len(q.Kinds) == 0
	for _, k := range q.Kinds {
		kind = kind || k == f.kind
	}
	named := len(q.Exchange) == 0
	for _, one := range f.ids {
		named = named || string(one) == string(q.Exchange)
	}
	consumer := q.Consumer == "" || q.Consumer == f.agency || f.agency != "" && q.Consumer == f.agency+"/"+f.system
	service, name := "", f.method
	if i := strings.LastIndex(f.method, "/"); i >= 0 {
		service, name = f.method[:i], f.method[i+1:]
	}
	method := q.Method == "" || q.Method == f.method || q.Method == service || q.Method == name
	slow := q.MinLatency == 0 ||
		r.GetExchange() != nil && time.Duration(r.GetExchange().GetTotalUs())*time.Microsecond >= q.MinLatency
	return kind && named && consumer && method && slow && either(q.Subjects) && either(q.Scope.Subjects) &&
		(q.From.IsZero() || !at.Before(q.From)) && (q.To.IsZero() || at.Before(q.To)) &&
		(q.Provider == "" || q.Provider == f.provider) && (q.Scope.Provider == "" || q.Scope.Provider == f.provider) &&
		(q.Scope.Consumer == "" || q.Scope.Consumer == f.agency) &&
		(q.Purpose == "" || q.Purpose == f.purpose) && (q.Officer == "" || q.Officer == f.officer) &&
		(q.Case == "" || q.Case == f.dossier) && (q.Outcome == 0 || q.Outcome == f.outcome) &&
		(q.Reason == "" || q.Reason == f.reason) && (q.Agreement == "" || q.Agreement == f.agreement) &&
		(len(q.Trace) == 0 || string(q.Trace) == string(f.trace))
}

// filtered reports whether the query asks anything at all of a record.
func filtered(q index.Query) bool {
	q.Limit, q.OldestFirst, q.Cursor, q.After = 0, false, "", 0
	return len(q.Kinds) > 0 || !q.From.IsZero() || !q.To.IsZero() || q.Consumer+q.Provider+q.Method+q.Purpose+q.Case+q.Officer+q.Reason+
		q.Agreement+q.Scope.Consumer+q.Scope.Provider != "" || q.Outcome != 0 || q.MinLatency != 0 || len(q.Trace)+len(q.Exchange)+len(q.Subjects)+
		len(q.Scope.Subjects) > 0
}

// brute is the positions below n that a query wants, found by looking at every record.
func brute(j *fake, q index.Query, n uint64) (seqs []uint64) {
	for seq := j.first; seq < n; seq++ {
		if r := j.decoded[seq]; r != nil && wants(&q, r) || r == nil && !j.entries[seq].Void && !filtered(q) {
			seqs = append(seqs, seq)
		}
	}
	if !q.OldestFirst {
		for i, k := 0, len(seqs)-1; i < k; i, k = i+1, k-1 {
			seqs[i], seqs[k] = seqs[k], seqs[i]
		}
	}
	return seqs
}

func digest(text string) [32]byte { return sha256.Sum256([]byte(text)) }
