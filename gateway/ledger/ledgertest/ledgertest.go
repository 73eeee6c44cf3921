// Package ledgertest makes ledgers for tests and benches: the records of a plausible hub, with the sandbox's agencies,
// contracts and agreements, as the ledger keeps them.
//
// What does not belong here: real people. Subjects are numbers from 0, and their hashes are made up.
package ledgertest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Origin is the ledger that the records say they were made for.
const Origin = "G06/gateway"

// People is how many data subjects there are. A few of them are asked about far more often than most.
const People = 3_000_000

// Start is when the first record is made.
var Start = time.Date(2026, 3, 2, 7, 30, 0, 0, time.UTC)

// Records yields n records, always the same for a seed: canonical bytes of hubv1.LedgerRecord of some 550 bytes. A
// record is valid until the next one is asked for. One core makes some 400,000 a second.
//
// The hub is busy by day (200 records a second) and not by night (20). An officer works on a case for a few calls:
// of its purpose, about its people. One exchange in 25 is not answered. Writes have an intent before them, field lists
// a notice; one record in 300 is of somebody who reads the ledger.
func Records(seed uint64, n int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		g := newHub(seed)
		for range n {
			if !yield(g.next()) {
				return
			}
		}
	}
}

// Subject is the keyed hash of a person, as records have it.
func Subject(person int) (hash [16]byte) {
	binary.BigEndian.PutUint64(hash[:], mix(uint64(person)))
	binary.BigEndian.PutUint64(hash[8:], mix(uint64(person)+1<<40))
	return hash
}

// mix is the finaliser of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hub makes records.
type hub struct {
	rnd      *rand.Rand
	now      time.Time
	cases    [256]work
	serial   int
	known    map[string][]byte // digest by field list
	waiting  []*hubv1.LedgerRecord
	record   *hubv1.LedgerRecord
	exchange *hubv1.Exchange
	event    *hubv1.LedgerRecord_Exchange
	hashes   [64][16]byte
	buf      []byte
}

// work is a case that somebody works on.
type work struct {
	desk    *desk
	officer string
	dossier string
	purpose purpose
	people  []int
	left    int
}

func newHub(seed uint64) *hub {
	g := &hub{rnd: rand.New(rand.NewPCG(seed, 1)), now: Start, known: map[string][]byte{}}
	g.exchange = &hubv1.Exchange{Received: &timestamppb.Timestamp{}, Result: &hubv1.Result{}, Timings: &hubv1.Timings{},
		Id: make([]byte, 16), TraceId: make([]byte, 16), RequestDigest: make([]byte, 32), AnswerDigest: make([]byte, 32),
		MembersVersion: "4f6c1d2290ab37e5"}
	g.event = &hubv1.LedgerRecord_Exchange{Exchange: g.exchange}
	g.record = &hubv1.LedgerRecord{Time: &timestamppb.Timestamp{}, Origin: Origin, Event: g.event}
	g.say(&hubv1.Notice{About: &hubv1.Notice_Opened_{Opened: &hubv1.Notice_Opened{Clean: true, Version: "0.3.0"}}})
	return g
}

// next makes the next record.
func (g *hub) next() []byte {
	if len(g.waiting) == 0 {
		g.happen()
	}
	g.tick()
	record := g.record
	if len(g.waiting) > 0 {
		record, g.waiting = g.waiting[0], g.waiting[1:]
	}
	if record == g.record {
		record.Time.Seconds, record.Time.Nanos = g.now.Unix(), int32(g.now.Nanosecond())
	} else {
		record.Time = timestamppb.New(g.now)
	}
	// It fails for texts that are not UTF-8 alone, and all of them are ours.
	g.buf, _ = proto.MarshalOptions{Deterministic: true}.MarshalAppend(g.buf[:0], record)
	return g.buf
}

// tick lets time pass until the next record.
func (g *hub) tick() {
	mean := 5 * time.Millisecond
	if hour := g.now.Hour(); hour < 7 || hour >= 17 {
		mean = 50 * time.Millisecond
	}
	g.now = g.now.Add(time.Duration(g.rnd.ExpFloat64() * float64(mean)))
}

// happen makes what happens next: the exchange, and what is recorded before it.
func (g *hub) happen() {
	switch n := g.rnd.IntN(100_000); {
	case n < 300:
		g.wait(g.access())
	case n < 320:
		g.say(&hubv1.Notice{About: &hubv1.Notice_Refusals_{Refusals: g.refusals()}})
	case n < 321:
		g.wait(g.change())
	default:
		g.call()
	}
}

func (g *hub) wait(r *hubv1.LedgerRecord) {
	r.Origin = Origin
	g.waiting = append(g.waiting, r)
}

func (g *hub) say(n *hubv1.Notice) {
	g.wait(&hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Notice{Notice: n}})
}

// call makes an exchange. It goes to waiting only when something must be recorded before it.
func (g *hub) call() {
	w := g.work()
	r, m := g.ask(w)
	e := g.exchange
	g.ids(e)
	e.ConsumerAgency, e.ConsumerSystem, e.Certificate, e.Face = w.desk.agency, w.desk.system, w.desk.certificate, w.desk.face
	e.Officer, e.Case, e.Purpose, e.LegalBasis = w.officer, w.dossier, w.purpose.code, w.purpose.basis
	e.ProviderAgency, e.Jurisdiction, e.Agreement, e.AgreementVersion = r.provider, r.jurisdiction, r.agreement, 1
	e.Method, e.ContractDigest = fullNames[r.service+m.name], contracts[r.service]
	g.about(e, w, m)
	g.end(e, m)
	if m.write && e.DecideUs != 0 {
		g.wait(g.intent(e))
		if g.rnd.IntN(500) == 0 {
			g.doubt(e)
			return
		}
	}
	if len(g.waiting) > 0 {
		g.wait(g.record)
	}
}

// doubt says that nobody knows what came of a write.
func (g *hub) doubt(e *hubv1.Exchange) {
	g.say(&hubv1.Notice{About: &hubv1.Notice_InDoubt_{InDoubt: &hubv1.Notice_InDoubt{ExchangeId: bytes.Clone(e.Id)}}})
}

// fullNames and contracts are made once.
var fullNames, contracts = func() (map[string]string, map[string][]byte) {
	names, digests := map[string]string{}, map[string][]byte{}
	for _, d := range desks {
		for _, r := range d.routes {
			digests[r.service] = contract(r.service)
			for _, m := range r.methods {
				names[r.service+m.name] = r.service + "/" + m.name
			}
		}
	}
	return names, digests
}()

// work takes one of the cases that are worked on, or a new one in the place of one that is done.
func (g *hub) work() *work {
	w := &g.cases[g.rnd.IntN(len(g.cases))]
	if w.left == 0 {
		g.begin(w)
	}
	w.left--
	return w
}

func (g *hub) begin(w *work) {
	at := g.rnd.IntN(100)
	for i := range desks {
		w.desk = &desks[i]
		if at -= w.desk.weight; at < 0 {
			break
		}
	}
	g.serial++
	w.left = 1 + g.rnd.IntN(2*w.desk.calls)
	w.officer = fmt.Sprintf("%s.%03d", w.desk.system, g.skewed(w.desk.officers))
	w.dossier = fmt.Sprintf("000.00.19.%s-%s-%06d", w.desk.agency, g.now.Format("060102"), g.serial)
	w.purpose = w.desk.purposes[g.skewed(len(w.desk.purposes))]
	w.people = w.people[:0]
	for first := g.skewed(People - 8); len(w.people) < 6; {
		w.people = append(w.people, first+len(w.people)) // a household
	}
}

// skewed is less than n, and rather small.
func (g *hub) skewed(n int) int {
	u := g.rnd.Float64()
	return int(u * u * float64(n))
}

// ask picks what is asked.
func (g *hub) ask(w *work) (*route, *method) {
	r := &w.desk.routes[g.skewed(len(w.desk.routes))]
	total := 0
	for i := range r.methods {
		total += r.methods[i].weight
	}
	at := g.rnd.IntN(total)
	for i := range r.methods {
		if at -= r.methods[i].weight; at < 0 {
			return r, &r.methods[i]
		}
	}
	return r, &r.methods[0]
}

func (g *hub) ids(e *hubv1.Exchange) {
	binary.BigEndian.PutUint64(e.Id, uint64(g.now.UnixMilli())<<16|0x7000|uint64(g.rnd.IntN(1<<12)))
	binary.BigEndian.PutUint64(e.Id[8:], 1<<63|g.rnd.Uint64()>>2)
	for _, b := range [...][]byte{e.TraceId, e.RequestDigest, e.AnswerDigest[:cap(e.AnswerDigest)]} {
		for i := 0; i < len(b); i += 8 {
			binary.BigEndian.PutUint64(b[i:], g.rnd.Uint64())
		}
	}
}

// about says whom the exchange is about.
func (g *hub) about(e *hubv1.Exchange, w *work, m *method) {
	n := 0
	if m.people > 0 {
		n = 1 + g.rnd.IntN(m.people)
	}
	e.SubjectHashes, e.SubjectKey = e.SubjectHashes[:0], 1
	for i := range n {
		who := g.rnd.IntN(People)
		if i < len(w.people) {
			who = w.people[i]
		}
		g.hashes[i] = Subject(who)
		e.SubjectHashes = append(e.SubjectHashes, g.hashes[i][:])
	}
	e.Matched, e.Missed = uint32(n), 0
	e.RequestBytes = uint32(40 + 14*n + g.rnd.IntN(30))
}

// end says how the exchange went.
func (g *hub) end(e *hubv1.Exchange, m *method) {
	total := m.us * math.Exp(0.45*g.rnd.NormFloat64())
	if g.rnd.IntN(200) == 0 {
		total *= 20
	}
	began := g.now.Add(-time.Duration(total) * time.Microsecond)
	e.Received.Seconds, e.Received.Nanos = began.Unix(), int32(began.Nanosecond())
	e.TotalUs, e.DecideUs = uint32(total), uint32(20+g.rnd.IntN(60))
	e.CarryUs = e.TotalUs * 4 / 5
	e.Timings.QueueUs, e.Timings.RegistryUs, e.Timings.ConnectorUs = uint32(g.rnd.IntN(40)), e.TotalUs/2, uint32(60+g.rnd.IntN(60))
	e.Outcome, e.Reason = hubv1.Exchange_OUTCOME_ANSWERED, ""
	e.Result.Code, e.Result.Next = hubv1.Result_FOUND, hubv1.Result_USE_DATA
	e.AnswerBytes = uint32(len(m.released)*2 + g.rnd.IntN(200))
	e.AnswerDigest = e.AnswerDigest[:cap(e.AnswerDigest)]
	e.ReleasedDigest = g.list(m.released)
	if g.rnd.IntN(25) == 0 {
		g.fail(e)
	} else if g.rnd.IntN(12) == 0 {
		e.Result.Code, e.Result.Next = hubv1.Result_NO_MATCH, hubv1.Result_CHECK_INPUT
		e.Matched, e.Missed = 0, e.Matched
	}
}

// fail makes the exchange one that is not answered. A refusal comes before anybody is asked.
func (g *hub) fail(e *hubv1.Exchange) {
	at, total := 0, 0
	for _, f := range failures {
		total += f.weight
	}
	for n := g.rnd.IntN(total); n >= failures[at].weight; at++ {
		n -= failures[at].weight
	}
	f := failures[at]
	e.Outcome, e.Reason = hubv1.Exchange_Outcome(f.outcome), f.reason
	e.Result.Code, e.Result.Next, e.AnswerBytes, e.ReleasedDigest = 0, 0, 0, nil
	e.AnswerDigest, e.Matched = e.AnswerDigest[:0], 0
	switch f.outcome {
	case 2:
		e.TotalUs, e.DecideUs, e.CarryUs = uint32(60+g.rnd.IntN(90)), 0, 0
		e.SubjectHashes = e.SubjectHashes[:0]
	case 4:
		e.TotalUs = 5_000_000 + uint32(g.rnd.IntN(40_000))
	}
}

// list returns the digest of a field list, which is recorded before it is first named.
func (g *hub) list(text string) []byte {
	if digest, known := g.known[text]; known {
		return digest
	}
	sum := sha256.Sum256([]byte(text))
	g.known[text] = sum[:]
	g.say(&hubv1.Notice{About: &hubv1.Notice_Fields_{Fields: &hubv1.Notice_Fields{Lists: []string{text}}}})
	return sum[:]
}

// intent is recorded before a write.
func (g *hub) intent(e *hubv1.Exchange) *hubv1.LedgerRecord {
	i := &hubv1.Intent{ExchangeId: bytes.Clone(e.Id), ConsumerAgency: e.ConsumerAgency,
		ConsumerSystem: e.ConsumerSystem, Officer: e.Officer, Case: e.Case, Purpose: e.Purpose,
		ProviderAgency: e.ProviderAgency, Method: e.Method, Jurisdiction: e.Jurisdiction, Agreement: e.Agreement,
		AgreementVersion: e.AgreementVersion, SubjectKey: e.SubjectKey, RequestDigest: bytes.Clone(e.RequestDigest)}
	for _, s := range e.SubjectHashes {
		i.SubjectHashes = append(i.SubjectHashes, bytes.Clone(s))
	}
	return &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Intent{Intent: i}}
}

// access is somebody who reads the ledger.
func (g *hub) access() *hubv1.LedgerRecord {
	e := &hubv1.Exchange{Id: make([]byte, 16), TraceId: make([]byte, 16)}
	g.ids(e)
	who := Subject(g.skewed(People))
	a := &hubv1.Access{Id: e.Id, TraceId: e.TraceId, Received: timestamppb.New(g.now), Agency: "G06", System: "operator",
		Officer: fmt.Sprintf("op.%02d", g.rnd.IntN(12)), Role: hubv1.Access_ROLE_OPERATOR, Method: "Search",
		Filter: "outcome=REFUSED", Entries: uint32(g.rnd.IntN(51))}
	if g.rnd.IntN(3) == 0 {
		a.Method, a.Filter, a.SubjectHashes, a.SubjectKey = "ListCitizen", "", [][]byte{who[:]}, 1
	}
	return &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Access{Access: a}}
}

// refusals are equal ones that were counted.
func (g *hub) refusals() *hubv1.Notice_Refusals {
	d := &desks[g.rnd.IntN(len(desks))]
	return &hubv1.Notice_Refusals{ConsumerAgency: d.agency, ConsumerSystem: d.system, Reason: failures[g.rnd.IntN(6)].reason,
		Count: uint64(1 + g.rnd.IntN(4000)), First: timestamppb.New(g.now.Add(-time.Minute)), Last: timestamppb.New(g.now)}
}

// change is a new version of an agreement.
func (g *hub) change() *hubv1.LedgerRecord {
	d := &desks[g.rnd.IntN(len(desks))]
	return &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Change{Change: &hubv1.Change{Kind: hubv1.Change_KIND_AGREEMENT,
		Object: d.routes[0].agreement, Version: 2, Agency: "G06", System: "operator", Text: "valid for another year",
		Approvals: []string{"G01/steward"}}}}
}
