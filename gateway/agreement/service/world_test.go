package service_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lienthong/lienthong/gateway/agreement/service"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// summer is when the tests take place.
var summer = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// world is the service on loopback TLS, over a real state.
type world struct {
	t       testing.TB
	db      *state.DB
	ca      *ca
	address string
	log     lockedBuffer
	conns   map[string]*grpc.ClientConn

	mu      sync.Mutex
	changed []state.Made    // that Config.Changed heard of
	fail    error           // what it fails with
	no      []*hubv1.Change // that Config.Refused heard of
	lost    error           // what it fails with
	now     time.Time
}

// newWorld starts a world, with the configuration as a test changes it.
func newWorld(t testing.TB, change ...func(*service.Config)) *world {
	w := &world{t: t, ca: newCA(t), conns: map[string]*grpc.ClientConn{}, now: summer}
	var err error
	w.db, err = state.Open(t.Context(), state.Config{Config: store.Config{Path: filepath.Join(t.TempDir(), "hub.db")}, Now: w.time})
	require.NoError(t, err)
	sample, members := catalogtest.Load(t), directory(t)
	cfg := service.Config{
		DB: w.db, Members: func() *member.Directory { return members }, Now: w.time, Changed: w.hear, Refused: w.record, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Catalog: func(context.Context, *sql.Tx) (*catalog.Catalog, error) { return sample, nil },
	}
	for _, f := range change {
		f(&cfg)
	}
	gateway := w.ca.issue("G06/gateway")
	rpc := grpc.NewServer(grpc.Creds(member.Credentials(peer.Config{Certificate: gateway.Certificate, Roots: gateway.Roots})))
	service.New(cfg).Register(rpc)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w.address = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- rpc.Serve(l) }()
	t.Cleanup(func() {
		for _, conn := range w.conns {
			_ = conn.Close()
		}
		rpc.Stop()
		require.NoError(t, errors.Join(<-done, w.db.Close()))
	})
	return w
}

// time is what the hub's clock says. Certificates are judged by it when something is asked, so they are good until long
// after the summer of the tests.
func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// hear is Config.Changed.
func (w *world) hear(_ context.Context, made state.Made) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed = append(w.changed, made)
	return w.fail
}

// record is Config.Refused.
func (w *world) record(_ context.Context, _ string, c *hubv1.Change) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.no = append(w.no, c)
	return w.lost
}

// as is a client for the service as a system.
func (w *world) as(name string) hubv1.AgreementServiceClient {
	if w.conns[name] == nil {
		conn, err := client.Dial(w.address, w.ca.issue(name))
		require.NoError(w.t, err)
		w.conns[name] = conn
	}
	return hubv1.NewAgreementServiceClient(w.conns[name])
}

// by is a context in which somebody is named.
func (w *world) by(officer string) context.Context {
	return metadata.AppendToOutgoingContext(w.t.Context(), member.WordOfficer, officer)
}

// document is an agreement of Hà Tĩnh's one-stop desk with G01, unlike every other of another id.
func document(id string, change ...func(*hubv1.Agreement)) *hubv1.Agreement {
	doc := &hubv1.Agreement{
		Id: id, Title: "Tra cứu dân cư", Consumer: &hubv1.Agreement_Consumer{Agency: "H27", Systems: []string{"one-stop"}},
		Provider: "G01", Service: catalogtest.Service, ValidFrom: "2026-01-01", ValidTo: "2026-12-31",
		Purposes: []*hubv1.Agreement_Purpose{{Code: "P-" + id, Title: "Khai sinh", LegalBasis: "Luật Hộ tịch 60/2014/QH13"}},
		Methods:  []*hubv1.Agreement_Method{{Name: "GetPerson", Fields: []string{"person.name"}}},
	}
	for _, f := range change {
		f(doc)
	}
	return doc
}

func (w *world) propose(docs ...*hubv1.Agreement) *hubv1.ProposeAgreementsResponse {
	got, err := w.as("H27/one-stop").ProposeAgreements(w.by("hoa"), &hubv1.ProposeAgreementsRequest{Agreements: docs})
	require.NoError(w.t, err)
	return got
}

// agree has a document in force.
func (w *world) agree(id string) {
	w.propose(document(id))
	digest := w.digest(id)
	for name, officer := range map[string]string{"G01/steward": "an", "G06/operator": "binh"} {
		_, err := w.as(name).ApproveAgreement(w.by(officer), &hubv1.ApproveAgreementRequest{Id: id, Digest: digest})
		require.NoError(w.t, err)
	}
}

// digest is that of the newest version of an agreement, as its provider reads it.
func (w *world) digest(id string) []byte {
	got, err := w.as("G01/steward").GetAgreement(w.t.Context(), &hubv1.GetAgreementRequest{Id: id})
	require.NoError(w.t, err)
	return got.GetVersions()[0].GetDigest()
}

// refused wants an error with a reason, and a field if one is named.
func refused(t testing.TB, err error, want reason.Reason, field ...string) {
	t.Helper()
	require.Error(t, err)
	r := client.RefusalOf(err)
	require.Equal(t, string(want), r.Reason, "%v", err)
	if len(field) > 0 {
		require.Equal(t, field[0], r.Field)
	}
}

// lockedBuffer is a log that several write.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}
