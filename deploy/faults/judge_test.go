package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/client"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

var id = uuid.MustParse("0195a3c2-7d54-7c11-9a77-3f2f0a6f1d20")

// exchangeRecord is the end of the exchange of these tests.
func exchangeRecord(outcome hubv1.Exchange_Outcome) *hubv1.LedgerRecord {
	return &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Exchange{Exchange: &hubv1.Exchange{
		Id: id[:], Case: "case", Outcome: outcome, AnswerDigest: []byte{1},
	}}}
}

func intentRecord() *hubv1.LedgerRecord {
	return &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Intent{Intent: &hubv1.Intent{ExchangeId: id[:], Case: "case"}}}
}

func notice(n *hubv1.Notice) *hubv1.LedgerRecord {
	return &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Notice{Notice: n}}
}

func inDoubt() *hubv1.LedgerRecord {
	return notice(&hubv1.Notice{About: &hubv1.Notice_InDoubt_{InDoubt: &hubv1.Notice_InDoubt{ExchangeId: id[:]}}})
}

func notAnswered() *hubv1.LedgerRecord {
	return notice(&hubv1.Notice{About: &hubv1.Notice_NotAnswered_{NotAnswered: &hubv1.Notice_NotAnswered{ExchangeIds: [][]byte{id[:]}}}})
}

// accountOf takes records at positions from 0.
func accountOf(records ...*hubv1.LedgerRecord) *account {
	a := &account{fates: map[string]*fate{}, cases: map[string]string{}, counted: map[string]uint64{}}
	for _, r := range records {
		a.take(a.next, r)
		a.next++
	}
	return a
}

const answered = hubv1.Exchange_OUTCOME_ANSWERED

func TestAnExchangeIsInOneStateOnly(t *testing.T) {
	end, failed := exchangeRecord(answered), exchangeRecord(hubv1.Exchange_OUTCOME_FAILED)
	for name, c := range map[string]struct {
		records []*hubv1.LedgerRecord
		wrong   bool
	}{
		"read and answered":                  {[]*hubv1.LedgerRecord{end}, false},
		"written and answered":               {[]*hubv1.LedgerRecord{intentRecord(), end}, false},
		"written and failed":                 {[]*hubv1.LedgerRecord{intentRecord(), failed}, false},
		"in doubt":                           {[]*hubv1.LedgerRecord{intentRecord(), inDoubt()}, false},
		"not answered":                       {[]*hubv1.LedgerRecord{intentRecord(), notAnswered()}, false},
		"recorded, and then not answered":    {[]*hubv1.LedgerRecord{end, notAnswered()}, false},
		"an intent without outcome":          {[]*hubv1.LedgerRecord{intentRecord()}, true},
		"two ends":                           {[]*hubv1.LedgerRecord{end, end}, true},
		"two intents":                        {[]*hubv1.LedgerRecord{intentRecord(), intentRecord(), end}, true},
		"in doubt and answered":              {[]*hubv1.LedgerRecord{intentRecord(), end, inDoubt()}, true},
		"the intent after the end":           {[]*hubv1.LedgerRecord{end, intentRecord()}, true},
		"in doubt twice":                     {[]*hubv1.LedgerRecord{intentRecord(), inDoubt(), inDoubt()}, true},
		"in doubt, and told as not answered": {[]*hubv1.LedgerRecord{intentRecord(), inDoubt(), notAnswered()}, true},
	} {
		require.Equal(t, c.wrong, accountOf(c.records...).ofCase("case").wrong() != "", name)
	}
}

func TestANoteThatTheLedgerContradictsIsAFinding(t *testing.T) {
	got := func(position string, digest byte) *note {
		return &note{Case: "case", Digest: []byte{digest}, Receipt: client.Receipt{Exchange: id.String(), Position: position}}
	}
	unavailable := &note{Case: "case", Receipt: client.Receipt{Exchange: id.String()}, Refusal: client.Refusal{Reason: "LEDGER_UNAVAILABLE"}}
	leak := *unavailable
	leak.Bytes = 1
	end := exchangeRecord(answered)
	for name, c := range map[string]struct {
		account *account
		note    *note
		want    kind
	}{
		"as it is":              {accountOf(end), got("G06/gateway:0", 1), ""},
		"no record":             {accountOf(), got("G06/gateway:0", 1), unrecorded},
		"only an intent":        {accountOf(intentRecord()), got("G06/gateway:0", 1), unrecorded},
		"another position":      {accountOf(end), got("G06/gateway:1", 1), otherRecord},
		"other bytes":           {accountOf(end), got("G06/gateway:0", 2), otherRecord},
		"said not to be":        {accountOf(end, notAnswered()), got("G06/gateway:0", 1), otherRecord},
		"said to have failed":   {accountOf(exchangeRecord(hubv1.Exchange_OUTCOME_FAILED)), got("G06/gateway:0", 1), otherRecord},
		"refused, and so said":  {accountOf(end, notAnswered()), unavailable, ""},
		"refused, and answered": {accountOf(end), unavailable, twoStates},
		"refused, and silence":  {accountOf(), unavailable, twoStates},
		"refused with bytes":    {accountOf(end, notAnswered()), &leak, leaked},
		"a reason, no record":   {accountOf(), &note{Case: "case", Refusal: client.Refusal{Reason: "NO_AGREEMENT"}}, unrecorded},
		"a reason, recorded":    {accountOf(exchangeRecord(hubv1.Exchange_OUTCOME_REFUSED)), &note{Case: "case", Refusal: client.Refusal{Reason: "NO_AGREEMENT"}}, ""},
		"no words of the hub":   {accountOf(), &note{Case: "case", Refusal: client.Refusal{Code: "Unavailable"}}, ""},
	} {
		r := new(result)
		(&judge{result: r, strict: true}).note(c.account, c.note)
		requireKind(t, c.want, r, name)
	}
}

func TestAChangeWithoutIntentIsAFinding(t *testing.T) {
	end := exchangeRecord(answered)
	lost := &note{Case: "case", Write: true, Refusal: client.Refusal{Code: "Unavailable"}}
	for name, c := range map[string]struct {
		account *account
		note    *note
		done    bool
		want    kind
	}{
		"answered and done":         {accountOf(intentRecord(), end), &note{Case: "case"}, true, ""},
		"answered and not done":     {accountOf(intentRecord(), end), &note{Case: "case"}, false, lostEffect},
		"done without a trace":      {accountOf(), lost, true, noIntent},
		"done, in doubt":            {accountOf(intentRecord(), inDoubt()), lost, true, ""},
		"recorded without intent":   {accountOf(end), &note{Case: "case"}, true, noIntent},
		"neither done nor intended": {accountOf(), lost, false, ""},
	} {
		r := new(result)
		(&judge{result: r}).effect(c.account, c.note, c.done)
		requireKind(t, c.want, r, name)
	}
}

func requireKind(t *testing.T, want kind, r *result, name string) {
	t.Helper()
	if want == "" {
		require.Empty(t, r.Findings, name)
		return
	}
	require.Len(t, r.Findings, 1, name)
	require.Equal(t, want, r.Findings[0].Kind, name)
}
