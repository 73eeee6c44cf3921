package index

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/ledger/ledgertest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// FuzzRecord compares what is read from a record's bytes with what their message says.
func FuzzRecord(f *testing.F) {
	for r := range ledgertest.Records(1, 400) {
		f.Add(slices.Clone(r))
	}
	for _, r := range oddRecords() {
		f.Add(r)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var got terms
		err := got.read(b)
		want := &hubv1.LedgerRecord{}
		if proto.Unmarshal(b, want) != nil {
			return
		}
		require.NoError(t, err)
		require.Equal(t, saidBy(want), said(&got))
	})
}

// oddRecords are not as the ledger would write them: with an event in two pieces, or two events.
func oddRecords() (odd [][]byte) {
	exchange := &hubv1.LedgerRecord{Time: &timestamppb.Timestamp{Seconds: 5, Nanos: 7}, Event: &hubv1.LedgerRecord_Exchange{
		Exchange: &hubv1.Exchange{Id: []byte("one"), Case: "1", SubjectHashes: [][]byte{[]byte("a")}, TotalUs: 3}}}
	change := &hubv1.LedgerRecord{Time: &timestamppb.Timestamp{Nanos: -8}, Event: &hubv1.LedgerRecord_Change{
		Change: &hubv1.Change{Object: "agreement", Officer: "officer", Reason: "reason"}}}
	agreement := &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Change{Change: &hubv1.Change{Kind: hubv1.Change_KIND_AGREEMENT}}}
	doubt := &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Notice{Notice: &hubv1.Notice{About: &hubv1.Notice_InDoubt_{
		InDoubt: &hubv1.Notice_InDoubt{ExchangeId: []byte("x")}}}}}
	unanswered := &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Notice{Notice: &hubv1.Notice{About: &hubv1.Notice_NotAnswered_{
		NotAnswered: &hubv1.Notice_NotAnswered{ExchangeIds: [][]byte{[]byte("y"), []byte("z")}}}}}}
	refusals := &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Notice{Notice: &hubv1.Notice{About: &hubv1.Notice_Refusals_{
		Refusals: &hubv1.Notice_Refusals{Count: 9, ConsumerAgency: "H27", First: &timestamppb.Timestamp{Seconds: -1}}}}}}
	parts := []*hubv1.LedgerRecord{exchange, change, agreement, doubt, unanswered, refusals}
	for _, a := range parts {
		for _, b := range parts {
			both := []byte{}
			for _, r := range []*hubv1.LedgerRecord{a, b} {
				both, _ = proto.MarshalOptions{Deterministic: true}.MarshalAppend(both, r)
			}
			odd = append(odd, both)
		}
	}
	return odd
}

// told is terms in a form that compares.
type told struct {
	time, first                                         int64
	kind                                                Kind
	agency, system, provider, method                    string
	purpose, officer, dossier, reason, agreement, trace string
	outcome                                             hubv1.Exchange_Outcome
	totalUS, requestBytes, answerBytes                  uint32
	refused                                             uint64
	ids, subjects, fields                               string
}

func said(t *terms) told {
	s := told{time: t.time, kind: t.kind, agency: string(t.agency), system: string(t.system), provider: string(t.provider),
		method: string(t.method), purpose: string(t.purpose), officer: string(t.officer), dossier: string(t.dossier),
		reason: string(t.reason), agreement: string(t.agreement), trace: string(t.trace), outcome: t.outcome,
		totalUS: t.totalUS, requestBytes: t.requestBytes, answerBytes: t.answerLen, refused: t.refused,
		ids: join(t.ids), subjects: join(t.subjects), fields: join(t.fields)}
	if t.first != nil {
		s.first = t.first.nanoseconds()
	}
	return s
}

// join leaves out what is empty: it is found by nothing.
func join(all [][]byte) (joined string) {
	for _, b := range all {
		if len(b) > 0 {
			joined += string(b) + "\x00"
		}
	}
	return joined
}

func saidBy(r *hubv1.LedgerRecord) told {
	s := told{time: r.GetTime().AsTime().UnixNano()}
	switch {
	case r.GetExchange() != nil:
		e := r.GetExchange()
		s.kind, s.agency, s.system, s.provider, s.method = KindExchange, e.GetConsumerAgency(), e.GetConsumerSystem(), e.GetProviderAgency(), e.GetMethod()
		s.purpose, s.officer, s.dossier, s.reason, s.agreement = e.GetPurpose(), e.GetOfficer(), e.GetCase(), e.GetReason(), e.GetAgreement()
		s.trace, s.outcome, s.totalUS, s.requestBytes, s.answerBytes = string(e.GetTraceId()), e.GetOutcome(), e.GetTotalUs(), e.GetRequestBytes(), e.GetAnswerBytes()
		s.ids, s.subjects = join([][]byte{e.GetId()}), join(e.GetSubjectHashes())
	case r.GetIntent() != nil:
		i := r.GetIntent()
		s.kind, s.agency, s.system, s.provider, s.method = KindIntent, i.GetConsumerAgency(), i.GetConsumerSystem(), i.GetProviderAgency(), i.GetMethod()
		s.purpose, s.officer, s.dossier, s.agreement = i.GetPurpose(), i.GetOfficer(), i.GetCase(), i.GetAgreement()
		s.ids, s.subjects = join([][]byte{i.GetExchangeId()}), join(i.GetSubjectHashes())
	case r.GetChange() != nil:
		c := r.GetChange()
		s.kind, s.agency, s.system, s.officer, s.reason = KindChange, c.GetAgency(), c.GetSystem(), c.GetOfficer(), c.GetReason()
		if c.GetKind() == hubv1.Change_KIND_AGREEMENT {
			s.agreement = c.GetObject()
		}
		if c.GetReason() != "" {
			s.outcome = hubv1.Exchange_OUTCOME_REFUSED
		}
	case r.GetAccess() != nil:
		a := r.GetAccess()
		s.kind, s.agency, s.system, s.method, s.officer, s.reason = KindAccess, a.GetAgency(), a.GetSystem(), a.GetMethod(), a.GetOfficer(), a.GetReason()
		s.trace, s.ids, s.subjects = string(a.GetTraceId()), join([][]byte{a.GetId()}), join(a.GetSubjectHashes())
		if a.GetReason() != "" {
			s.outcome = hubv1.Exchange_OUTCOME_REFUSED
		}
	case r.GetNotice() != nil:
		n, c := r.GetNotice(), r.GetNotice().GetRefusals()
		s.kind, s.ids = KindNotice, join(append(n.GetNotAnswered().GetExchangeIds(), n.GetInDoubt().GetExchangeId()))
		for _, list := range n.GetFields().GetLists() {
			s.fields += join([][]byte{[]byte(list)})
		}
		if c != nil {
			s.agency, s.system, s.reason, s.outcome, s.refused = c.GetConsumerAgency(), c.GetConsumerSystem(), c.GetReason(), hubv1.Exchange_OUTCOME_REFUSED, c.GetCount()
			s.method = c.GetMethod()
			if c.GetFirst() != nil {
				s.first = c.GetFirst().AsTime().UnixNano()
			}
		}
	}
	return s
}

// FuzzPage reads anything as a page of each kind, though its checksum would never be right.
func FuzzPage(f *testing.F) {
	p := &pager{write: func(_ column, _ string, data []byte) error { f.Add(slices.Clone(data)); return nil }}
	require.NoError(f, p.times([]int64{math.MinInt64, 0, 5, 5, 9}))
	require.NoError(f, p.pairs([]pair{{1, 2}, {3, 4}}))
	require.NoError(f, p.values(map[string]*[]uint16{"a": {1, 2}, "b": {5}}, 64))
	v, scratch := volumes{}, []byte{}
	v.add(&terms{kind: KindExchange, totalUS: 77, agency: []byte("H27")}, &scratch)
	require.NoError(f, p.volumes(v))
	head := (&sealed{size: 64}).head()
	f.Add(head)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = readPage(0, 0, "", b)
		_, _ = readHead(b)
		if len(b) < 5 {
			return
		}
		whole, found := page{body: b[5:]}, newSet(64)
		_ = whole.findPairs(keySpan(3), found)
		_, _ = whole.notBefore(3)
		_ = whole.entries(everything, func(key string, value []byte) error {
			_ = found.addOrdinals(value)
			_, _ = readSeries([]byte(key))
			return readMinutes(value, func(int64, *volume) {})
		})
	})
}

// FuzzCursor takes no cursor but its own.
func FuzzCursor(f *testing.F) {
	q := Query{Consumer: "H27"}
	f.Add(q.cursor(7))
	f.Add(q.cursor(7) + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		q.Cursor = text
		if seq, err := q.after(); err == nil {
			require.Equal(t, text, q.cursor(seq))
		}
	})
}

func TestOrdinalsAreReadAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{64, 128, 4096, 1 << 16}).Draw(t, "size")
		most := rapid.SampledFrom([]int{3, 70, 5000}).Draw(t, "most")
		ordinals := rapid.SliceOfNDistinct(rapid.Uint16Range(0, uint16(size-1)), 0, min(most, size), rapid.ID).Draw(t, "ordinals")
		slices.Sort(ordinals)
		b := appendOrdinals(nil, ordinals, size)
		require.LessOrEqual(t, len(b), size/8+3)
		s := newSet(size)
		require.NoError(t, s.addOrdinals(b))
		var up, down []uint16
		for o := s.first(0); o >= 0; o = s.first(o + 1) {
			up = append(up, uint16(o))
		}
		for o := s.last(size); o >= 0; o = s.last(o) {
			down = append(down, uint16(o))
		}
		slices.Reverse(down)
		require.True(t, slices.Equal(ordinals, up))
		require.True(t, slices.Equal(ordinals, down))
	})
}

func TestPairsAreSortedWhateverTheKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var k keys
		for i, key := range rapid.SliceOfN(rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 9), rapid.Just(uint64(math.MaxUint64))), 0, 300).Draw(t, "keys") {
			k.key, k.ordinal = append(k.key, key), append(k.ordinal, uint16(i))
		}
		got := k.sorted()
		require.Len(t, got, len(k.key))
		require.True(t, slices.IsSortedFunc(got, pair.compare))
	})
}

func TestALongerTimeHasNoLesserClass(t *testing.T) {
	last := byte(0)
	for n := range 1 << 12 {
		c := latencyClass(uint32(n) << 20)
		require.GreaterOrEqual(t, c, last)
		last = c
	}
	require.Less(t, latencyClass(math.MaxUint32), byte(latencyClasses))
	for us := range uint32(1 << 12) {
		require.LessOrEqual(t, latencyClass(us), latencyClass(us+1))
	}
}
