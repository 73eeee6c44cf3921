package exchange

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// LogRecorder writes each record as one line of JSON, in order, and returns when the line was written. It stands
// where the ledger will: whom an exchange was about is counted and not written, for that needs keyed hashes.
type LogRecorder struct {
	mu   sync.Mutex
	w    io.Writer
	torn bool // the last line may be half there
}

// lines are reused from record to record.
var lines = sync.Pool{New: func() any { return new(line) }}

// NewLogRecorder writes to w.
func NewLogRecorder(w io.Writer) *LogRecorder { return &LogRecorder{w: w} }

// Append writes the record's line. Nothing of a half-written line is taken back: the exchange fails instead, and the
// next record has a line of its own.
func (r *LogRecorder) Append(_ context.Context, e Evidence) (Receipt, error) {
	return Receipt{}, r.append(e.Record)
}

func (r *LogRecorder) append(record *hubv1.LedgerRecord) error {
	if record.GetExchange() == nil {
		return nil
	}
	l := lines.Get().(*line)
	defer lines.Put(l)
	l.record(record)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.torn {
		if _, err := io.WriteString(r.w, "\n"); err != nil {
			return fmt.Errorf("write record: %w", err)
		}
		r.torn = false
	}
	if n, err := r.w.Write(*l); err != nil {
		r.torn = n > 0
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}

// shownDigest is how many bytes of a digest a line shows.
const shownDigest = 8

// line is a JSON object in the making.
type line []byte

// record makes the whole line.
func (l *line) record(record *hubv1.LedgerRecord) {
	e := record.GetExchange()
	*l = append((*l)[:0], `{"time":"`...)
	*l = record.GetTime().AsTime().AppendFormat(*l, time.RFC3339Nano)
	*l = append(*l, '"')
	l.text("origin", record.GetOrigin())
	l.text("exchange", uuid.UUID(e.GetId()).String())
	l.text("trace", hex.EncodeToString(e.GetTraceId()))
	l.text("face", e.GetFace())
	l.who(e)
	l.text("method", e.GetMethod())
	l.text("provider", e.GetProviderAgency())
	l.text("jurisdiction", e.GetJurisdiction())
	l.text("agreement", e.GetAgreement())
	l.number("agreement_version", e.GetAgreementVersion())
	l.text("members_version", e.GetMembersVersion())
	l.digest("contract", e.GetContractDigest())
	l.how(e)
	*l = append(*l, "}\n"...)
}

// who adds who asked, and why.
func (l *line) who(e *hubv1.Exchange) {
	l.text("consumer", e.GetConsumerAgency()+"/"+e.GetConsumerSystem())
	l.text("certificate", e.GetCertificate())
	l.text("officer", e.GetOfficer())
	l.text("case", e.GetCase())
	l.text("purpose", e.GetPurpose())
	l.text("legal_basis", e.GetLegalBasis())
	l.text("consent", e.GetConsent())
}

// how adds how it went.
func (l *line) how(e *hubv1.Exchange) {
	l.text("outcome", e.GetOutcome().String())
	l.text("reason", e.GetReason())
	if e.GetResult() != nil {
		l.text("result", e.GetResult().GetCode().String())
	}
	l.text("released", e.GetReleased())
	l.text("withheld", e.GetWithheld())
	l.number("subjects", int64(len(e.GetSubjects())))
	l.number("matched", int64(e.GetMatched()))
	l.number("missed", int64(e.GetMissed()))
	l.number("request_bytes", int64(e.GetRequestBytes()))
	l.number("answer_bytes", int64(e.GetAnswerBytes()))
	l.number("total_us", int64(e.GetTotalUs()))
	l.number("decide_us", int64(e.GetDecideUs()))
	l.number("carry_us", int64(e.GetCarryUs()))
	l.number("registry_us", int64(e.GetTimings().GetRegistryUs()))
}

// text adds a string, unless it is empty.
func (l *line) text(name, value string) {
	if value == "" {
		return
	}
	l.name(name)
	b := append(*l, '"')
	if plain(value) {
		b = append(b, value...)
	} else {
		b = appendEscaped(b, value)
	}
	*l = append(b, '"')
}

// plain reports whether a string needs no escapes. It looks at bytes: decoding the runes of every line would cost
// more than writing it. 0xE2 begins the line separators, and little else that is recorded.
func plain(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c == '"' || c == '\\' || c == 0x7f || c == 0xE2 {
			return false
		}
	}
	return utf8.ValidString(value)
}

func needsEscape(r rune) bool {
	return r < ' ' || r == '"' || r == '\\' || r == 0x7f || r == 0x2028 || r == 0x2029 || r == utf8.RuneError
}

func appendEscaped(b []byte, value string) []byte {
	for _, r := range value {
		if needsEscape(r) {
			b = fmt.Appendf(b, `\u%04x`, r)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// digest adds the beginning of a digest, as much as tells one from another, unless it is shorter.
func (l *line) digest(name string, value []byte) {
	if len(value) < shownDigest {
		return
	}
	l.name(name)
	*l = append(*l, '"')
	*l = hex.AppendEncode(*l, value[:shownDigest])
	*l = append(*l, '"')
}

// number adds a figure.
func (l *line) number(name string, value int64) {
	l.name(name)
	*l = strconv.AppendInt(*l, value, 10)
}

func (l *line) name(name string) {
	b := append(*l, `,"`...)
	b = append(b, name...)
	*l = append(b, `":`...)
}
