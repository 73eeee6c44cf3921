package service_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestPagesTogetherAreAllThatMayBeSeenEachOnceTheNewestFirst(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom([]string{"H27/one-stop", "H27/both", "G20/auditor"}).Draw(rt, "reader")
		pairs := rapid.SliceOfN(rapid.SampledFrom([][2]string{{"H27/one-stop", "G01"}, {"G24/claims", "H27"}, {"H27/other", "H27"}, {"G24/claims", "G01"}}), 1, 30).Draw(rt, "pairs")
		purpose := uuid.NewString()
		var want []uint64
		for _, p := range pairs {
			r := exchange(p[0], p[1])
			r.GetExchange().Purpose = purpose
			seq := w.keep(r)
			if name == "G20/auditor" || strings.HasPrefix(p[0], "H27") || p[1] == "H27" && name == "H27/both" {
				want = append(want, seq)
			}
		}
		slices.Reverse(want)
		limit := rapid.Uint32Range(1, 7).Draw(rt, "limit")
		between := rapid.Bool().Draw(rt, "more comes between pages")
		var got []uint64
		for cursor := ""; ; {
			page, err := w.as(name).Search(t.Context(), &hubv1.SearchRequest{Filter: &hubv1.Filter{Purpose: purpose}, Limit: limit, Cursor: cursor})
			if err != nil {
				rt.Fatal(err)
			}
			if n := len(page.GetEntries()); n > int(limit) || n == 0 && page.GetNextCursor() != "" {
				rt.Fatalf("%d entries", n)
			}
			for _, e := range page.GetEntries() {
				got = append(got, e.GetSeq())
			}
			if cursor = page.GetNextCursor(); cursor == "" {
				break
			}
			if between {
				r := exchange("H27/other", "H27")
				r.GetExchange().Purpose = purpose
				w.keep(r)
			}
		}
		if !slices.Equal(want, got) {
			rt.Fatalf("want %d, got %d", want, got)
		}
	})
}

func TestAPageIsNeverLongerThanAnAnswerMayBe(t *testing.T) {
	w := newWorld(t)
	for range 8 {
		r := exchange("H27/one-stop", "G01")
		r.GetExchange().Withheld = strings.Repeat("person.name,", 20_000) // 240 kB
		w.keep(r)
	}
	var seen int
	for cursor := ""; ; {
		page, err := w.as("H27/one-stop").Search(t.Context(), &hubv1.SearchRequest{Cursor: cursor, Limit: 500})
		require.NoError(t, err)
		require.Less(t, proto.Size(page), 1<<20)
		seen += len(page.GetEntries())
		if cursor = page.GetNextCursor(); cursor == "" {
			break
		}
	}
	require.Equal(t, 8, seen)
}

func TestACursorIsGoodForItsOwnQuestionAlone(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.keep(exchange("H27/one-stop", "G01"), exchange("G24/claims", "H27"))
	}
	page, err := w.as("H27/both").Search(t.Context(), &hubv1.SearchRequest{Limit: 2})
	require.NoError(t, err)
	good := page.GetNextCursor()
	require.NotEmpty(t, good)
	for _, request := range []*hubv1.SearchRequest{
		{Cursor: good, Filter: &hubv1.Filter{Case: "other"}}, {Cursor: good[:len(good)-1]}, {Cursor: good + "A"}, {Cursor: "AAAA" + good[4:] + "x"},
		{Cursor: "."}, {Cursor: strings.Repeat("A", 10_000)}, {Cursor: "=" + good}, {Cursor: good, Filter: &hubv1.Filter{Kind: "notice"}},
	} {
		_, err := w.as("H27/both").Search(t.Context(), request)
		refused(t, err, reason.CursorInvalid, "cursor")
	}
	_, err = w.as("H27/one-stop").Search(t.Context(), &hubv1.SearchRequest{Cursor: good})
	refused(t, err, reason.CursorInvalid, "cursor")
}

func TestAFilterThatIsNotWhatItShouldBeIsNamed(t *testing.T) {
	w := newWorld(t)
	at := func(s string) *timestamppb.Timestamp {
		parsed, err := time.Parse(time.DateOnly, s)
		require.NoError(t, err)
		return timestamppb.New(parsed)
	}
	for field, filters := range map[string][]*hubv1.Filter{
		"filter.from":        {{From: &timestamppb.Timestamp{Nanos: -1}}, {From: &timestamppb.Timestamp{Seconds: -62135596800}}, {From: &timestamppb.Timestamp{Seconds: 1 << 60}}},
		"filter.to":          {{From: at("2026-01-02"), To: at("2026-01-02")}, {From: at("2026-01-02"), To: at("2026-01-01")}, {To: &timestamppb.Timestamp{Seconds: 1 << 60}}},
		"filter.consumer":    {{Consumer: "h27"}, {Consumer: "H27/"}, {Consumer: "/x"}, {Consumer: "H27/x/y"}, {Consumer: "H27/*"}, {Consumer: "H27 "}, {Consumer: "H27\x00"}},
		"filter.provider":    {{Provider: "G01/registry"}, {Provider: "%"}, {Provider: "G"}},
		"filter.method":      {{Method: "a/b/c"}, {Method: "/GetPerson"}, {Method: "x.y/"}, {Method: "a b"}, {Method: "1"}, {Method: strings.Repeat("a", 257)}, {Method: "' OR 1=1 --"}},
		"filter.purpose":     {{Purpose: "a\nb"}, {Purpose: " x"}, {Purpose: strings.Repeat("x", 129)}},
		"filter.case":        {{Case: "Hoà"}, {Case: "x "}},
		"filter.officer":     {{Officer: "\x1b[31m"}, {Officer: strings.Repeat("x", 129)}},
		"filter.outcome":     {{Outcome: 6}, {Outcome: -1}},
		"filter.reason":      {{Reason: "no_agreement"}, {Reason: "NOT_A_REASON"}},
		"filter.agreement":   {{Agreement: "a/b"}, {Agreement: "-x"}, {Agreement: strings.Repeat("x", 65)}},
		"filter.min_latency": {{MinLatency: durationpb.New(-1)}, {MinLatency: durationpb.New(2 * time.Hour)}, {MinLatency: &durationpb.Duration{Seconds: 1, Nanos: -1}}},
		"filter.trace_id":    {{TraceId: "0AF7651916CD43DD8448EB211C80319C"}, {TraceId: strings.Repeat("0", 32)}, {TraceId: "0af7"}},
		"filter.exchange_id": {{ExchangeId: "x"}, {ExchangeId: uuid.Nil.String()}, {ExchangeId: strings.ToUpper(uuid.NewString() + "A")}, {ExchangeId: "{" + uuid.NewString() + "}"}},
		"filter.kind":        {{Kind: "Exchange"}, {Kind: "all"}},
		"filter.subject":     {{Subject: &hubv1.DataSubject{}}, {Subject: &hubv1.DataSubject{Kind: 1, Value: "12345678901a"}}, {Subject: &hubv1.DataSubject{Kind: 9, Value: "1"}}, {Subject: &hubv1.DataSubject{Kind: 4, Value: "dn4424221234567"}}},
	} {
		for _, f := range filters {
			_, err := w.as("G06/operator").Search(t.Context(), &hubv1.SearchRequest{Filter: f})
			refused(t, w.heard(err), reason.FilterInvalid, field)
			a := w.journal.last(t)
			require.Equal(t, string(reason.FilterInvalid), a.GetReason())
			require.Empty(t, a.GetFilter(), "what nobody checked is not recorded")
		}
	}
	_, err := w.as("G06/operator").Search(t.Context(), &hubv1.SearchRequest{Limit: 501})
	refused(t, err, reason.FilterInvalid, "limit")
	for _, request := range []*hubv1.ShowRequest{{}, {Position: "x"}, {Position: origin + ":"}, {Position: origin + ":01"}, {Position: origin + ":-1"}, {Position: ":1"}, {Position: origin + ":99999999999999999999"}} {
		_, err := w.as("G06/operator").Show(t.Context(), request)
		refused(t, err, reason.FilterInvalid)
	}
}

func TestAConsumerCannotFindOutWhoWasWithheldFromIt(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G13", "An")) // whose parcel it is was withheld
	c := w.as("H27/one-stop")
	_, err := c.Search(t.Context(), &hubv1.SearchRequest{Filter: &hubv1.Filter{Subject: subject("An")}})
	refused(t, err, reason.LedgerReadNotAllowed)
	require.Equal(t, hashes("An")[0], w.journal.last(t).GetSubjectHashes()[1], "whom it looked for is on record")
	both, err := w.as("H27/both").Search(t.Context(), &hubv1.SearchRequest{Filter: &hubv1.Filter{Subject: subject("An")}})
	require.NoError(t, err)
	require.Empty(t, both.GetEntries())
}

func TestAnEntryHasTheTextOfItsFieldLists(t *testing.T) {
	w := newWorld(t)
	text := "person.birth_date,person.name"
	r := exchange("H27/one-stop", "G01", "An")
	r.GetExchange().ReleasedDigest = digestOf(text)
	w.keep(notice(&hubv1.Notice{About: &hubv1.Notice_Fields_{Fields: &hubv1.Notice_Fields{Lists: []string{text}}}}), r)
	got, err := w.as("H27/one-stop").Show(t.Context(), &hubv1.ShowRequest{ExchangeId: uuid.UUID(r.GetExchange().GetId()).String()})
	require.NoError(t, err)
	require.Equal(t, text, got.GetEntry().GetRecord().GetExchange().GetReleased())
	require.Equal(t, digestOf(text), got.GetEntry().GetRecord().GetExchange().GetReleasedDigest())
}

func TestAnExchangeIsShownWithWhatIsRelatedAndWithNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	r, i := exchange("H27/one-stop", "G01", "An"), intent("H27/one-stop", "G01", "An")
	id := r.GetExchange().GetId()
	i.GetIntent().ExchangeId = id
	w.keep(i, r, notice(&hubv1.Notice{About: &hubv1.Notice_NotAnswered_{NotAnswered: &hubv1.Notice_NotAnswered{ExchangeIds: [][]byte{newID(), id, newID()}, More: 3}}}),
		notice(&hubv1.Notice{About: &hubv1.Notice_InDoubt_{InDoubt: &hubv1.Notice_InDoubt{ExchangeId: id}}}))
	for _, name := range []string{"H27/one-stop", "G06/operator"} {
		got, err := w.as(name).Show(t.Context(), &hubv1.ShowRequest{ExchangeId: uuid.UUID(id).String()})
		require.NoError(t, err)
		require.Equal(t, id, got.GetEntry().GetRecord().GetExchange().GetId())
		require.Len(t, got.GetRelated(), 3)
		ids := got.GetRelated()[1].GetRecord().GetNotice().GetNotAnswered().GetExchangeIds()
		require.Equal(t, name == "H27/one-stop", len(ids) == 1, "other exchanges are not this reader's")
	}
	_, err := w.as("G24/claims").Show(t.Context(), &hubv1.ShowRequest{ExchangeId: uuid.UUID(id).String()})
	refused(t, err, reason.EntryUnknown)
	require.Equal(t, string(reason.EntryUnknown), w.journal.last(t).GetReason())
}

func TestAnEntryThatIsInNoCheckpointYetIsToBeProvenLater(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G01", "An"))
	w.proven = 0
	_, err := w.as("H27/one-stop").Prove(t.Context(), &hubv1.ProveRequest{Position: origin + ":0"})
	refused(t, err, reason.NotYetProven)
}

func TestVolumesCountWhatMayBeSeenOnce(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G01"), exchange("H27/one-stop", "H27"), exchange("G24/claims", "H27"), exchange("G24/claims", "G01"))
	for name, want := range map[string]uint64{"G20/auditor": 4, "H27/one-stop": 2, "H27/both": 3, "G24/claims": 2, "G01/steward": 2} {
		for _, by := range [][]string{nil, {"day", "consumer", "provider", "method", "outcome"}} {
			got, err := w.as(name).ListVolumes(t.Context(), &hubv1.ListVolumesRequest{By: by})
			require.NoError(t, err)
			var count, bytes, latency uint64
			for _, v := range got.GetVolumes() {
				count, bytes = count+v.GetCount(), bytes+v.GetAnswerBytes()
				for _, n := range v.GetLatency() {
					latency += n
				}
			}
			require.Equal(t, []uint64{want, 10 * want, want}, []uint64{count, bytes, latency}, "%s by %v", name, by)
		}
	}
	for field, request := range map[string]*hubv1.ListVolumesRequest{
		"by": {By: []string{"minute", "day"}}, "from": {By: []string{"minute"}}, "consumer": {Consumer: "x"}, "provider": {Provider: "x"},
		"method": {Method: "/"}, "to": {From: timestamppb.New(time.Unix(2, 0)), To: timestamppb.New(time.Unix(1, 0))},
	} {
		_, err := w.as("G20/auditor").ListVolumes(t.Context(), request)
		refused(t, err, reason.FilterInvalid, field)
	}
}

func TestWhatIsNewBetweenPagesHidesNothingOld(t *testing.T) {
	w := newWorld(t)
	first := w.keep(exchange("H27/one-stop", "G01"), exchange("G24/claims", "H27"), exchange("G24/claims", "H27"), exchange("H27/one-stop", "G01"))
	var got []uint64
	for cursor := ""; ; {
		page, err := w.as("H27/both").Search(t.Context(), &hubv1.SearchRequest{Limit: 1, Cursor: cursor})
		require.NoError(t, err)
		for _, e := range page.GetEntries() {
			got = append(got, e.GetSeq()-first)
		}
		if cursor = page.GetNextCursor(); cursor == "" {
			break
		}
		w.keep(exchange("H27/one-stop", "H27"))
	}
	require.Equal(t, []uint64{3, 2, 1, 0}, got)
}
