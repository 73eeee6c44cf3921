package contract

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/internal/wire"
)

// Limits of a Tally. What passes them is refused, never left out.
const (
	MaxSubjects = 10_000 // different numbers in a tally
	MaxSubject  = 64     // bytes of a number
)

// ErrSubjects says that a message names more data subjects than MaxSubjects, or one by more than MaxSubject bytes.
var ErrSubjects = errors.New("too many data subjects, or a number too long")

// Subject is a person by one of their numbers.
type Subject struct {
	Kind  hubv1.Subject
	Value string
}

// Tally is whom an exchange is about and how many of them were found. The zero value is empty and ready; one Tally
// takes the question and then the answer. It is not safe for concurrent use.
type Tally struct {
	// Subjects are the people named, each number once, in the order of their first appearance.
	Subjects []Subject
	// Matched and Missed count people found and not found. What is not digitised counts as neither.
	Matched, Missed int

	seen map[Subject]struct{} // Subjects, once they are many
}

// fewSubjects is up to where a Tally looks for a subject one by one.
const fewSubjects = 16

// add takes a number, unless it is empty or there already.
func (t *Tally) add(kind hubv1.Subject, value []byte) error {
	if len(value) == 0 {
		return nil
	}
	if len(value) > MaxSubject {
		return ErrSubjects
	}
	if t.has(kind, value) {
		return nil
	}
	if len(t.Subjects) == MaxSubjects {
		return ErrSubjects
	}
	s := Subject{Kind: kind, Value: string(value)}
	t.Subjects = append(t.Subjects, s)
	if t.seen != nil {
		t.seen[s] = struct{}{}
	}
	return nil
}

// has reports whether the number was taken.
func (t *Tally) has(kind hubv1.Subject, value []byte) bool {
	if len(t.Subjects) <= fewSubjects {
		for _, s := range t.Subjects {
			if s.Kind == kind && s.Value == string(value) {
				return true
			}
		}
		return false
	}
	if t.seen == nil {
		t.seen = make(map[Subject]struct{}, 4*fewSubjects)
		for _, s := range t.Subjects {
			t.seen[s] = struct{}{}
		}
	}
	_, ok := t.seen[Subject{Kind: kind, Value: string(value)}]
	return ok
}

// Census finds on the wire whom a message of one type is about. It is safe for concurrent use.
type Census struct {
	root   *censusNode
	result int32 // number of the top-level result, 0 when there is none
}

// Count adds to t whom the message is about, and what it says was found: when the items of its lists and maps
// carry results of their own those count, else the message's own result. It fails with ErrMalformed, ErrDepth or
// ErrSubjects; then t may have been added to in part.
func (c *Census) Count(message []byte, t *Tally) error {
	w := censusWalk{tally: t}
	if c.root != nil {
		if err := w.message(c.root, message, 0, false); err != nil {
			return err
		}
	}
	if w.items == 0 && c.result != 0 {
		found, err := c.found(message)
		if err != nil {
			return err
		}
		w.count(found.code)
	}
	t.Matched += w.matched
	t.Missed += w.missed
	return nil
}

// Result reads the top-level result of an answer. It is empty when the answer does not have it set; it reports
// false when the message's type has none and when the message is malformed.
func (c *Census) Result(message []byte) (*hubv1.Result, bool) {
	if c.result == 0 {
		return nil, false
	}
	found, err := c.found(message)
	if err != nil {
		return nil, false
	}
	return &hubv1.Result{Code: found.code, Next: found.next}, true
}

// found is what a hub.v1.Result says.
type found struct {
	code hubv1.Result_Code
	next hubv1.Result_Next
}

// found reads the top-level result, its parts put together.
func (c *Census) found(message []byte) (found, error) {
	var f found
	for i := 0; i < len(message); {
		num, typ, at := wire.Tag(message, i)
		if at < 0 {
			return f, ErrMalformed
		}
		next, err := wire.Skip(message, at, num, typ)
		if err != nil {
			return f, err
		}
		if i = next; num != c.result || typ != wire.Bytes {
			continue
		}
		body, end := wire.Length(message, at)
		if err := f.merge(message[body:end]); err != nil {
			return f, err
		}
	}
	return f, nil
}

// AppendResult appends r to an answer as its top-level result. Decoding merges it with what the answer has: what r
// sets replaces, what it leaves unset stays. It returns the answer as it is when its type has no result.
func (c *Census) AppendResult(message []byte, r *hubv1.Result) []byte {
	if c.result == 0 {
		return message
	}
	body := make([]byte, 0, 8)
	if r.GetCode() != 0 {
		body = protowire.AppendVarint(protowire.AppendTag(body, resultCode, protowire.VarintType), uint64(r.GetCode()))
	}
	if r.GetNext() != 0 {
		body = protowire.AppendVarint(protowire.AppendTag(body, resultNext, protowire.VarintType), uint64(r.GetNext()))
	}
	message = protowire.AppendTag(message, protowire.Number(c.result), protowire.BytesType)
	return protowire.AppendBytes(message, body)
}

// Field numbers of hub.v1.Result; Check sees to it that a contract has the same.
const (
	resultCode = 1
	resultNext = 2
)

// merge reads a serialised Result into f.
func (f *found) merge(b []byte) error {
	for i := 0; i < len(b); {
		num, typ, at := wire.Tag(b, i)
		if at < 0 {
			return ErrMalformed
		}
		next, err := wire.Skip(b, at, num, typ)
		if err != nil {
			return err
		}
		if i = next; typ != wire.Varint {
			continue
		}
		v, _ := wire.Uvarint(b, at)
		switch num {
		case resultCode:
			f.code = hubv1.Result_Code(int32(v))
		case resultNext:
			f.next = hubv1.Result_Next(int32(v))
		}
	}
	return nil
}

// resultOf returns the top-level result field's number, or 0.
func resultOf(md protoreflect.MessageDescriptor) int32 {
	if fd := ResultField(md); fd != nil {
		return int32(fd.Number())
	}
	return 0
}
