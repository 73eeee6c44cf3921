package civilstatus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/person"
	"github.com/lienthong/lienthong/services/store"
)

// registration is one attempt to enter an event, inside its transaction.
type registration struct {
	tx    *sql.Tx
	write *writes
	names *catalogue
	today person.Date
	clock string // hours and minutes in Viet Nam now
}

// request is a request to enter something.
type request interface {
	proto.Message
	GetRequestId() string
}

// once runs enter for a request id that was not answered before, and otherwise gives the entry that was made then.
// The entry is in record afterwards. It fails with reason.IdempotencyConflict if the id was used for another
// request, and with what enter fails with; then nothing was written.
func (r *Registry) once(ctx context.Context, method string, req request, record proto.Message, enter func(*registration) error) error {
	if !isRequestID(req.GetRequestId()) {
		if req.GetRequestId() == "" {
			return reason.FieldRequired.At("request_id")
		}
		return reason.FieldInvalid.At("request_id")
	}
	digest, err := digestOf(method, req)
	if err != nil {
		return failed(ctx, err)
	}
	err = r.db.InTx(ctx, func(tx *sql.Tx) error {
		now := r.Now().In(person.Zone)
		reg := &registration{tx: tx, write: &r.write, names: r.catalogue.Load(), today: person.DateOf(now), clock: now.Format("15:04")}
		mine, err := reg.claim(ctx, req.GetRequestId(), digest, record)
		if err != nil || !mine {
			return err
		}
		if err := enter(reg); err != nil {
			return err
		}
		return reg.answer(ctx, req.GetRequestId(), record)
	})
	if err != nil {
		return failed(ctx, err)
	}
	return nil
}

// claim takes the request id for this transaction. If it was answered before, it is not mine and the answer is in
// record.
func (g *registration) claim(ctx context.Context, id string, digest []byte, record proto.Message) (mine bool, err error) {
	changed, err := g.exec(ctx, g.write.claim, id, digest)
	if err != nil || changed {
		return changed, err
	}
	var before, page []byte
	if err := g.row(ctx, g.write.claimed, id).Scan(&before, &page); err != nil {
		return false, fmt.Errorf("read request: %w", err)
	}
	if !bytes.Equal(before, digest) {
		return false, reason.IdempotencyConflict.At("request_id")
	}
	return false, proto.Unmarshal(page, record)
}

func (g *registration) answer(ctx context.Context, id string, record proto.Message) error {
	page, err := proto.Marshal(record)
	if err != nil {
		return err
	}
	_, err = g.exec(ctx, g.write.answer, id, page)
	return err
}

// exec runs a statement in the transaction and reports whether it changed a row.
func (g *registration) exec(ctx context.Context, s *store.Stmt, args ...any) (bool, error) {
	result, err := s.In(ctx, g.tx).Exec(ctx, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

func (g *registration) row(ctx context.Context, s *store.Stmt, args ...any) *sql.Row {
	return s.In(ctx, g.tx).QueryRow(ctx, args...)
}

// digestOf tells requests apart. Two serialisations of one request are equal as long as no message has a map.
func digestOf(method string, req proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(append([]byte(method), 0), req)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}

const (
	minRequestID = 8
	maxRequestID = 64
)

func isRequestID(s string) bool {
	if len(s) < minRequestID || len(s) > maxRequestID {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
