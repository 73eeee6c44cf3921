package population

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/person"
)

// done is what became of a write, once and for all.
type done struct {
	id person.ID
	at string // RFC 3339, UTC
}

// write is a request that changes the registry.
type write struct {
	method string
	id     string        // the caller's request id
	req    proto.Message // compared with a later request of the same id
	note   string        // kept with the request, may be empty
	do     func(context.Context, *sql.Tx) (person.ID, error)
}

// once runs a write unless its request id was used before: the same request then has the same answer again, and
// another is reason.IdempotencyConflict. The write and its request id are durable when once returns without error.
func (r *Registry) once(ctx context.Context, w write) (answer done, err error) {
	digest, err := digestOf(w.req)
	if err != nil {
		return done{}, err
	}
	err = r.db.InTx(ctx, func(tx *sql.Tx) error {
		var method string
		var before []byte
		found, err := one(r.ask.request.In(ctx, tx).QueryRow(ctx, w.id).Scan(&method, &before, &answer.id, &answer.at))
		switch {
		case err != nil:
			return err
		case found && (method != w.method || !bytes.Equal(before, digest)):
			return reason.IdempotencyConflict.At("request_id")
		case found:
			return nil
		}
		if answer.id, err = w.do(ctx, tx); err != nil {
			return err
		}
		answer.at = r.Now().UTC().Format(time.RFC3339)
		_, err = r.ask.keepRequest.In(ctx, tx).Exec(ctx, w.id, w.method, digest, string(answer.id), answer.at, orNull(w.note))
		return err
	})
	if err != nil {
		return done{}, err
	}
	return answer, nil
}

// digestOf is the SHA-256 of a request. One contract has one encoding.
func digestOf(req proto.Message) ([]byte, error) {
	wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	sum := sha256.Sum256(wire)
	return sum[:], nil
}

// checkRequestID checks the form that the contract gives a request id.
func checkRequestID(id string) error {
	switch {
	case id == "":
		return reason.FieldRequired.At("request_id")
	case len(id) < 8 || len(id) > 64:
		return reason.FieldInvalid.At("request_id")
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == ':', c == '-':
		default:
			return reason.FieldInvalid.At("request_id")
		}
	}
	return nil
}

// orNull is NULL for "".
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
