package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// which names an entry, by its exchange or its position.
type which struct {
	ID string `arg:"" name:"id" help:"The exchange, such as 019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11, or the position, such as G06/gateway:17: both come with an answer."`
}

var positions = regexp.MustCompile(`^[A-Za-z0-9.]{1,32}/[A-Za-z0-9._-]{1,64}:[0-9]{1,20}$`)

// parse tells the two apart. What is neither is not repeated: it may be somebody's number.
func (w *which) parse() (exchange, at string, err error) {
	if id, ok := exchangeID(w.ID); ok {
		return id, "", nil
	}
	if positions.MatchString(w.ID) {
		return "", w.ID, nil
	}
	return "", "", usage("that is neither an exchange, such as 019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11, nor a position, such as G06/gateway:17; find it with: lienthong ledger search")
}

// ledgerShow shows one entry.
type ledgerShow struct {
	which

	storedFlag
	ledgerFlags
}

// shown is an entry and what else is recorded about its exchange, in JSON.
type shown struct {
	ledgerEntry
	Related []ledgerEntry `json:"related,omitempty"`
}

// Run shows the entry.
func (c *ledgerShow) Run(ctx context.Context, top *cli) error {
	exchange, at, err := c.parse()
	if err != nil {
		return err
	}
	if c.Stored != "" {
		return c.stored(ctx, top, exchange, at)
	}
	l, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	found, err := asked(ctx, l, l.Show, &hubv1.ShowRequest{ExchangeId: exchange, Position: at})
	if err != nil {
		return err
	}
	if top.JSON {
		return printJSON(shown{plainEntry(found.GetEntry()), plainEntries(found.GetRelated())})
	}
	return printEntry(found.GetEntry(), found.GetRelated())
}

// stored shows an entry of a ledger's directory.
func (c *ledgerShow) stored(ctx context.Context, top *cli, exchange, at string) error {
	s, err := openStoredLedger(c.Stored)
	if err != nil {
		return err
	}
	found, err := s.find(ctx, top, exchange, at)
	if err != nil {
		return err
	}
	if top.JSON {
		return printJSON(shown{ledgerEntry: plainEntry(found.entry())})
	}
	return printEntry(found.entry(), nil)
}

// printEntry prints an entry for people.
func printEntry(e *hubv1.LedgerEntry, related []*hubv1.LedgerEntry) error {
	r := e.GetRecord()
	rows := [][]string{{"position", position(e)}, {"recorded", clock(r.GetTime().AsTime()) + " +07:00"}}
	if x := r.GetExchange(); x != nil {
		rows = append(rows, exchangeRows(x)...)
	} else {
		rows = append(rows, otherRows(r)...)
	}
	var set [][]string
	for _, row := range rows {
		if row[1] != "" {
			set = append(set, row)
		}
	}
	if err := printTable([]string{"PART", "VALUE"}, set); err != nil {
		return err
	}
	if x := r.GetExchange(); x != nil {
		fmt.Fprintln(stdout)
		if err := printTable([]string{"STEP", "MS"}, stepRows(x)); err != nil {
			return err
		}
	}
	if len(related) == 0 {
		return nil
	}
	fmt.Fprintln(stdout, "\nalso recorded about it:")
	var others [][]string
	for _, e := range related {
		row := entryRow(e)
		row[len(row)-1] = position(e)
		others = append(others, row)
	}
	return printTable(entryHeader, others)
}

// exchangeRows are what is known of an exchange but how long it took.
func exchangeRows(x *hubv1.Exchange) [][]string {
	consumer := x.GetConsumerAgency() + "/" + x.GetConsumerSystem()
	if x.GetCertificate() != "" {
		consumer += "  (certificate " + x.GetCertificate() + ")"
	}
	purpose := x.GetPurpose()
	if x.GetLegalBasis() != "" {
		purpose += "  (" + x.GetLegalBasis() + ")"
	}
	agreement := x.GetAgreement()
	if agreement != "" {
		agreement += fmt.Sprintf(" v%d", x.GetAgreementVersion())
	}
	outcome := ended(x)
	if next := x.GetResult().GetNext(); next != hubv1.Result_NEXT_UNSPECIFIED {
		outcome += ", next " + next.String()
	}
	return [][]string{
		{"exchange", exchangeOf(&hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Exchange{Exchange: x}})},
		{"received", clock(x.GetReceived().AsTime()) + " +07:00 by " + x.GetFace()},
		{"consumer", consumer},
		{"officer", x.GetOfficer()},
		{"case", x.GetCase()},
		{"purpose", purpose},
		{"consent", x.GetConsent()},
		{"asked", x.GetMethod()},
		{"provider", strings.TrimSuffix(x.GetProviderAgency()+" in "+x.GetJurisdiction(), " in ")},
		{"agreement", agreement},
		{"outcome", outcome},
		{"released", fieldList(x.GetReleased())},
		{"withheld", fieldList(x.GetWithheld())},
		{"people", people(x)},
		{"bytes", fmt.Sprintf("%d asked, %d answered", x.GetRequestBytes(), x.GetAnswerBytes())},
		{"trace", hex.EncodeToString(x.GetTraceId())},
		{"members", x.GetMembersVersion()},
		{"contract", hex.EncodeToString(x.GetContractDigest())},
	}
}

// fieldList makes a list of paths readable.
func fieldList(paths string) string { return strings.ReplaceAll(paths, ",", ", ") }

// cellWidth is how long a list of fields may be in a table, in bytes. All of them are in show, and in JSON.
const cellWidth = 80

// fieldsInShort makes a list of paths fit a table: fields of the same message are joined, and of those that are too many
// for the cell only the number is said.
func fieldsInShort(paths string) string {
	if paths == "" {
		return ""
	}
	all := strings.Split(paths, ",")
	var parts []string
	for i := 0; i < len(all); {
		parent, name := cutLast(all[i])
		names := []string{name}
		for i++; i < len(all); i++ {
			p, name := cutLast(all[i])
			if p != parent {
				break
			}
			names = append(names, name)
		}
		switch {
		case parent == "":
			parts = append(parts, names...)
		case len(names) == 1:
			parts = append(parts, parent+"."+names[0])
		default:
			parts = append(parts, parent+".{"+strings.Join(names, ",")+"}")
		}
	}
	if text := strings.Join(parts, ", "); len(text) <= cellWidth {
		return text
	}
	return fmt.Sprintf("%d fields of %s", len(all), topsOf(all))
}

// cutLast cuts a path before its last name.
func cutLast(path string) (parent, name string) {
	i := strings.LastIndexByte(path, '.')
	return path[:max(0, i)], path[i+1:]
}

// topsOf are the first names of paths, as many as fit a cell.
func topsOf(paths []string) string {
	var tops []string
	for _, path := range paths {
		top, _, _ := strings.Cut(path, ".")
		if n := len(tops); n > 0 && tops[n-1] == top {
			continue
		}
		if len(strings.Join(tops, ", "))+len(top) > cellWidth/2 {
			return strings.Join(append(tops, "…"), ", ")
		}
		tops = append(tops, top)
	}
	return strings.Join(tops, ", ")
}

// people says how many the exchange was about; who they are is nowhere in the ledger.
func people(x *hubv1.Exchange) string {
	text := fmt.Sprintf("%d by hashes of their numbers", len(x.GetSubjectHashes()))
	if x.GetMatched()+x.GetMissed() > 0 {
		text += fmt.Sprintf("; %d asked for were found, %d not", x.GetMatched(), x.GetMissed())
	}
	return text
}

// stepRows say where the time went. Steps that are parts of another one are set in.
func stepRows(x *hubv1.Exchange) [][]string {
	less := func(a, b uint32) uint32 { return a - min(a, b) }
	t := x.GetTimings()
	inside := t.GetQueueUs() + t.GetRegistryUs() + t.GetConnectorUs()
	return [][]string{
		{"decide", ms(x.GetDecideUs())},
		{"carry", ms(x.GetCarryUs())},
		{"  wait for a worker", ms(t.GetQueueUs())},
		{"  registry", ms(t.GetRegistryUs())},
		{"  connector", ms(t.GetConnectorUs())},
		{"  bus and seal", ms(less(x.GetCarryUs(), inside))},
		{"release", ms(less(x.GetTotalUs(), x.GetDecideUs()+x.GetCarryUs()))},
		{"total, to the record", ms(x.GetTotalUs())},
	}
}

// otherRows are what is known of a record that is no exchange.
func otherRows(r *hubv1.LedgerRecord) [][]string {
	who, what, purpose, outcome, _ := happened(r)
	rows := [][]string{{"kind", kindOf(r)}, {"who", who}, {"what", what}, {"purpose", purpose}, {"outcome", outcome}}
	switch {
	case r.GetIntent() != nil:
		x := r.GetIntent()
		return append(rows, []string{"officer", x.GetOfficer()}, []string{"case", x.GetCase()}, []string{"asked", x.GetMethod()},
			[]string{"provider", x.GetProviderAgency()}, []string{"agreement", x.GetAgreement()})
	case r.GetAccess() != nil:
		x := r.GetAccess()
		return append(rows, []string{"exchange", exchangeOf(r)}, []string{"officer", x.GetOfficer()}, []string{"filter", x.GetFilter()},
			[]string{"certificate", x.GetCertificate()}, []string{"trace", hex.EncodeToString(x.GetTraceId())})
	case r.GetChange() != nil:
		x := r.GetChange()
		return append(rows, []string{"about", word(x.GetKind())}, []string{"text", x.GetText()}, []string{"officer", x.GetOfficer()},
			[]string{"certificate", x.GetCertificate()}, []string{"approved by", strings.Join(x.GetApprovals(), ", ")},
			[]string{"digest", hex.EncodeToString(x.GetDigest())})
	}
	return rows
}
