package service_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/service"
	"github.com/lienthong/lienthong/gateway/ledger/service/token"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

const origin = "G06/gateway"

// people are data subjects by the names that tests give them. Their numbers must be nowhere but in questions.
var people = map[string]string{"An": "042187001234", "Bình": "042090005678", "Chi": "001301009876"}

// Systems of the tests, by their roles.
var systems = map[string]member.Roles{
	"G06/operator": member.Operator, "G20/auditor": member.Auditor, "H27/one-stop": member.Consumer, "G24/claims": member.Consumer,
	"G01/registry": member.Provider, "G01/steward": member.Steward, "H27/both": member.Consumer | member.Provider,
	"G24/both": member.Consumer | member.Steward, "G22/portal": member.Portal, "G06/gateway": member.Gateway,
	"G09/all": member.Operator | member.Consumer | member.Portal,
}

// world is the service on loopback TLS, over the real index and a journal in memory.
type world struct {
	t       testing.TB
	members atomic.Pointer[member.Directory]
	journal *journal
	index   *index.Index
	search  *searcher
	service *service.Server
	tokens  *token.Book
	signer  note.Signer
	verify  note.Verifier
	address string
	log     lockedBuffer
	clock   atomic.Int64 // how far it was moved

	mu     sync.Mutex
	conns  map[string]*grpc.ClientConn
	proven uint64
	failed []string // every error that a reader got
}

// newWorld starts a world, with the configuration as a test changes it.
func newWorld(t testing.TB, change ...func(*service.Config)) *world {
	w := &world{t: t, conns: map[string]*grpc.ClientConn{}, proven: 1 << 40}
	var err error
	w.change(func(map[string]*member.System) []member.Denial { return nil })
	w.journal = &journal{changed: make(chan struct{})}
	w.index, err = index.Open(t.Context(), index.Config{Path: filepath.Join(t.TempDir(), "index.db"), Source: w.journal, BlockSize: 64, Rest: time.Millisecond})
	require.NoError(t, err)
	w.search = &searcher{Index: w.index}
	w.tokens, err = token.New(origin, bytes.Repeat([]byte("k"), 32), w.now)
	require.NoError(t, err)
	private, public, err := note.GenerateKey(nil, "lienthong/"+origin)
	require.NoError(t, err)
	w.signer, err = note.NewSigner(private)
	require.NoError(t, err)
	w.verify, err = note.NewVerifier(public)
	require.NoError(t, err)
	w.serve(change)
	return w
}

func (w *world) serve(change []func(*service.Config)) {
	cfg := service.Config{
		Origin: origin, Members: w.members.Load, Searcher: w.search, Prover: w, Recorder: w.journal, Hasher: hasher{}, Rotator: w,
		Statuser: w, Tokens: w.tokens, Signer: w, Log: slog.New(slog.NewJSONHandler(&w.log, nil)), Now: w.now, Again: 10 * time.Millisecond,
	}
	for _, f := range change {
		f(&cfg)
	}
	rpc := grpc.NewServer(grpc.Creds(member.Credentials(peer.Config{Certificate: w.identity("G06/gateway").Certificate, Roots: w.identity("G06/gateway").Roots})))
	w.service = service.New(cfg)
	w.service.Register(rpc)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(w.t, err)
	w.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- w.index.Run(ctx) }()
	go func() { done <- rpc.Serve(l) }()
	w.t.Cleanup(func() {
		for _, conn := range w.conns {
			_ = conn.Close()
		}
		rpc.Stop()
		cancel()
		require.NoError(w.t, errors.Join(<-done, <-done))
		require.NoError(w.t, w.index.Close())
		w.nobodyIsNamed()
	})
}

// nobodyIsNamed looks for the numbers of people in all that was logged, recorded or said in errors.
func (w *world) nobodyIsNamed() {
	for _, number := range people {
		require.NotContains(w.t, w.log.String(), number)
		for _, e := range w.journal.all() {
			require.NotContains(w.t, string(e.Payload), number)
		}
		for _, text := range w.failed {
			require.NotContains(w.t, text, number)
		}
	}
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.clock.Load())) }

// issue makes the identities of the tests, once for all of them, and returns where they lie.
func issue() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "ledger-service-"); err != nil {
		return "", err
	}
	db, err := membertest.Open(context.Background(), dir, "G01", "G06", "G09", "G20", "G22", "G24", "H27")
	if err != nil {
		return dir, err
	}
	defer db.Close()
	ca, err := authority.Open(dir, db)
	if err != nil {
		return dir, err
	}
	for name, roles := range systems {
		id, err := peer.ParseID(name)
		if err != nil {
			return dir, err
		}
		if _, err := ca.Issue(authority.Order{ID: id, Roles: roles, Server: roles.Has(member.Gateway)}); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

// change changes what operators decided about the members.
func (w *world) change(f func(systems map[string]*member.System) []member.Denial) {
	all := map[string]*member.System{}
	for name, roles := range systems {
		id, err := peer.ParseID(name)
		require.NoError(w.t, err)
		all[name] = &member.System{ID: id, Roles: roles, Status: member.Active}
	}
	denied := f(all)
	var list []member.System
	for _, s := range all {
		list = append(list, *s)
	}
	w.members.Store(membertest.Directory(w.t, list, denied...))
}

// suspend suspends a system.
func (w *world) suspend(name string) {
	w.change(func(systems map[string]*member.System) []member.Denial {
		systems[name].Status = member.Suspended
		return nil
	})
}

// assign gives a system other roles.
func (w *world) assign(name string, roles member.Roles) {
	w.change(func(systems map[string]*member.System) []member.Denial {
		systems[name].Roles = roles
		return nil
	})
}

// revoke revokes a system's certificate.
func (w *world) revoke(name string) {
	serial := peer.Serial(w.identity(name).Certificate.Leaf)
	w.change(func(map[string]*member.System) []member.Denial { return []member.Denial{{Serial: serial}} })
}

func (w *world) identity(name string) *peer.Identity {
	id, err := peer.ParseID(name)
	require.NoError(w.t, err)
	identity, err := peer.LoadIdentity(authority.Files(identities, id))
	require.NoError(w.t, err)
	return identity
}

// as is a client for the service as a system.
func (w *world) as(name string) hubv1.LedgerServiceClient {
	w.mu.Lock()
	defer w.mu.Unlock()
	conn := w.conns[name]
	if conn == nil {
		var err error
		conn, err = client.Dial(w.address, w.identity(name),
			grpc.WithUnaryInterceptor(func(ctx context.Context, method string, in, out any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
				return w.heard(invoke(ctx, method, in, out, cc, opts...))
			}))
		require.NoError(w.t, err)
		w.conns[name] = conn
	}
	return hubv1.NewLedgerServiceClient(conn)
}

// heard keeps what an error says.
func (w *world) heard(err error) error {
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.failed = append(w.failed, fmt.Sprint(err, status.Convert(err).Proto()))
	}
	return err
}

// token makes a citizen's token.
func (w *world) token(person string) string {
	hashes, key := hasher{}.Hash(hubv1.Subject_SUBJECT_PERSONAL_ID, people[person])
	text, _, err := w.tokens.Make(hashes, key, peer.ID{Agency: "G22", System: "portal"}, time.Hour)
	require.NoError(w.t, err)
	return text
}

// with is a context that shows a token; "" shows none.
func with(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, service.WordCitizen, token)
}

// keep appends records, waits until they are found, and returns the first's position.
func (w *world) keep(records ...*hubv1.LedgerRecord) uint64 {
	var first uint64
	for i, r := range records {
		seq, err := w.journal.append(r)
		require.NoError(w.t, err)
		if i == 0 {
			first = seq
		}
	}
	w.indexed()
	return first
}

// indexed waits until all that is kept is found.
func (w *world) indexed() {
	if n := w.journal.Durable(); n > 0 {
		require.NoError(w.t, w.index.Wait(w.t.Context(), n-1))
	}
}

// Prove implements service.Prover.
func (w *world) Prove(_ context.Context, seq uint64) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if seq >= w.proven {
		return nil, fmt.Errorf("prove: %w", reason.NotYetProven)
	}
	return fmt.Appendf(nil, `{"seq": %d}`, seq), nil
}

// RotateSubjectKey implements service.Rotator.
func (w *world) RotateSubjectKey(_ context.Context, by *hubv1.Change) (uint32, error) {
	by.Kind, by.Version = hubv1.Change_KIND_LEDGER_KEY, 3
	_, err := w.journal.append(&hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Change{Change: by}})
	return 3, err
}

// Status implements service.Statuser.
func (w *world) Status(context.Context) (*hubv1.GetStatusResponse, error) {
	return &hubv1.GetStatusResponse{Origin: origin, Records: w.journal.Durable()}, nil
}

// SignNote implements service.Signer.
func (w *world) SignNote(text string) ([]byte, error) {
	return note.Sign(&note.Note{Text: text}, w.signer)
}

var (
	_ service.Searcher = (*index.Index)(nil)
	_ service.Tokens   = (*token.Book)(nil)
)

// hasher has two keys; records are under the older one.
type hasher struct{}

func (hasher) Hash(kind hubv1.Subject, number string) ([]service.Hash, uint32) {
	return []service.Hash{hashUnder("new", kind, number), hashUnder("old", kind, number)}, 2
}

func hashUnder(key string, kind hubv1.Subject, number string) (h service.Hash) {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(append([]byte{byte(kind)}, number...))
	copy(h[:], mac.Sum(nil))
	return h
}

// hashes are how people stand in records.
func hashes(names ...string) (all [][]byte) {
	for _, name := range names {
		h := hashUnder("old", hubv1.Subject_SUBJECT_PERSONAL_ID, people[name])
		all = append(all, h[:])
	}
	return all
}

// subject is a person as a question names them.
func subject(name string) *hubv1.DataSubject {
	return &hubv1.DataSubject{Kind: hubv1.Subject_SUBJECT_PERSONAL_ID, Value: people[name]}
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

// digestOf is how a record names a field list.
func digestOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
