package exchange

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/google/uuid"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// LogRecorder writes each record as one line of JSON, in order, and returns when the line was written. It stands
// where the ledger will: whom an exchange was about is counted and not written, for that needs keyed hashes.
type LogRecorder struct {
	mu  sync.Mutex
	out *failing
	log *slog.Logger
}

// NewLogRecorder writes to w.
func NewLogRecorder(w io.Writer) *LogRecorder {
	out := &failing{w: w}
	return &LogRecorder{out: out, log: slog.New(slog.NewJSONHandler(out, nil))}
}

// failing remembers what a logger forgets: that a write failed.
type failing struct {
	w   io.Writer
	err error
}

func (f *failing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	f.err = err
	return n, err
}

// Append writes the record's line.
func (r *LogRecorder) Append(ctx context.Context, record *hubv1.LedgerRecord) error {
	e := record.GetExchange()
	attrs := []slog.Attr{
		slog.String("origin", record.GetOrigin()),
		slog.String("exchange", uuid.UUID(e.GetId()).String()),
		slog.String("trace", hex.EncodeToString(e.GetTraceId())),
		slog.String("face", e.GetFace()),
		slog.String("consumer", e.GetConsumerAgency()+"/"+e.GetConsumerSystem()),
		slog.String("certificate", e.GetCertificate()),
		slog.String("officer", e.GetOfficer()),
		slog.String("case", e.GetCase()),
		slog.String("purpose", e.GetPurpose()),
		slog.String("consent", e.GetConsent()),
		slog.String("legal_basis", e.GetLegalBasis()),
		slog.String("provider", e.GetProviderAgency()),
		slog.String("method", e.GetMethod()),
		slog.String("jurisdiction", e.GetJurisdiction()),
		slog.String("agreement", e.GetAgreement()),
		slog.Int64("agreement_version", e.GetAgreementVersion()),
		slog.String("outcome", e.GetOutcome().String()),
		slog.String("reason", e.GetReason()),
		slog.String("result", e.GetResult().GetCode().String()),
		slog.String("released", e.GetReleased()),
		slog.String("withheld", e.GetWithheld()),
		slog.Int("subjects", len(e.GetSubjects())),
		slog.Uint64("matched", uint64(e.GetMatched())),
		slog.Uint64("missed", uint64(e.GetMissed())),
		slog.Uint64("request_bytes", uint64(e.GetRequestBytes())),
		slog.Uint64("answer_bytes", uint64(e.GetAnswerBytes())),
		slog.Uint64("total_us", uint64(e.GetTotalUs())),
		slog.Uint64("decide_us", uint64(e.GetDecideUs())),
		slog.Uint64("carry_us", uint64(e.GetCarryUs())),
		slog.Uint64("registry_us", uint64(e.GetTimings().GetRegistryUs())),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.err = nil
	r.log.LogAttrs(ctx, slog.LevelInfo, "exchange", attrs...)
	if r.out.err != nil {
		return fmt.Errorf("write record: %w", r.out.err)
	}
	return nil
}
