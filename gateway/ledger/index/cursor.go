package index

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCursor says that a cursor is not one of this query's.
var ErrCursor = errors.New("cursor does not belong to this search: begin again without one")

// A cursor is the position of the last hit, and a digest over it and the query: so one that was made up, cut short or
// given to another query is refused. The subjects are not in it: a new key of the ledger changes their hashes.
const cursorBytes = 16

func (q *Query) cursor(seq uint64) string {
	b := binary.BigEndian.AppendUint64(nil, seq)
	return base64.RawURLEncoding.EncodeToString(append(b, q.digest(seq)...))
}

// after returns the position that the query's cursor says.
func (q *Query) after() (uint64, error) {
	b, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil || len(b) != cursorBytes {
		return 0, ErrCursor
	}
	seq := binary.BigEndian.Uint64(b)
	if q.cursor(seq) != q.Cursor {
		return 0, ErrCursor
	}
	return seq, nil
}

func (q *Query) digest(seq uint64) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d %q %d %d %q", seq, q.Kinds, nanos(q.From), nanos(q.To), []string{q.Consumer, q.Provider, q.Method,
		q.Purpose, q.Case, q.Officer, q.Reason, q.Agreement, string(q.Trace), string(q.Exchange), q.Scope.Consumer,
		q.Scope.Provider})
	fmt.Fprintf(h, "%d %d %t %t %t %d", q.Outcome, q.MinLatency, len(q.Subjects) > 0, len(q.Scope.Subjects) > 0,
		q.OldestFirst, q.After)
	return h.Sum(nil)[:cursorBytes-8]
}
