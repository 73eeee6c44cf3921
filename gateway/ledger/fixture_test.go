package ledger_test

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/gateway/ledger"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

// person is a number that must not be found anywhere.
const person = "042187001234"

// logs is what was logged.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// fixture is a ledger on a directory of its own.
type fixture struct {
	*ledger.Ledger
	t    *testing.T
	cfg  ledger.Config
	log  *logs
	stop func()
}

func open(t *testing.T, change ...func(*ledger.Config)) *fixture {
	t.Helper()
	dir := t.TempDir()
	f := &fixture{t: t, log: new(logs), cfg: ledger.Config{
		Dir: filepath.Join(dir, "ledger"), Head: filepath.Join(dir, "ledger.head"), Origin: "G06/gateway", Version: "test",
		SegmentSize: 1 << 20,
	}}
	f.cfg.Log = slog.New(slog.NewTextHandler(f.log, nil))
	for _, c := range change {
		c(&f.cfg)
	}
	f.open()
	return f
}

// open opens the ledger and runs it until it is closed or crashes.
func (f *fixture) open() {
	f.t.Helper()
	l, err := ledger.Open(f.t.Context(), f.cfg)
	require.NoError(f.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	f.Ledger = l
	f.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(f.t, <-done)
	})
	f.t.Cleanup(f.close)
}

// close closes the ledger in good order.
func (f *fixture) close() {
	if f.Ledger == nil {
		return
	}
	f.stop()
	require.NoError(f.t, f.Ledger.Close())
	f.Ledger = nil
}

// crash ends the ledger as a crash does: nothing more is written to it.
func (f *fixture) crash() {
	f.Abandon()
	f.close()
}

// ask appends an exchange.
func (f *fixture) ask(change ...func(*hubv1.Exchange)) exchange.Receipt {
	f.t.Helper()
	r, err := f.Append(f.t.Context(), evidence(change...))
	require.NoError(f.t, err)
	return r
}

// evidence is an exchange that was answered.
func evidence(change ...func(*hubv1.Exchange)) exchange.Evidence {
	id := uuid.Must(uuid.NewV7())
	now := timestamppb.Now()
	x := &hubv1.Exchange{
		Id: id[:], TraceId: id[:], Received: now, ConsumerAgency: "H27", ConsumerSystem: "one-stop", Certificate: "abc", Officer: "an.nv",
		Case: "H27-261122-0001", Purpose: "CT-TT", ProviderAgency: "G01", Method: "registry.population.v1.PopulationService/GetResidence",
		Agreement: "H27-G01-population", AgreementVersion: 1, Outcome: hubv1.Exchange_OUTCOME_ANSWERED, TotalUs: 1234,
		Subjects: []*hubv1.DataSubject{{Kind: hubv1.Subject_SUBJECT_PERSONAL_ID, Value: person}},
	}
	for _, c := range change {
		c(x)
	}
	e := exchange.Evidence{
		Record:  &hubv1.LedgerRecord{Time: now, Event: &hubv1.LedgerRecord_Exchange{Exchange: x}},
		Request: []byte("request about " + person), Answer: []byte("answer about " + person),
	}
	if x.GetOutcome() != hubv1.Exchange_OUTCOME_ANSWERED {
		e.Answer = nil
	}
	return e
}

// intent is the intent of an exchange.
func intent(id uuid.UUID) exchange.Evidence {
	return exchange.Evidence{
		Record: &hubv1.LedgerRecord{Time: timestamppb.Now(), Event: &hubv1.LedgerRecord_Intent{Intent: &hubv1.Intent{
			ExchangeId: id[:], ConsumerAgency: "H27", ConsumerSystem: "one-stop", Method: "registry.civilstatus.v1.CivilStatusService/RegisterBirth",
			Subjects: []*hubv1.DataSubject{{Kind: hubv1.Subject_SUBJECT_PERSONAL_ID, Value: person}},
		}}},
		Request: []byte("request"),
	}
}

func refused(reason string) func(*hubv1.Exchange) {
	return func(x *hubv1.Exchange) { x.Outcome, x.Reason = hubv1.Exchange_OUTCOME_REFUSED, reason }
}

// kept reads everything that the journal has.
func (f *fixture) kept() []*hubv1.LedgerRecord {
	f.t.Helper()
	reader, err := journal.OpenReader(ledger.Path(f.cfg.Dir).Journal())
	require.NoError(f.t, err)
	first, next := reader.Bounds()
	var all []*hubv1.LedgerRecord
	for entry, err := range reader.Scan(f.t.Context(), first, next) {
		require.NoError(f.t, err)
		record := new(hubv1.LedgerRecord)
		require.NoError(f.t, proto.Unmarshal(entry.Payload, record))
		all = append(all, record)
	}
	return all
}

// notices are the notices of one kind.
func notices[T any](all []*hubv1.LedgerRecord, get func(*hubv1.Notice) *T) (found []*T) {
	for _, r := range all {
		if n := get(r.GetNotice()); n != nil {
			found = append(found, n)
		}
	}
	return found
}

func exchanges(all []*hubv1.LedgerRecord) (found []*hubv1.Exchange) {
	for _, r := range all {
		if x := r.GetExchange(); x != nil {
			found = append(found, x)
		}
	}
	return found
}

// eventually waits until it holds.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, 20*time.Second, 2*time.Millisecond)
}

// everything is all bytes below a directory.
func everything(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(all, data...)
		return err
	}))
	return all
}
