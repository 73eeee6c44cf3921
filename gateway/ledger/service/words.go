package service

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"

	"github.com/lienthong/lienthong/proto/reason"
)

// Names of the metadata that a reader may send, and of what it gets.
const (
	WordOfficer = "lt-officer"  // account name of the officer
	WordCitizen = "lt-citizen"  // a citizen's token
	WordAccess  = "lt-exchange" // of the answer: id of the Access that was recorded
	wordTrace   = "traceparent"
)

// maxWord is the longest officer, in bytes.
const maxWord = 128

// one is the metadata entry of a name; "" if there is none. One that comes twice is refused: two readers of it could
// take different ones.
func one(md metadata.MD, name string) (string, error) {
	switch values := md[name]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", reason.MetadataInvalid.At(name)
}

// officerOf is the officer that a reader names.
func officerOf(md metadata.MD) (string, error) {
	officer, err := one(md, WordOfficer)
	if err != nil {
		return "", err
	}
	if !isWord(officer) {
		return "", reason.MetadataInvalid.At(WordOfficer)
	}
	return officer, nil
}

// isWord reports whether a text of a caller may be recorded and shown as it is: printable ASCII, with no blanks around
// it that nobody would see.
func isWord(s string) bool {
	if len(s) > maxWord || s != "" && (s[0] == ' ' || s[len(s)-1] == ' ') {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// traceOf is the reader's W3C trace id; nil if it sent none, or no good one.
func traceOf(md metadata.MD) []byte {
	if len(md[wordTrace]) != 1 {
		return nil
	}
	carrier := propagation.MapCarrier{wordTrace: md[wordTrace][0]}
	sc := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
	if !sc.HasTraceID() {
		return nil
	}
	id := sc.TraceID()
	return id[:]
}
