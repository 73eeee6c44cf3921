package service

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// writeJSON writes an entry as one line. Protobuf's own JSON has blanks here and there, so that nobody relies on where;
// without them an entry always has the same bytes.
func writeJSON(b *bytes.Buffer, entry *hubv1.LedgerEntry) error {
	line, err := protojson.Marshal(entry)
	if err != nil {
		return err
	}
	if err := json.Compact(b, line); err != nil {
		return err
	}
	return b.WriteByte('\n')
}

// columns are those of a CSV file, each with what it says of an entry. What a record of some kind does not have is empty.
var columns = []struct {
	name string
	cell func(*row) string
}{
	{"origin", func(r *row) string { return r.entry.GetOrigin() }},
	{"position", func(r *row) string { return strconv.FormatUint(r.entry.GetSeq(), 10) }},
	{"time", func(r *row) string { return r.entry.GetRecord().GetTime().AsTime().Format(time.RFC3339Nano) }},
	{"kind", func(r *row) string { return r.kind }},
	{"id", func(r *row) string { return uuidText(r.id) }},
	{"agency", func(r *row) string { return r.agency }},
	{"system", func(r *row) string { return r.system }},
	{"officer", func(r *row) string { return r.officer }},
	{"case", func(r *row) string { return r.dossier }},
	{"purpose", func(r *row) string { return r.purpose }},
	{"legal_basis", func(r *row) string { return r.x.GetLegalBasis() }},
	{"provider", func(r *row) string { return r.provider }},
	{"method", func(r *row) string { return r.method }},
	{"jurisdiction", func(r *row) string { return r.jurisdiction }},
	{"agreement", func(r *row) string { return r.agreement }},
	{"agreement_version", func(r *row) string { return number(r.version) }},
	{"outcome", func(r *row) string { return r.outcome }},
	{"reason", func(r *row) string { return r.reason }},
	{"result", func(r *row) string { return r.result }},
	{"released", func(r *row) string { return r.x.GetReleased() }},
	{"withheld", func(r *row) string { return r.x.GetWithheld() }},
	{"matched", func(r *row) string { return number(int64(r.x.GetMatched())) }},
	{"missed", func(r *row) string { return number(int64(r.x.GetMissed())) }},
	{"request_bytes", func(r *row) string { return number(int64(r.x.GetRequestBytes())) }},
	{"answer_bytes", func(r *row) string { return number(int64(r.x.GetAnswerBytes())) }},
	{"total_us", func(r *row) string { return number(int64(r.x.GetTotalUs())) }},
	{"in_doubt", func(r *row) string { return yes(r.x.GetInDoubt()) }},
	{"trace_id", func(r *row) string { return hex.EncodeToString(r.trace) }},
	{"subjects", func(r *row) string { return hashTexts(r.subjects) }},
	{"text", func(r *row) string { return r.text }},
}

// row is an entry, with what records of several kinds have in common.
type row struct {
	entry *hubv1.LedgerEntry
	x     *hubv1.Exchange // nil if it is of another kind

	kind, agency, system, officer, dossier, purpose, provider, method, jurisdiction string
	agreement, outcome, reason, result, text                                        string
	version                                                                         int64
	id, trace                                                                       []byte
	subjects                                                                        [][]byte
}

func rowOf(entry *hubv1.LedgerEntry) *row {
	r := &row{entry: entry}
	switch e := entry.GetRecord().GetEvent().(type) {
	case *hubv1.LedgerRecord_Exchange:
		r.exchange(e.Exchange)
	case *hubv1.LedgerRecord_Intent:
		r.intent(e.Intent)
	case *hubv1.LedgerRecord_Change:
		c := e.Change
		r.kind, r.agency, r.system, r.officer = "change", c.GetAgency(), c.GetSystem(), c.GetOfficer()
		r.version, r.reason, r.outcome = c.GetVersion(), c.GetReason(), refusedOr(c.GetReason())
		r.text = strings.ToLower(strings.TrimPrefix(c.GetKind().String(), "KIND_")) + " " + c.GetObject() + ": " + c.GetText()
	case *hubv1.LedgerRecord_Access:
		a := e.Access
		r.kind, r.id, r.agency, r.system, r.officer, r.method = "access", a.GetId(), a.GetAgency(), a.GetSystem(), a.GetOfficer(), a.GetMethod()
		r.reason, r.trace, r.subjects, r.text = a.GetReason(), a.GetTraceId(), a.GetSubjectHashes(), a.GetFilter()
		r.outcome = refusedOr(a.GetReason())
	case *hubv1.LedgerRecord_Notice:
		r.kind, r.text = "notice", noticeText(e.Notice)
	}
	return r
}

// refusedOr is the outcome of what is no exchange: nothing, but for a reason.
func refusedOr(reason string) string {
	if reason == "" {
		return ""
	}
	return outcomeText(hubv1.Exchange_OUTCOME_REFUSED)
}

func (r *row) exchange(x *hubv1.Exchange) {
	r.x, r.kind, r.id, r.trace, r.subjects = x, "exchange", x.GetId(), x.GetTraceId(), x.GetSubjectHashes()
	r.agency, r.system, r.officer, r.dossier, r.purpose = x.GetConsumerAgency(), x.GetConsumerSystem(), x.GetOfficer(), x.GetCase(), x.GetPurpose()
	r.provider, r.method, r.jurisdiction = x.GetProviderAgency(), x.GetMethod(), x.GetJurisdiction()
	r.agreement, r.version, r.outcome, r.reason = x.GetAgreement(), x.GetAgreementVersion(), outcomeText(x.GetOutcome()), x.GetReason()
	if x.GetResult() != nil {
		r.result = x.GetResult().GetCode().String()
	}
}

func (r *row) intent(i *hubv1.Intent) {
	r.kind, r.id, r.subjects = "intent", i.GetExchangeId(), i.GetSubjectHashes()
	r.agency, r.system, r.officer, r.dossier, r.purpose = i.GetConsumerAgency(), i.GetConsumerSystem(), i.GetOfficer(), i.GetCase(), i.GetPurpose()
	r.provider, r.method, r.jurisdiction = i.GetProviderAgency(), i.GetMethod(), i.GetJurisdiction()
	r.agreement, r.version = i.GetAgreement(), i.GetAgreementVersion()
}

// noticeText is a notice as one line of JSON.
func noticeText(n *hubv1.Notice) string {
	var b bytes.Buffer
	data, err := protojson.Marshal(n)
	if err != nil || json.Compact(&b, data) != nil {
		return ""
	}
	return b.String()
}

// writeHeader writes the first line of a CSV file.
func writeHeader(b *bytes.Buffer) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return writeCells(b, names)
}

// writeRow writes an entry as a line of CSV.
func writeRow(b *bytes.Buffer, entry *hubv1.LedgerEntry) error {
	r := rowOf(entry)
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = defused(c.cell(r))
	}
	return writeCells(b, cells)
}

// writeCells writes a line as RFC 4180 has it.
func writeCells(b *bytes.Buffer, cells []string) error {
	w := csv.NewWriter(b)
	w.UseCRLF = true
	if err := w.Write(cells); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// defused makes text of what a spreadsheet would run as a formula.
func defused(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// number is empty for nothing.
func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

func uuidText(id []byte) string {
	u, err := uuid.FromBytes(id)
	if err != nil {
		return ""
	}
	return u.String()
}

func hashTexts(hashes [][]byte) string {
	texts := make([]string, len(hashes))
	for i, h := range hashes {
		texts[i] = hex.EncodeToString(h)
	}
	return strings.Join(texts, " ")
}
