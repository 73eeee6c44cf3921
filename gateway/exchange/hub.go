// Package exchange is the path of one exchange: a question, and the answer that its agreement allows.
//
// Every face turns its request into the same Call and its answer from the same Reply; what happens in between is
// Hub.Do, read top to bottom.
//
// Invariants:
//   - One immutable policy decides an exchange from its first step to its last, and the record names the versions.
//   - Nothing of an answer is returned before the exchange's record was taken, and refusals are recorded too.
//   - No registry is asked to change something before the intent to do so was recorded.
//   - Only fields of the agreement leave.
//
// What does not belong here: protocols (face), how a call travels (courier), who may ask what (agreement, member),
// and where records are kept.
package exchange

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/meter"
	"github.com/lienthong/lienthong/gateway/policy"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// ID names an exchange: a UUIDv7.
type ID [16]byte

// String returns the id in the usual form of a UUID.
func (id ID) String() string { return uuid.UUID(id).String() }

// Call is a question as it comes from a face.
type Call struct {
	Face    string              // the protocol it came by, such as "grpc"
	Caller  *member.Certificate // who asks, by the certificate of the connection
	Method  string              // gRPC path, such as "/registry.land.v1.LandService/GetParcel"
	Purpose string              // coded purpose (lt-purpose)
	Case    string              // dossier (lt-case)
	Officer string              // account name of the officer (lt-officer)
	Fields  string              // paths of the answer, joined by commas; empty: all that is agreed (lt-fields)
	Consent string              // reference to the data subject's consent, carried and recorded (lt-consent)
	Request []byte              // the request message, serialised; not kept after Do

	// Unreadable says why the face could not read the question whole; then the exchange is refused with it.
	Unreadable error
}

// Reply is what a face makes its answer of. It comes with every outcome, failures too.
type Reply struct {
	Exchange ID
	Response []byte  // the answer's message, serialised, cut down to what is agreed; nil if there is none
	Withheld string  // what was asked for and withheld: leaf paths, joined by commas
	Keep     string  // the last day on which the answer may be kept, such as "2026-12-31"; empty if nothing is agreed
	Receipt  Receipt // of the ledger; empty if the exchange has no record of its own
}

// Recorder keeps the record of each exchange. Append returns when the record is on disk; nothing leaves before. It
// may change the record.
type Recorder interface {
	Append(ctx context.Context, e Evidence) (Receipt, error)
}

// Evidence is a record, and the bytes that it is about.
type Evidence struct {
	Record  *hubv1.LedgerRecord
	Request []byte // as the consumer sent it
	Answer  []byte // as it is about to be released; nil if nothing is
}

// Receipt is what the consumer keeps of an exchange.
type Receipt struct {
	Position string // in the ledger: "ORIGIN:SEQ"
	Key      string // by which it can show later which bytes were asked and answered: base64url
}

// Carrier takes a question to its registry.
type Carrier interface {
	Ask(ctx context.Context, q *courier.Question) (*hubv1.Answer, error)
}

// Guard stops those who guess numbers.
type Guard interface {
	// Check fails with ENUMERATION_STOPPED if the officer, or the whole agency, was stopped for this purpose.
	Check(agency, purpose, officer string) error
	// Count counts how many people of a question were found and how many not. decoy says that somebody was asked for
	// whom nobody has reason to ask.
	Count(agency, purpose, officer string, matched, missed uint32, subjects []*hubv1.DataSubject) (decoy bool)
}

// Meter bounds how much and how often is asked.
type Meter interface {
	// Take counts a call. It fails with QUOTA_EXCEEDED or FREQUENCY_EXCEEDED, and then has counted nothing.
	Take(ctx context.Context, u meter.Use) error
	// Keep counts an answer that the consumer must destroy after a day.
	Keep(agreement, consumer, provider, day string)
}

// Decider gives the policy that decides at a moment; an error says that nothing may be decided now, and the policy is
// there all the same, to be named in records. It must not block.
type Decider func(now time.Time) (*policy.Policy, error)

// Config says what a hub is made of.
type Config struct {
	Origin   string           // this gateway's name in records
	Policy   Decider          // the policy of a moment
	Guard    Guard            // nil: nobody is stopped for guessing
	Meter    Meter            // nil: nothing is counted, and what has a limit is refused
	Carrier  Carrier          // how questions travel
	Recorder Recorder         // where records are kept
	Observe  func(*Ended)     // told of each exchange after its record was taken; may be nil
	Tracer   trace.Tracer     // nil: no spans
	Log      *slog.Logger     // default: slog's default
	Now      func() time.Time // default time.Now
}

// Ended is an exchange that has ended, for those who count.
type Ended struct {
	Record *hubv1.Exchange
	Took   time.Duration
}

// Hub answers questions. It is safe for concurrent use.
type Hub struct{ cfg Config }

// New makes a hub.
func New(cfg Config) *Hub {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Hub{cfg: cfg}
}

// Do answers one question. The error is a *reason.Fault that may be shown to the consumer; the reply is never nil.
func (h *Hub) Do(ctx context.Context, call *Call) (*Reply, error) {
	x := h.begin(ctx, call)
	err := x.take(x.identify, x.admit, x.limit, x.intend, x.ask, x.release)
	err = x.record(err)
	return x.answer(err)
}

// begin opens an exchange: an id, a clock, and the policy that decides it.
func (h *Hub) begin(ctx context.Context, call *Call) *exchange {
	x := &exchange{hub: h, ctx: ctx, call: call, began: h.cfg.Now()}
	x.policy, x.stale = h.cfg.Policy(x.began)
	x.reply.Exchange = ID(uuid.Must(uuid.NewV7()))
	x.startSpan()
	return x
}
