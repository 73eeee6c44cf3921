package service

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger/service/token"
	"github.com/lienthong/lienthong/gateway/member"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// reading is one read of the ledger, from the question to its Access.
type reading struct {
	server *Server
	method method
	began  time.Time
	cert   *member.Certificate
	caller member.Caller
	claims *token.Claims // of the citizen's token that was shown; nil without
	grant  grant
	scope  scope
	access *hubv1.Access
}

// errNoKey says that nobody can be looked for.
var errNoKey = errors.New("the ledger has no key for the hashes of data subjects")

// errPanic stands for what a panic said, which nobody knows to be fit for a log.
var errPanic = errors.New("panicked")

// maxAnswer is how long an answer is at most, in bytes.
const maxAnswer = 1 << 20

// answer makes the answer to one question: who asks is judged, the work is done, the Access is recorded, and only then
// there is an answer.
func answer[T proto.Message](ctx context.Context, s *Server, m method, do func(context.Context, *reading) (T, error)) (T, error) {
	r := s.begin(ctx, m)
	out, err := attempt(ctx, r, s.reads, func(ctx context.Context) (T, error) {
		ctx, cancel := s.within(ctx)
		defer cancel()
		return do(ctx, r)
	})
	if err == nil && proto.Size(out) > maxAnswer {
		err = reason.AnswerTooLarge // gRPC would say it only after it was recorded as given
	}
	if err != nil {
		r.access.Entries = 0
	}
	if err = r.record(ctx, err); err != nil {
		var nothing T
		return nothing, r.refuse(err)
	}
	return out, nil
}

// attempt does the work if the reader may have it done. A panic is a failure of this reading alone.
func attempt[T any](ctx context.Context, r *reading, g *gate, do func(context.Context) (T, error)) (out T, err error) {
	defer r.survive(&err)
	if err := r.identify(ctx); err != nil {
		return out, err
	}
	leave, err := g.enter(r.caller.ID.Agency)
	if err != nil {
		return out, err
	}
	defer leave()
	return do(ctx)
}

// survive makes a failure of a panic.
func (r *reading) survive(err *error) {
	if p := recover(); p != nil {
		r.server.cfg.Log.Error("reading the ledger panicked", "access", r.id(), "method", string(r.method), "stack", string(debug.Stack()))
		*err = reason.Internal.Because(errPanic)
	}
}

// begin opens a reading: an id, and what is known of the reader before anybody is judged.
func (s *Server) begin(ctx context.Context, m method) *reading {
	id := uuid.Must(uuid.NewV7())
	r := &reading{server: s, method: m, began: s.cfg.Now()}
	r.access = &hubv1.Access{Id: id[:], TraceId: id[:], Received: timestamppb.New(r.began), Method: string(m)}
	if cert, ok := member.FromContext(ctx); ok {
		r.cert = cert
		r.access.Agency, r.access.System, r.access.Certificate = cert.ID.Agency, cert.ID.System, cert.Serial
	}
	md, _ := metadata.FromIncomingContext(ctx)
	if t := traceOf(md); t != nil {
		r.access.TraceId = t
	}
	_ = grpc.SetHeader(ctx, metadata.Pairs(WordAccess, r.id())) // a reader without it has its answer all the same
	return r
}

func (r *reading) id() string { return uuid.UUID(r.access.GetId()).String() }

// identify says who reads and what the table gives them.
func (r *reading) identify(ctx context.Context) error {
	if err := r.judge(); err != nil {
		return err
	}
	md, _ := metadata.FromIncomingContext(ctx)
	officer, err := officerOf(md)
	if err != nil {
		return err
	}
	r.access.Officer = officer
	if err := r.readToken(md); err != nil {
		return err
	}
	return r.allow(false)
}

// judge says whether the reader is still one, and knows its roles as they are now.
func (r *reading) judge() error {
	if r.cert == nil {
		return reason.IdentityUnknown
	}
	caller, err := r.server.cfg.Members().Caller(r.cert, r.server.cfg.Now())
	if err != nil {
		return err
	}
	r.caller = caller
	return nil
}

// readToken takes the citizen's token, if one is shown. Whoever made it must still be one who may.
func (r *reading) readToken(md metadata.MD) error {
	text, err := one(md, WordCitizen)
	if err != nil || len(md[WordCitizen]) == 0 {
		return err
	}
	claims, err := r.server.cfg.Tokens.Read(text)
	if err != nil {
		return reason.TokenInvalid.At(WordCitizen)
	}
	r.claims = claims
	r.about(claims.Subjects, claims.Key)
	return r.judgeToken()
}

// judgeToken says whether the token may still be used.
func (r *reading) judgeToken() error {
	if r.claims == nil {
		return nil
	}
	holder, known := r.server.cfg.Members().Lookup(r.claims.Holder)
	_, may := allowed(methodIssueCitizenToken, holder.Roles, false)
	if !known || !may || holder.Status != member.Active || !r.server.cfg.Now().Before(r.claims.Expires) {
		return reason.TokenInvalid.At(WordCitizen)
	}
	return nil
}

// allow looks up what the reader may see with this method, and says by which role. byPerson says that somebody is
// looked for by number.
func (r *reading) allow(byPerson bool) error {
	g, ok := allowed(r.method, r.caller.Roles, r.claims != nil)
	var person []Hash
	if r.claims != nil {
		person = r.claims.Subjects
	}
	sees := g.scope(r.caller.ID.Agency, person, byPerson)
	if !ok || sees.empty() {
		r.grant, r.scope, r.access.Role = grant{}, scope{}, hubv1.Access_ROLE_UNSPECIFIED
		return reason.LedgerReadNotAllowed
	}
	r.grant, r.scope, r.access.Role = g, sees, g.role
	return nil
}

// again judges the reader once more, while a stream of theirs goes on.
func (r *reading) again(byPerson bool) error {
	if err := r.judge(); err != nil {
		return err
	}
	if err := r.judgeToken(); err != nil {
		return err
	}
	return r.allow(byPerson)
}

// about notes whom the reader looks for, by hashes of which key is the newest one's.
func (r *reading) about(hashes []Hash, key uint32) {
	r.access.SubjectHashes, r.access.SubjectKey = make([][]byte, len(hashes)), key
	for i := range hashes {
		r.access.SubjectHashes[i] = hashes[i][:]
	}
}

// record has the Access taken, with the reason if there is an error, and returns the error. If the record is not
// taken, nothing is answered, and the error says that instead.
func (r *reading) record(ctx context.Context, err error) error {
	r.access.Reason = ""
	if err != nil {
		r.access.Reason = string(reason.Of(err).Reason)
	}
	if kept := r.keep(ctx); kept != nil {
		r.server.cfg.Log.Error("reading of the ledger not recorded", "access", r.id(), "error", kept)
		return reason.LedgerUnavailable.Because(kept)
	}
	return err
}

// keep hands the record over, even if the reader has gone away meanwhile. A recorder that panics did not take it.
func (r *reading) keep(ctx context.Context) (err error) {
	defer r.survive(&err)
	record := &hubv1.LedgerRecord{
		Time: timestamppb.New(r.server.cfg.Now()), Origin: r.server.cfg.Origin,
		Event: &hubv1.LedgerRecord_Access{Access: proto.CloneOf(r.access)},
	}
	return r.server.cfg.Recorder.AppendAccess(context.WithoutCancel(ctx), record)
}

// refuse is what a reader hears of an error.
func (r *reading) refuse(err error) error {
	fault := reason.Of(err)
	if fault.Reason == reason.Internal {
		r.server.cfg.Log.Error("reading the ledger failed", "access", r.id(), "method", string(r.method), "error", fault.Cause)
	}
	return fault.GRPCStatus().Err()
}
