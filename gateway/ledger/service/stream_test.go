package service_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/service"
	"github.com/lienthong/lienthong/gateway/member"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// begins opens a stream that follows, and returns when it does.
func begins(t *testing.T, w *world, ctx context.Context, name string, f *hubv1.Filter) func() (*hubv1.FollowResponse, error) {
	stream, err := w.as(name).Follow(ctx, &hubv1.FollowRequest{Filter: f})
	require.NoError(t, err)
	header, err := stream.Header()
	require.NoError(t, err)
	require.NotNil(t, header)
	return stream.Recv
}

func TestAFollowerGetsEachEntryOnceInOrder(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G01", "An")) // before it follows
	recv := begins(t, w, t.Context(), "H27/both", nil)
	var want []uint64
	for i := range 300 {
		consumer, provider := "H27/one-stop", "G01"
		switch i % 3 {
		case 1:
			consumer, provider = "G24/claims", "H27"
		case 2:
			w.keep(exchange("G24/claims", "G01"))
			continue
		}
		want = append(want, w.keep(exchange(consumer, provider)))
	}
	for _, seq := range want {
		got, err := recv()
		require.NoError(t, err)
		require.Equal(t, seq, got.GetEntry().GetSeq())
		require.Empty(t, got.GetEntry().GetRecord().GetExchange().GetSubjectHashes())
	}
}

func TestAFollowerOfAPersonMissesNothingWhenThereIsANewKey(t *testing.T) {
	keys := new(rotating)
	w := newWorld(t, func(c *service.Config) { c.Hasher = keys })
	recv := begins(t, w, t.Context(), "G06/operator", &hubv1.Filter{Subject: subject("An"), Kind: "exchange"})
	first := w.keep(exchange("H27/one-stop", "G01", "An"))
	got, err := recv()
	require.NoError(t, err)
	require.Equal(t, first, got.GetEntry().GetSeq())
	keys.newest.Store(true)
	r := exchange("H27/one-stop", "G01")
	h := hashUnder("newest", hubv1.Subject_SUBJECT_PERSONAL_ID, people["An"])
	r.GetExchange().SubjectHashes = [][]byte{h[:]}
	second := w.keep(r)
	got, err = recv()
	require.NoError(t, err)
	require.Equal(t, second, got.GetEntry().GetSeq())
}

// rotating is a hasher that gets another key.
type rotating struct {
	hasher
	newest atomic.Bool
}

func (r *rotating) Hash(kind hubv1.Subject, number string) ([]service.Hash, uint32) {
	all, key := r.hasher.Hash(kind, number)
	if r.newest.Load() {
		all, key = append([]service.Hash{hashUnder("newest", kind, number)}, all...), 3
	}
	return all, key
}

func TestAFollowerWhoseRightEndsIsCutOff(t *testing.T) {
	for name, end := range map[reason.Reason]func(*world){
		reason.CertificateRevoked: func(w *world) { w.revoke("H27/one-stop") },
		reason.SystemSuspended:    func(w *world) { w.suspend("H27/one-stop") },
	} {
		w := newWorld(t)
		recv := begins(t, w, t.Context(), "H27/one-stop", nil)
		w.keep(exchange("H27/one-stop", "G01"))
		_, err := recv()
		require.NoError(t, err)
		end(w)
		w.keep(exchange("H27/one-stop", "G01"))
		_, err = recv()
		refused(t, err, name)
		a := w.journal.last(t)
		require.Equal(t, string(name), a.GetReason())
		require.EqualValues(t, 1, a.GetEntries())
		all := w.journal.accesses(t)
		require.Equal(t, all[0].GetId(), a.GetId(), "one read, recorded when it began and when it ended")
		require.Empty(t, all[0].GetReason())
	}
}

func TestAFollowerWhoGoesAwayIsDoneWith(t *testing.T) {
	w := newWorld(t, func(c *service.Config) { c.Streams = 1 })
	ctx, cancel := context.WithCancel(t.Context())
	recv := begins(t, w, ctx, "G06/operator", nil)
	other, err := w.as("G20/auditor").Follow(t.Context(), &hubv1.FollowRequest{})
	require.NoError(t, err)
	_, err = other.Recv()
	refused(t, err, reason.Overloaded)
	cancel()
	for err = error(nil); err == nil; _, err = recv() {
	}
	require.Equal(t, codes.Canceled, status.Code(err))
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := w.as("G20/auditor").Follow(ctx, &hubv1.FollowRequest{})
		require.NoError(t, err)
		header, _ := stream.Header()
		return header != nil
	}, 10*time.Second, time.Millisecond, "its place is free again")
}

func TestAStoppingHubEndsWhoFollowsAndRecordsIt(t *testing.T) {
	w := newWorld(t)
	recv := begins(t, w, t.Context(), "H27/one-stop", nil)
	w.keep(exchange("H27/one-stop", "G01"))
	_, err := recv()
	require.NoError(t, err)
	w.service.Drain()
	_, err = recv()
	require.ErrorIs(t, err, io.EOF, "it is no failure")
	a := w.journal.last(t)
	require.Equal(t, w.journal.accesses(t)[0].GetId(), a.GetId())
	require.EqualValues(t, 1, a.GetEntries())
	require.Empty(t, a.GetReason())
	_, err = begins(t, w, t.Context(), "H27/one-stop", nil)()
	require.ErrorIs(t, err, io.EOF)
	_, err = w.as("H27/one-stop").Search(t.Context(), &hubv1.SearchRequest{})
	require.NoError(t, err, "who reads is finished with")
}

func TestAFollowerThatIsSlowHoldsUpNobody(t *testing.T) {
	w := newWorld(t)
	begins(t, w, t.Context(), "H27/one-stop", nil) // and never takes anything
	long := exchange("H27/one-stop", "G01")
	long.GetExchange().Withheld = strings.Repeat("x", 10_000)
	for range 50 {
		w.keep(long)
	}
	got, err := w.as("H27/one-stop").Search(t.Context(), &hubv1.SearchRequest{})
	require.NoError(t, err)
	require.Len(t, got.GetEntries(), 50)
}

// checked opens an exported file's signature, and checks what it says of the file.
func checked(t *testing.T, w *world, data, signature []byte, entries int) {
	n, err := note.Open(signature, note.VerifierList(w.verify))
	require.NoError(t, err)
	sum := sha256.Sum256(data)
	require.Equal(t, fmt.Sprintf("lienthong/export/v1\n%s\n%s\n%d\n%d\n", origin, base64.StdEncoding.EncodeToString(sum[:]), len(data), entries), n.Text)
}

func TestAnExportedFileIsSignedAsAWhole(t *testing.T) {
	w := newWorld(t)
	var want []uint64
	for range 1200 { // more than two pages
		seq, err := w.journal.append(exchange("H27/one-stop", "G01", "An"))
		require.NoError(t, err)
		want = append(want, seq)
	}
	w.indexed()
	var first string
	for range 2 {
		stream, err := w.as("G06/operator").Export(t.Context(), &hubv1.ExportRequest{Filter: &hubv1.Filter{Kind: "exchange"}})
		require.NoError(t, err)
		data, signature, err := exported(stream)
		require.NoError(t, err)
		checked(t, w, data, signature, len(want))
		lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		require.Len(t, lines, len(want))
		for i, line := range lines {
			var e hubv1.LedgerEntry
			require.NoError(t, protojson.Unmarshal([]byte(line), &e))
			require.Equal(t, want[i], e.GetSeq(), "the oldest first")
		}
		if first == "" {
			first = string(data)
		}
		require.Equal(t, first, string(data), "the same entries are the same bytes")
		a := w.journal.last(t)
		require.EqualValues(t, len(want), a.GetEntries())
		require.Equal(t, "kind=exchange format=jsonl", a.GetFilter())
	}
}

func TestAnExportEndsWhenWhatItsReaderMaySeeHasChanged(t *testing.T) {
	w := newWorld(t)
	for range 1200 {
		_, err := w.journal.append(exchange("G24/claims", "G01", "An"))
		require.NoError(t, err)
	}
	w.indexed()
	var once sync.Once
	w.search.hook(nil, func(*index.Page) { // what was found by the old right is not given by the new one
		once.Do(func() { w.assign("G09/all", member.Consumer) })
	})
	stream, err := w.as("G09/all").Export(t.Context(), &hubv1.ExportRequest{Filter: &hubv1.Filter{Kind: "exchange"}})
	require.NoError(t, err)
	data, _, err := exported(stream)
	refused(t, err, reason.LedgerReadNotAllowed)
	require.Empty(t, data)
	require.Equal(t, string(reason.LedgerReadNotAllowed), w.journal.last(t).GetReason())
}

func TestNothingToExportIsAWholeFileToo(t *testing.T) {
	w := newWorld(t)
	stream, err := w.as("H27/one-stop").Export(t.Context(), &hubv1.ExportRequest{Filter: &hubv1.Filter{Kind: "notice"}})
	require.NoError(t, err)
	data, signature, err := exported(stream)
	require.NoError(t, err)
	require.Empty(t, data)
	checked(t, w, data, signature, 0)
	stream, err = w.as("H27/one-stop").Export(t.Context(), &hubv1.ExportRequest{Format: 7})
	require.NoError(t, err)
	_, _, err = exported(stream)
	refused(t, err, reason.FilterInvalid, "format")
}

func TestNoCellOfAnExportedTableIsAFormula(t *testing.T) {
	w := newWorld(t)
	evil := exchange("H27/one-stop", "G01", "An")
	x := evil.GetExchange()
	x.Officer, x.Case, x.Purpose = `=HYPERLINK("http://example.org")`, "+1", "-1+1\nx"
	x.Reason, x.LegalBasis, x.Released = "@SUM(A1)", "\tx,\"y\"", "a,b"
	_, records := planted()
	w.keep(append(records, evil)...)
	stream, err := w.as("G06/operator").Export(t.Context(), &hubv1.ExportRequest{Format: hubv1.ExportRequest_FORMAT_CSV})
	require.NoError(t, err)
	data, signature, err := exported(stream)
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+len(records)+1)
	checked(t, w, data, signature, len(rows)-1)
	for _, row := range rows {
		for _, cell := range row {
			require.NotRegexp(t, `^[=+\-@\t\r\n]`, cell)
		}
	}
	require.Contains(t, rows[len(rows)-1], `'=HYPERLINK("http://example.org")`)
	require.Contains(t, rows[len(rows)-1], "'-1+1\nx")
	require.Contains(t, rows[len(rows)-1], fmt.Sprintf("%x", hashes("An")[0]))
}
