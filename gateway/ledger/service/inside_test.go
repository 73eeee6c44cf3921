package service

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

var reachNames = map[reach]string{none: "–", all: "all", consumed: "consumed", provided: "provided", own: "own"}

// table is rights for people.
func table() string {
	var b strings.Builder
	b.WriteString("| method |")
	for _, s := range standings {
		fmt.Fprintf(&b, " %s |", s.name)
	}
	b.WriteString("\n|---" + strings.Repeat("|---", len(standings)) + "|\n")
	for _, row := range rights {
		fmt.Fprintf(&b, "| %s |", row.method)
		for _, r := range row.reach {
			fmt.Fprintf(&b, " %s |", reachNames[r])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestTheREADMEHasTheTableThatDecides(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	require.Contains(t, string(text), table())
}

func TestEveryMethodOfTheServiceHasItsRow(t *testing.T) {
	methods := map[string]bool{}
	for _, row := range rights {
		require.False(t, methods[string(row.method)], "%s has two", row.method)
		methods[string(row.method)] = true
	}
	all := hubv1.File_hub_v1_ledger_service_proto.Services().ByName("LedgerService").Methods()
	require.Len(t, methods, all.Len())
	for i := range all.Len() {
		require.True(t, methods[string(all.Get(i).Name())], all.Get(i).Name())
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []*hubv1.Filter{
		{}, {Consumer: "H27/one-stop", Method: "GetPerson", Case: "042187001234", Reason: "NO_AGREEMENT"},
		{From: &timestamppb.Timestamp{Seconds: 1e9}, TraceId: "0af7651916cd43dd8448eb211c80319c", Kind: "access"},
		{Consumer: "H27/042187001234", Method: "a042187001234", Subject: &hubv1.DataSubject{Kind: 1, Value: "042187001234"}},
		{ExchangeId: "0190a5a0-7b1c-7000-8000-000000000001", Subject: &hubv1.DataSubject{Kind: 1, Value: "042187001234"}},
	} {
		data, err := proto.Marshal(seed)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		filter := new(hubv1.Filter)
		if proto.Unmarshal(data, filter) != nil {
			return
		}
		q, err := queryOf(filter)
		if err != nil {
			fault := reason.Of(err)
			require.Equal(t, reason.FilterInvalid, fault.Reason)
			require.Regexp(t, `^filter(\.[a-z_]+)?$`, fault.Field)
			return
		}
		text := words(filter)
		require.Regexp(t, `^[ -~]*$`, text, "printable")
		require.Equal(t, proto.Equal(filter, &hubv1.Filter{Subject: filter.GetSubject()}), text == "", "what selects is said")
		require.True(t, len(q.Exchange) == 0 || len(q.Exchange) == 16)
		require.True(t, len(q.Trace) == 0 || len(q.Trace) == 16)
		require.Nil(t, q.Subjects)
		if s := filter.GetSubject(); goodSubject(s, "x") == nil {
			require.NotContains(t, strings.NewReplacer(filter.GetTraceId(), "", filter.GetExchangeId(), "").Replace(text), s.GetValue())
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("", 1)
	f.Add(cursor{before: 7, parts: []string{"AAAA", ended}}.String(), 2)
	f.Add("AAAAAAAAAAc", 1)
	f.Fuzz(func(t *testing.T, text string, parts int) {
		if parts < 0 || parts > 2 {
			return
		}
		c, err := readCursor(text, parts)
		if err != nil {
			require.Equal(t, reason.CursorInvalid, reason.Of(err).Reason)
			return
		}
		require.Len(t, c.parts, parts)
		if text != "" {
			require.Equal(t, text, c.String(), "a cursor has one form")
		}
	})
}

func FuzzPosition(f *testing.F) {
	f.Add("G06/gateway:17")
	f.Add("042187001234:1")
	f.Fuzz(func(t *testing.T, text string) {
		seq, here, err := positionOf(text, "G06/gateway")
		if err == nil && here {
			require.Equal(t, fmt.Sprintf("G06/gateway:%d", seq), text)
		}
	})
}
