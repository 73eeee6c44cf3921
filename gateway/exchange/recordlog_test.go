package exchange_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/exchange"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// record is one about a person.
func record(officer string) *hubv1.LedgerRecord {
	return &hubv1.LedgerRecord{Time: timestamppb.New(time.Unix(1, 0)), Origin: "G06/gateway", Event: &hubv1.LedgerRecord_Exchange{Exchange: &hubv1.Exchange{
		Id: make([]byte, 16), TraceId: make([]byte, 16), Officer: officer, ConsumerAgency: "H27", ConsumerSystem: "one-stop",
		Outcome: hubv1.Exchange_OUTCOME_ANSWERED, AnswerBytes: 7,
		Subjects: []*hubv1.DataSubject{{Kind: hubv1.Subject_SUBJECT_PERSONAL_ID, Value: "042187001234"}},
	}}}
}

func TestARecordIsALineThatNamesNoDataSubject(t *testing.T) {
	var out bytes.Buffer
	appendTo(t, exchange.NewLogRecorder(&out), record("an.nv"))
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.NotContains(t, out.String(), "042187001234")
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	require.Equal(t, "H27/one-stop", got["consumer"])
	require.Equal(t, "OUTCOME_ANSWERED", got["outcome"])
	require.EqualValues(t, 1, got["subjects"])
	require.EqualValues(t, 7, got["answer_bytes"])
}

func TestNoTextBreaksOutOfItsRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		officer := rapid.String().Filter(utf8.ValidString).Draw(t, "officer")
		var out bytes.Buffer
		appendTo(t, exchange.NewLogRecorder(&out), record(officer))
		var got struct {
			Officer string `json:"officer"`
			Outcome string `json:"outcome"`
		}
		require.NoError(t, json.Unmarshal(out.Bytes(), &got))
		require.Equal(t, officer, got.Officer)
		require.Equal(t, "OUTCOME_ANSWERED", got.Outcome)
		require.Equal(t, 1, strings.Count(out.String(), "\n"))
	})
}

// full is a disk that is full for a while: it takes half a line.
type full struct {
	bytes.Buffer
	full bool
}

func (f *full) Write(p []byte) (int, error) {
	if !f.full {
		return f.Buffer.Write(p)
	}
	n, _ := f.Buffer.Write(p[:len(p)/2])
	return n, errors.New("no space left on device")
}

func TestAHalfWrittenRecordFailsAndDoesNotSpoilTheNext(t *testing.T) {
	var disk full
	r := exchange.NewLogRecorder(&disk)
	disk.full = true
	require.Error(t, append1(t, r, record("first")))
	require.Error(t, append1(t, r, record("second")))
	disk.full = false
	appendTo(t, r, record("third"))
	lines := strings.Split(strings.TrimSpace(disk.String()), "\n")
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &got))
	require.Equal(t, "third", got["officer"])
}

func TestRecordsOfManyCallersDoNotMix(t *testing.T) {
	var out bytes.Buffer
	r := exchange.NewLogRecorder(&out)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 50 {
				if err := append1(t, r, record("an.nv")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	n := 0
	for line := range bytes.Lines(out.Bytes()) {
		require.True(t, json.Valid(line))
		n++
	}
	require.Equal(t, 400, n)
}

func append1(_ any, r *exchange.LogRecorder, record *hubv1.LedgerRecord) error {
	_, err := r.Append(context.Background(), exchange.Evidence{Record: record})
	return err
}

func appendTo(t require.TestingT, r *exchange.LogRecorder, record *hubv1.LedgerRecord) {
	require.NoError(t, append1(t, r, record))
}
