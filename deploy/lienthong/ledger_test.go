package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func TestMomentsAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-22":                     "2026-11-21T17:00:00Z",
		"2026-11-22T09:30":               "2026-11-22T02:30:00Z",
		"2026-11-22 09:30:15":            "2026-11-22T02:30:15Z",
		"2026-11-22T09:30:15.250":        "2026-11-22T02:30:15.25Z",
		"2026-11-22T09:30:00Z":           "2026-11-22T09:30:00Z",
		"2026-11-22T09:30:00+07:00":      "2026-11-22T02:30:00Z",
		"15m":                            "2026-11-22T09:45:00Z",
		"1h30m":                          "2026-11-22T08:30:00Z",
		"7d":                             "2026-11-15T10:00:00Z",
		"2w":                             "2026-11-08T10:00:00Z",
		"0s":                             "2026-11-22T10:00:00Z",
		"2026-11-22T09:30:00.123456789Z": "2026-11-22T09:30:00.123456789Z",
		"2024-02-29":                     "2024-02-28T17:00:00Z",
	} {
		got, err := moment(text, now, false)
		require.NoError(t, err, text)
		require.Equal(t, want, got.UTC().Format(time.RFC3339Nano), text)
	}
	end, err := moment("2026-11-22", now, true)
	require.NoError(t, err)
	require.Equal(t, "2026-11-22T17:00:00Z", end.UTC().Format(time.RFC3339), "until a day is until its end")
	for _, text := range []string{"", "yesterday", "-5m", "2026-02-30", "22/11/2026", "5", "99999999999999999999d", "36501d", "7 d", "d"} {
		_, err := moment(text, now, false)
		require.Error(t, err, text)
	}
}

func TestAgesAreReadInYearsToo(t *testing.T) {
	for text, want := range map[string]string{"90d": "2026-08-24", "26w": "2026-05-24", "2y": "2024-11-22", "36h": "2026-11-20"} {
		got, err := age(text, now)
		require.NoError(t, err, text)
		require.Equal(t, want, got.Format(time.DateOnly), text)
	}
	for _, text := range []string{"", "y", "-2y", "1000y", "old"} {
		_, err := age(text, now)
		require.Error(t, err, text)
	}
}

func TestNothingYoungerThanTwoYearsIsRemoved(t *testing.T) {
	for text, fine := range map[string]bool{"2y": true, "3y": true, "731d": true, "729d": false, "1y": false, "0s": false} {
		c := ledgerArchive{RemoveOlderThan: text}
		before, err := age(text, time.Now())
		require.NoError(t, err)
		_, err = c.allowed(before)
		require.Equal(t, fine, err == nil, text)
	}
}

func TestANumberIsKnownByItsForm(t *testing.T) {
	for number, want := range map[string]hubv1.Subject{
		"040094997317":         hubv1.Subject_SUBJECT_PERSONAL_ID,
		" 040 094 997 317\r\n": hubv1.Subject_SUBJECT_PERSONAL_ID,
		"186543210":            hubv1.Subject_SUBJECT_OLD_ID,
		"0123456789":           hubv1.Subject_SUBJECT_INSURANCE_NUMBER,
		"gd4010123456789":      hubv1.Subject_SUBJECT_CARD_NUMBER,
	} {
		got, err := subjectOf(number, "")
		require.NoError(t, err, number)
		require.Equal(t, want, got.GetKind(), number)
		require.NotContains(t, got.GetValue(), " ")
		require.Equal(t, strings.ToUpper(got.GetValue()), got.GetValue())
	}
	for _, c := range []struct{ number, kind string }{
		{"", ""}, {"04009499731", ""}, {"0400949973170", ""}, {"04009499731a", ""}, {"०४००९४९९७३१७", ""},
		{"040094997317", "old"}, {"186543210", "passport"},
	} {
		_, err := subjectOf(c.number, c.kind)
		require.Error(t, err)
		if c.number != "" {
			require.NotContains(t, err.Error(), c.number, "numbers are not repeated")
		}
	}
}

func TestWhatFollowsShowAndProveIsAnExchangeOrAPosition(t *testing.T) {
	const id = "019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11"
	exchange, at, err := (&which{strings.ToUpper(id)}).parse()
	require.NoError(t, err)
	require.Equal(t, id, exchange)
	require.Empty(t, at)
	exchange, at, err = (&which{"G06/gateway.2:17"}).parse()
	require.NoError(t, err)
	require.Empty(t, exchange)
	require.Equal(t, "G06/gateway.2:17", at)
	for _, text := range []string{"", "17", "040094997317", "G06/gateway", "G06/gateway:", "G06/gateway:x", "G06/gateway:-1", id + "0", id[:35], "019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a1g"} {
		_, _, err := (&which{text}).parse()
		require.Error(t, err, text)
		if len(text) > 2 {
			require.NotContains(t, err.Error(), "'"+text)
		}
		require.NotContains(t, err.Error(), "040094997317")
	}
}

func TestFiltersThatMeanNothingAreRefused(t *testing.T) {
	for _, f := range []filterFlags{
		{Since: "soon"}, {Until: "x"}, {Since: "2026-11-22", Until: "2026-11-20"}, {Since: "1h", Until: "2h"}, {MinLatency: -1},
		{Outcome: "fine"}, {Kind: "query"}, {Trace: "abc"}, {Trace: strings.Repeat("g", 32)}, {Exchange: "17"},
		{Subject: "040094997317"}, {SubjectKind: "old"},
	} {
		_, err := f.filter(t.Context(), now)
		require.ErrorAs(t, err, new(errUsage), "%+v", f)
		require.NotContains(t, err.Error(), "040094997317")
	}
	f := filterFlags{Since: "2026-11-22", Until: "2026-11-22", Outcome: "Timed-Out", Method: "/a.B/C", Reason: "no_agreement", Trace: strings.Repeat("A", 32)}
	got, err := f.filter(t.Context(), now)
	require.NoError(t, err)
	require.Equal(t, hubv1.Exchange_OUTCOME_TIMED_OUT, got.GetOutcome())
	require.Equal(t, "a.B/C", got.GetMethod())
	require.Equal(t, "NO_AGREEMENT", got.GetReason())
	require.Equal(t, strings.Repeat("a", 32), got.GetTraceId())
	require.Equal(t, 24*time.Hour, got.GetTo().AsTime().Sub(got.GetFrom().AsTime()))
}

func TestVolumesAreAddedUpBySensibleThings(t *testing.T) {
	q, err := (&ledgerVolumes{By: []string{"hour", "consumer"}, Since: "24h"}).question(now)
	require.NoError(t, err)
	require.Equal(t, []string{"hour", "consumer"}, q.GetBy())
	require.Equal(t, now.Add(-24*time.Hour), q.GetFrom().AsTime())
	require.Equal(t, now, q.GetTo().AsTime())
	_, err = (&ledgerVolumes{By: []string{"minute"}, Since: "30d"}).question(now)
	require.ErrorAs(t, err, new(errUsage))
	q, err = (&ledgerVolumes{By: []string{"none"}, Since: "24h"}).question(now)
	require.NoError(t, err)
	require.Empty(t, q.GetBy())
	for _, by := range [][]string{{"hour", "day"}, {"officer"}, {"consumer", "consumer"}} {
		_, err := (&ledgerVolumes{By: by, Since: "24h"}).question(now)
		require.ErrorAs(t, err, new(errUsage))
	}
}

func TestPercentilesAreUpperBounds(t *testing.T) {
	latency := make([]uint64, 25)
	latency[10], latency[12], latency[20] = 50, 49, 1
	require.Equal(t, uint64(1<<10), percentile(latency, 50))
	require.Equal(t, uint64(1<<12), percentile(latency, 99))
	require.Equal(t, uint64(1<<20), percentile(latency, 100))
	require.Zero(t, percentile(nil, 50))
	require.Zero(t, percentile(make([]uint64, 3), 99))
}

func TestSizesAreShownInTheirUnit(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 3 << 30: "3.0 GiB", 1 << 62: "4194304.0 TiB"} {
		require.Equal(t, want, byteSize(n))
	}
}

// exchangeEntry is an answered exchange at a position.
func exchangeEntry() *hubv1.LedgerEntry {
	id := uuid.MustParse("019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11")
	return &hubv1.LedgerEntry{Origin: "G06/gateway", Seq: 17, Record: &hubv1.LedgerRecord{
		Time: timestamppb.New(now),
		Event: &hubv1.LedgerRecord_Exchange{Exchange: &hubv1.Exchange{
			Id: id[:], Received: timestamppb.New(now), ConsumerAgency: "H27", ConsumerSystem: "one-stop", Purpose: "CT-TT", Case: "H27-1",
			Method: "registry.population.v1.PopulationService/GetResidence", ProviderAgency: "G01", Jurisdiction: "vn",
			Outcome: hubv1.Exchange_OUTCOME_ANSWERED, Result: &hubv1.Result{Code: hubv1.Result_FOUND, Next: hubv1.Result_USE_DATA},
			Released: "permanent.detail,permanent_since", Withheld: "personal_id", SubjectHashes: [][]byte{make([]byte, 16)},
			TotalUs: 4200, DecideUs: 200, CarryUs: 3500, Timings: &hubv1.Timings{QueueUs: 100, RegistryUs: 2800, ConnectorUs: 300},
			Matched: 1, Face: "grpc", TraceId: id[:],
		}},
	}}
}

func TestAnEntryIsALineOfATable(t *testing.T) {
	require.Equal(t, []string{"2026-11-22 17:00:00.000", "H27/one-stop", "GetResidence", "CT-TT", "answered FOUND", "4.2", "019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11"},
		entryRow(exchangeEntry()))
	require.Equal(t, []string{"2026-11-22 17:00:00.000", "H27/one-stop", "", "CT-TT", "H27-1", "G01 GetResidence", "answered FOUND",
		"019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11", "permanent.detail, permanent_since"}, citizenRow(exchangeEntry()))
}

func TestEveryKindOfRecordIsALine(t *testing.T) {
	notices := []*hubv1.Notice{
		{About: &hubv1.Notice_Opened_{Opened: &hubv1.Notice_Opened{CutBytes: 5}}}, {About: &hubv1.Notice_Closed_{Closed: &hubv1.Notice_Closed{}}},
		{About: &hubv1.Notice_InDoubt_{InDoubt: &hubv1.Notice_InDoubt{IntentSeq: 3}}}, {About: &hubv1.Notice_NotAnswered_{NotAnswered: &hubv1.Notice_NotAnswered{More: 2}}},
		{About: &hubv1.Notice_Refusals_{Refusals: &hubv1.Notice_Refusals{Count: 9}}}, {About: &hubv1.Notice_ClockBack_{ClockBack: &hubv1.Notice_ClockBack{BehindMs: 5}}},
		{About: &hubv1.Notice_Fields_{Fields: &hubv1.Notice_Fields{Lists: []string{"a"}}}}, {},
	}
	records := []*hubv1.LedgerRecord{
		{Event: &hubv1.LedgerRecord_Intent{Intent: &hubv1.Intent{Method: "a.B/C"}}},
		{Event: &hubv1.LedgerRecord_Access{Access: &hubv1.Access{Method: "Search", Role: hubv1.Access_ROLE_OPERATOR}}},
		{Event: &hubv1.LedgerRecord_Change{Change: &hubv1.Change{Kind: hubv1.Change_KIND_LEDGER_KEY, Object: "subject", Version: 2}}},
		{Event: &hubv1.LedgerRecord_Change{Change: &hubv1.Change{Kind: hubv1.Change_KIND_AGREEMENT, Text: "refused: ApproveAgreement", Reason: "ACT_NOT_ALLOWED"}}},
		{},
	}
	for _, n := range notices {
		records = append(records, &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Notice{Notice: n}})
	}
	stdout = io.Discard
	defer func() { stdout = os.Stdout }()
	seen := map[string]bool{}
	for _, r := range records {
		row := entryRow(&hubv1.LedgerEntry{Origin: "G06/gateway", Seq: 5, Record: r})
		require.Len(t, row, len(entryHeader))
		require.Equal(t, "G06/gateway:5", row[6])
		line := strings.Join(row, "|")
		require.False(t, seen[line], "%s says the same as another kind", line)
		seen[line] = true
		require.NoError(t, printEntry(&hubv1.LedgerEntry{Record: r}, nil))
		require.Len(t, citizenRow(&hubv1.LedgerEntry{Record: r}), len(citizenHeader))
	}
}

func TestShownTimesAddUpToTheWhole(t *testing.T) {
	var out bytes.Buffer
	stdout = &out
	defer func() { stdout = os.Stdout }()
	require.NoError(t, printEntry(exchangeEntry(), []*hubv1.LedgerEntry{exchangeEntry()}))
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, says := range []string{
		"exchange 019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11", "position G06/gateway:17", "received 2026-11-22 17:00:00.000 +07:00 by grpc",
		"outcome answered FOUND, next USE_DATA", "released permanent.detail, permanent_since", "withheld personal_id", "provider G01 in vn",
		"people 1 by hashes of their numbers; 1 asked for were found, 0 not",
		"decide 0.2 carry 3.5 wait for a worker 0.1 registry 2.8 connector 0.3 bus and seal 0.3 release 0.5 total, to the record 4.2", "also recorded",
	} {
		require.Contains(t, text, says)
	}
}

func TestRecordsInJSONHaveIDsInTheirUsualForm(t *testing.T) {
	data, err := json.Marshal(plainEntry(exchangeEntry()))
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, "G06/gateway:17", got["position"])
	require.Equal(t, "exchange", got["kind"])
	x := got["record"].(map[string]any)["exchange"].(map[string]any)
	require.Equal(t, got["exchange"], x["id"])
	require.Equal(t, "ANSWERED", x["outcome"])
	require.Equal(t, "FOUND", x["result"].(map[string]any)["code"])
	require.Equal(t, "019e3f5c7d0e7c3b9b3f2d8f5f0f6a11", x["trace_id"])
	require.Equal(t, "2026-11-22T10:00:00Z", x["received"])
	require.Equal(t, []any{strings.Repeat("0", 32)}, x["subject_hashes"])
}

func TestProgressSaysHowMuchIsLeft(t *testing.T) {
	require.Equal(t, "checking: 25 % of 400 records, 9s left", progressLine("checking", "records", 100, 400, 3*time.Second))
	require.Equal(t, "exporting: 100 entries, 3s", progressLine("exporting", "entries", 100, 0, 3*time.Second))
	require.Equal(t, "checking: 0 % of 400 records", progressLine("checking", "records", 0, 400, 3*time.Second))
}

func TestAFilterSelectsWhatItSays(t *testing.T) {
	r := exchangeEntry().GetRecord()
	day := timestamppb.New(now)
	for _, f := range []*hubv1.Filter{
		{}, {Kind: "exchange"}, {Consumer: "H27"}, {Consumer: "H27/one-stop"}, {Provider: "G01"}, {Method: "GetResidence"},
		{Method: "registry.population.v1.PopulationService"}, {Method: "registry.population.v1.PopulationService/GetResidence"}, {Purpose: "CT-TT"},
		{Case: "H27-1"}, {Outcome: hubv1.Exchange_OUTCOME_ANSWERED}, {MinLatency: durationpb.New(4200 * time.Microsecond)}, {From: day},
		{TraceId: "019e3f5c7d0e7c3b9b3f2d8f5f0f6a11"}, {ExchangeId: "019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11"},
	} {
		require.True(t, selects(f, r), f)
	}
	for _, f := range []*hubv1.Filter{
		{Kind: "access"}, {Consumer: "H2"}, {Consumer: "H27/other"}, {Provider: "G15"}, {Method: "GetRes"}, {Method: "registry"}, {Purpose: "X"},
		{Case: "H27"}, {Officer: "somebody"}, {Outcome: hubv1.Exchange_OUTCOME_REFUSED}, {Reason: "NO_AGREEMENT"}, {Agreement: "X"},
		{MinLatency: durationpb.New(4201 * time.Microsecond)}, {To: day}, {From: timestamppb.New(now.Add(1))}, {TraceId: "00"}, {ExchangeId: "00"},
		{Consumer: "H27", Purpose: "X"},
	} {
		require.False(t, selects(f, r), f)
	}
}

func FuzzNumbersAndMoments(f *testing.F) {
	for _, text := range []string{"040094997317", "GD4010123456789", "186 543 210", "2026-11-22", "7d", "2y", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if subject, err := subjectOf(text, ""); err == nil {
			again, err := subjectOf(subject.GetValue(), "")
			require.NoError(t, err)
			require.Equal(t, subject.GetValue(), again.GetValue(), "one way to write a number")
		}
		if at, err := moment(text, now, false); err == nil {
			end, err := moment(text, now, true)
			require.NoError(t, err)
			require.False(t, end.Before(at))
		}
		if before, err := age(text, now); err == nil {
			require.False(t, before.After(now))
		}
	})
}

func TestListsOfFieldsFitATable(t *testing.T) {
	for paths, want := range map[string]string{
		"":                            "",
		"personal_id":                 "personal_id",
		"a,b.c":                       "a, b.c",
		"current.code,current.detail": "current.{code,detail}",
		"person.birth_date,person.home.code,person.home.name,result":                                                     "person.birth_date, person.home.{code,name}, result",
		strings.TrimSuffix(strings.Repeat("current.some_long_name,", 9)+strings.Repeat("other.some_long_name,", 9), ","): "18 fields of current, other",
	} {
		require.Equal(t, want, fieldsInShort(paths))
	}
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf("message_%d.field", i))
	}
	require.LessOrEqual(t, utf8.RuneCountInString(fieldsInShort(strings.Join(many, ","))), cellWidth)
	require.NotContains(t, citizenRow(exchangeOfManyFields(many))[8], "message_999")
}

func exchangeOfManyFields(paths []string) *hubv1.LedgerEntry {
	e := exchangeEntry()
	e.Record.GetExchange().Released = strings.Join(paths, ",")
	return e
}

func TestAStoredRecordKeepsTheListThatStandsInIt(t *testing.T) {
	s := &storedLedger{lists: map[string]string{}}
	long := sha256.Sum256([]byte("a,b"))
	s.spell(&hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Notice{Notice: &hubv1.Notice{About: &hubv1.Notice_Fields_{Fields: &hubv1.Notice_Fields{Lists: []string{"a,b"}}}}}})
	x := &hubv1.Exchange{Released: "short", WithheldDigest: long[:]}
	s.spell(&hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Exchange{Exchange: x}})
	require.Equal(t, "short", x.GetReleased())
	require.Equal(t, "a,b", x.GetWithheld())
}

func TestNoCellOfATableMovesTheTerminal(t *testing.T) {
	for _, evil := range []string{"a\x1b[2Jb", "a\u202eb", "a\u2028b", "a\x9b2Jb", "a\nb", "a\u200bb"} {
		var out bytes.Buffer
		defer func(w io.Writer) { stdout = w }(stdout)
		stdout = &out
		require.NoError(t, printTable([]string{"H"}, [][]string{{evil}}))
		require.NoError(t, (&lines{widths: []int{3}}).print([]string{"H"}, []string{evil}))
		require.NotContains(t, out.String(), evil)
	}
	require.False(t, strings.ContainsFunc("Đặng Thị Kim Hạnh", unfit))
}
