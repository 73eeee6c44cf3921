package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/service"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// everyCall calls every method that answers an operator something.
func everyCall(w *world, ctx context.Context) map[string]func() (proto.Message, error) {
	c := w.as("G06/operator")
	return map[string]func() (proto.Message, error){
		"Search": func() (proto.Message, error) { return c.Search(ctx, &hubv1.SearchRequest{}) },
		"Show":   func() (proto.Message, error) { return c.Show(ctx, &hubv1.ShowRequest{Position: origin + ":0"}) },
		"Prove":  func() (proto.Message, error) { return c.Prove(ctx, &hubv1.ProveRequest{Position: origin + ":0"}) },
		"ListCitizen": func() (proto.Message, error) {
			return c.ListCitizen(ctx, &hubv1.ListCitizenRequest{Subject: subject("An")})
		},
		"ListVolumes": func() (proto.Message, error) { return c.ListVolumes(ctx, &hubv1.ListVolumesRequest{}) },
		"GetStatus":   func() (proto.Message, error) { return c.GetStatus(ctx, &hubv1.GetStatusRequest{}) },
		"IssueCitizenToken": func() (proto.Message, error) {
			return c.IssueCitizenToken(ctx, &hubv1.IssueCitizenTokenRequest{Subject: subject("An")})
		},
		"RotateSubjectKey": func() (proto.Message, error) { return c.RotateSubjectKey(ctx, &hubv1.RotateSubjectKeyRequest{}) },
		"Follow": func() (proto.Message, error) {
			stream, err := c.Follow(ctx, &hubv1.FollowRequest{})
			require.NoError(w.t, err)
			return stream.Recv()
		},
		"Export": func() (proto.Message, error) {
			stream, err := c.Export(ctx, &hubv1.ExportRequest{})
			require.NoError(w.t, err)
			return stream.Recv()
		},
	}
}

func TestWhatCannotBeRecordedIsNotAnswered(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G01", "An"))
	for name, broken := range map[string]func(*hubv1.Access) error{
		"fails": func(*hubv1.Access) error { return errors.New("disk full") }, "panics": func(*hubv1.Access) error { panic("disk full") },
	} {
		w.journal.hook(broken)
		for method, call := range everyCall(w, t.Context()) {
			got, err := call()
			refused(t, w.heard(err), reason.LedgerUnavailable)
			require.Zero(t, proto.Size(got), "%s of a recorder that %s: not a byte", method, name)
		}
		_, err := w.as("G22/portal").Search(t.Context(), &hubv1.SearchRequest{})
		refused(t, err, reason.LedgerUnavailable)
	}
	require.Empty(t, w.journal.accesses(t))
}

func TestAnAnswerWaitsForItsRecord(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G01", "An"))
	for method, call := range everyCall(w, t.Context()) {
		reached, release := make(chan string), make(chan struct{})
		w.journal.hook(func(a *hubv1.Access) error {
			if a.GetMethod() != method { // the end of a stream of before
				return nil
			}
			select {
			case reached <- a.GetMethod():
				<-release
			case <-release:
			}
			return nil
		})
		answered := make(chan error, 1)
		go func() {
			_, err := call()
			answered <- err
		}()
		require.Equal(t, method, <-reached)
		select {
		case <-answered:
			t.Fatal("answered before its record was kept: " + method)
		case <-time.After(5 * time.Millisecond):
		}
		close(release)
		if method == "Follow" { // and there is something to follow: its own record
			w.keep(exchange("H27/one-stop", "G01"))
		}
		require.NoError(t, <-answered, method)
	}
}

func TestAnExportThatCannotBeRecordedToItsEndIsNotSigned(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G01", "An"))
	var kept atomic.Int32
	w.journal.hook(func(*hubv1.Access) error {
		if kept.Add(1) > 1 {
			return errors.New("disk full")
		}
		return nil
	})
	stream, err := w.as("G06/operator").Export(t.Context(), &hubv1.ExportRequest{})
	require.NoError(t, err)
	_, signature, err := exported(stream)
	refused(t, err, reason.LedgerUnavailable)
	require.Empty(t, signature)
}

func TestTheRecordSaysWhoReadWhatAboutWhomAndHowMuch(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G01", "An"), exchange("H27/one-stop", "G01", "Bình"))
	ctx := metadata.AppendToOutgoingContext(t.Context(), service.WordOfficer, "thanh.tra", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	var header metadata.MD
	_, err := w.as("G20/auditor").Search(ctx, &hubv1.SearchRequest{Filter: &hubv1.Filter{
		From: timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), Consumer: "H27/one-stop", Provider: "G01", Method: "GetPerson",
		Purpose: "HT-KS", Case: "H27-0001", Officer: "hoa", Outcome: hubv1.Exchange_OUTCOME_ANSWERED,
		MinLatency: durationpb.New(time.Millisecond), Subject: subject("An"), Kind: "exchange",
	}}, grpc.Header(&header))
	require.NoError(t, err)
	a := w.journal.last(t)
	require.Equal(t, header.Get(service.WordAccess), []string{uuid.UUID(a.GetId()).String()})
	require.Equal(t, "from=2026-01-02T03:04:05Z consumer=H27/one-stop provider=G01 method=GetPerson purpose=HT-KS case=H27-0001 "+
		"officer=hoa outcome=answered min_latency=1ms kind=exchange", a.GetFilter())
	require.Equal(t, "thanh.tra", a.GetOfficer())
	require.Equal(t, hubv1.Access_ROLE_AUDITOR, a.GetRole())
	require.EqualValues(t, 1, a.GetEntries())
	require.EqualValues(t, 2, a.GetSubjectKey())
	require.Len(t, a.GetSubjectHashes(), 2, "under each key")
	require.Equal(t, hashes("An")[0], a.GetSubjectHashes()[1])
	require.Equal(t, []byte{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c}, a.GetTraceId())
	require.Equal(t, peer.Serial(w.identity("G20/auditor").Certificate.Leaf), a.GetCertificate())
}

func TestANumberThatIsWrittenWhereItDoesNotBelongIsNotKept(t *testing.T) {
	w := newWorld(t)
	c := w.as("G06/operator")
	for _, f := range []*hubv1.Filter{
		{Case: people["An"]}, {Officer: people["An"]}, {Purpose: people["An"]}, {Agreement: people["An"]}, {Case: "H27-" + people["An"] + "-x"},
		{Method: people["An"]}, {Consumer: people["An"]}, {Provider: people["An"]}, {Reason: people["An"]}, {Kind: people["An"]},
		{TraceId: people["An"]}, {ExchangeId: people["An"]}, {Subject: &hubv1.DataSubject{Value: people["An"]}},
		{Subject: &hubv1.DataSubject{Kind: hubv1.Subject_SUBJECT_OLD_ID, Value: people["An"]}},
	} {
		_, _ = c.Search(t.Context(), &hubv1.SearchRequest{Filter: f, Cursor: people["An"]})
		_, _ = c.Search(t.Context(), &hubv1.SearchRequest{Filter: f})
	}
	_, _ = c.Show(t.Context(), &hubv1.ShowRequest{ExchangeId: people["An"]})
	_, _ = c.Show(t.Context(), &hubv1.ShowRequest{Position: people["An"]})
	_, _ = c.Show(t.Context(), &hubv1.ShowRequest{Position: people["An"] + ":" + people["An"]})
	_, _ = c.ListVolumes(t.Context(), &hubv1.ListVolumesRequest{By: []string{people["An"]}, Method: people["An"]})
	_, _ = c.Search(with(t.Context(), people["An"]), &hubv1.SearchRequest{})
	_, _ = c.IssueCitizenToken(t.Context(), &hubv1.IssueCitizenTokenRequest{Subject: &hubv1.DataSubject{Value: people["An"]}})
	require.Len(t, w.journal.accesses(t), 2*14+6) // nobodyIsNamed looks into them
}

func TestOnlySoManyReadAtATimeAndOneAgencyLeavesRoomForOthers(t *testing.T) {
	w := newWorld(t, func(c *service.Config) { c.Reads = 4 })
	entered, release := make(chan struct{}), make(chan struct{})
	w.search.hook(func(context.Context, index.Query) error {
		entered <- struct{}{}
		<-release
		return nil
	}, nil)
	done := make(chan error, 4)
	read := func(name string) {
		go func() {
			_, err := w.as(name).Search(t.Context(), &hubv1.SearchRequest{})
			done <- err
		}()
		<-entered
	}
	read("H27/one-stop")
	read("H27/one-stop")
	_, err := w.as("H27/one-stop").Search(t.Context(), &hubv1.SearchRequest{})
	refused(t, err, reason.Overloaded)
	require.Equal(t, string(reason.Overloaded), w.journal.last(t).GetReason())
	read("G24/claims")
	read("G01/registry")
	_, err = w.as("G20/auditor").Search(t.Context(), &hubv1.SearchRequest{})
	refused(t, err, reason.Overloaded)
	close(release)
	for range 4 {
		require.NoError(t, <-done)
	}
	w.search.hook(nil, nil)
	_, err = w.as("G20/auditor").Search(t.Context(), &hubv1.SearchRequest{})
	require.NoError(t, err, "places are given back")
}

func TestAReadThatTakesTooLongIsStopped(t *testing.T) {
	w := newWorld(t, func(c *service.Config) { c.Deadline = 20 * time.Millisecond })
	w.search.hook(func(ctx context.Context, _ index.Query) error { <-ctx.Done(); return ctx.Err() }, nil)
	_, err := w.as("G06/operator").Search(t.Context(), &hubv1.SearchRequest{})
	refused(t, err, reason.DeadlineExceeded)
	require.Equal(t, string(reason.DeadlineExceeded), w.journal.last(t).GetReason())
}

func TestWhatTheIndexMustNotHaveFoundIsNotGiven(t *testing.T) {
	w := newWorld(t)
	seq := w.keep(exchange("G24/claims", "G01", "Bình"))
	w.search.hook(nil, func(p *index.Page) {
		p.Hits = []index.Hit{{Seq: seq, Record: exchange("G24/claims", "G01", "Bình")}}
	})
	for _, name := range []string{"H27/one-stop", "H27/both"} {
		c := w.as(name)
		_, err := c.Search(t.Context(), &hubv1.SearchRequest{})
		refused(t, err, reason.Internal)
		_, err = c.Show(t.Context(), &hubv1.ShowRequest{Position: origin + ":0"})
		refused(t, err, reason.Internal)
	}
	_, err := w.as("G22/portal").Search(with(t.Context(), w.token("An")), &hubv1.SearchRequest{})
	refused(t, err, reason.Internal)
	require.Contains(t, w.log.String(), "may not see")
}

func TestAPanicEndsOneReadAndIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G01", "An"))
	w.search.hook(func(context.Context, index.Query) error { panic(people["An"]) }, nil)
	_, err := w.as("G06/operator").Search(t.Context(), &hubv1.SearchRequest{})
	refused(t, err, reason.Internal)
	require.Equal(t, string(reason.Internal), w.journal.last(t).GetReason())
	stream, err := w.as("G06/operator").Export(t.Context(), &hubv1.ExportRequest{})
	require.NoError(t, err)
	_, _, err = exported(stream)
	refused(t, err, reason.Internal)
	w.search.hook(nil, nil)
	_, err = w.as("G06/operator").Search(t.Context(), &hubv1.SearchRequest{})
	require.NoError(t, err)
}

func TestWhoIsNoMemberAnyMoreReadsNothing(t *testing.T) {
	w := newWorld(t)
	c := w.as("H27/one-stop")
	_, err := c.Search(t.Context(), &hubv1.SearchRequest{})
	require.NoError(t, err)
	w.suspend("H27/one-stop")
	_, err = c.Search(with(t.Context(), w.token("An")), &hubv1.SearchRequest{})
	refused(t, err, reason.SystemSuspended)
	a := w.journal.last(t)
	require.Equal(t, "H27/one-stop", a.GetAgency()+"/"+a.GetSystem())
	require.Equal(t, string(reason.SystemSuspended), a.GetReason())
	w.revoke("H27/one-stop")
	_, err = c.Search(t.Context(), &hubv1.SearchRequest{})
	refused(t, err, reason.CertificateRevoked)
}

func TestAnOfficerThatCouldNotBeShownIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, officer := range [][]string{{" hoa"}, {strings.Repeat("x", 129)}, {"hoa", "hoa"}} {
		ctx := t.Context()
		for _, o := range officer {
			ctx = metadata.AppendToOutgoingContext(ctx, service.WordOfficer, o)
		}
		_, err := w.as("G06/operator").Search(ctx, &hubv1.SearchRequest{})
		if officer[0] == " hoa" { // HTTP/2 libraries trim it
			continue
		}
		refused(t, err, reason.MetadataInvalid, service.WordOfficer)
		require.Empty(t, w.journal.last(t).GetOfficer())
	}
}

func TestAnAnswerThatIsTooLongIsRefusedAndRecordedSo(t *testing.T) {
	w := newWorld(t)
	long := exchange("H27/one-stop", "G01")
	long.GetExchange().Released = strings.Repeat("x", 1<<20)
	seq := w.keep(long)
	_, err := w.as("H27/one-stop").Show(t.Context(), &hubv1.ShowRequest{Position: fmt.Sprintf("%s:%d", origin, seq)})
	refused(t, err, reason.AnswerTooLarge)
	a := w.journal.last(t)
	require.Equal(t, string(reason.AnswerTooLarge), a.GetReason())
	require.Zero(t, a.GetEntries())
}
