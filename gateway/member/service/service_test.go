package service_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/gateway/member/service"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// systems are one of each role.
var systems = map[string]member.Roles{
	"H27/one-stop": member.Consumer, "G22/desk": member.Consumer, "G01/registry": member.Provider, "G01/steward": member.Steward,
	"G06/operator": member.Operator, "G06/gateway": member.Gateway, "G20/auditor": member.Auditor, "G22/portal": member.Portal,
}

// world is a hub that answers about officers.
type world struct {
	t       *testing.T
	dir     string
	db      *state.DB
	ca      *authority.Authority
	current atomic.Pointer[member.Directory]
	address string
	broken  atomic.Pointer[error] // why changes are not recorded

	mu    sync.Mutex
	made  []state.Made
	no    []*hubv1.Change // refusals that were recorded
	conns map[string]*grpc.ClientConn
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), db: membertest.State(t, "G01", "G06", "G20", "G22", "H27"), conns: map[string]*grpc.ClientConn{}}
	membertest.Change(t, w.db, func(ctx context.Context, tx *state.Tx) error {
		for _, code := range []string{"H27", "G22"} {
			a := membertest.Agency(code)
			a.Officers = member.Enrolled
			if err := member.SetAgency(ctx, tx, a); err != nil {
				return err
			}
		}
		return nil
	})
	var err error
	w.ca, err = authority.Open(w.dir, w.db)
	require.NoError(t, err)
	for name, roles := range systems {
		_, err := w.ca.Issue(authority.Order{ID: w.id(name), Roles: roles, Server: roles.Has(member.Gateway)})
		require.NoError(t, err)
	}
	w.ring()
	s := service.New(service.Config{DB: w.db, Members: w.current.Load, Changed: w.changed, Refused: w.refused, Log: slog.New(slog.DiscardHandler)})
	own := w.identity("G06/gateway")
	rpc := grpc.NewServer(grpc.Creds(member.Credentials(peer.Config{Certificate: own.Certificate, Roots: own.Roots})))
	s.Register(rpc)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w.address = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- rpc.Serve(l) }()
	t.Cleanup(func() {
		for _, c := range w.conns {
			_ = c.Close()
		}
		rpc.Stop()
		require.NoError(t, <-done)
	})
	return w
}

func (w *world) id(name string) peer.ID {
	id, err := peer.ParseID(name)
	require.NoError(w.t, err)
	return id
}

func (w *world) identity(name string) *peer.Identity {
	identity, err := peer.LoadIdentity(authority.Files(w.dir, w.id(name)))
	require.NoError(w.t, err)
	return identity
}

func (w *world) ring() { w.current.Store(membertest.Read(w.t, w.db)) }

// changed is what a gateway does with each change.
func (w *world) changed(_ context.Context, made state.Made) error {
	if err := w.broken.Load(); err != nil {
		return *err
	}
	w.mu.Lock()
	w.made = append(w.made, made)
	w.mu.Unlock()
	w.ring()
	return nil
}

// refused is what a gateway does with each refusal.
func (w *world) refused(_ context.Context, _ string, c *hubv1.Change) error {
	if err := w.broken.Load(); err != nil {
		return *err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.no = append(w.no, c)
	return nil
}

func (w *world) as(name string) hubv1.OfficerServiceClient {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conns[name] == nil {
		conn, err := client.Dial(w.address, w.identity(name))
		require.NoError(w.t, err)
		w.conns[name] = conn
	}
	return hubv1.NewOfficerServiceClient(w.conns[name])
}

func (w *world) enrol(as string, accounts ...string) (int32, error) {
	r, err := w.as(as).EnrolOfficers(w.t.Context(), &hubv1.EnrolOfficersRequest{Accounts: accounts})
	return r.GetEnrolled(), err
}

func (w *world) disable(as string, accounts ...string) (int32, error) {
	r, err := w.as(as).DisableOfficers(w.t.Context(), &hubv1.DisableOfficersRequest{Accounts: accounts, Reason: "nghỉ việc"})
	return r.GetDisabled(), err
}

func TestAnAgencysSystemEnrolsAndDisablesItsOwnOfficers(t *testing.T) {
	w := newWorld(t)
	judge := func(agency string) error { return w.current.Load().CheckWords(agency, "an.nv", "") }
	require.ErrorIs(t, judge("H27"), reason.OfficerUnknown)
	n, err := w.enrol("H27/one-stop", "an.nv", "hoa")
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	require.NoError(t, judge("H27"), "when it is answered it decides")
	require.ErrorIs(t, judge("G22"), reason.OfficerUnknown, "the officers of one agency are nobody to another")
	n, err = w.enrol("H27/one-stop", "an.nv")
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = w.disable("H27/one-stop", "an.nv", "nobody")
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.ErrorIs(t, judge("H27"), reason.OfficerUnknown)
	require.Len(t, w.made, 2, "what changes nothing is no change")

	list, err := w.as("H27/one-stop").ListOfficers(t.Context(), &hubv1.ListOfficersRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetOfficers(), 2)
	require.Equal(t, "an.nv", list.GetOfficers()[0].GetAccount())
	require.NotNil(t, list.GetOfficers()[0].GetDisabled())
	require.Nil(t, list.GetOfficers()[1].GetDisabled())
}

func TestWhoMayDoWhatIsWhatTheTableSays(t *testing.T) {
	w := newWorld(t)
	_, err := w.enrol("H27/one-stop", "an.nv")
	require.NoError(t, err)
	for name, roles := range systems {
		own := w.id(name).Agency
		judge := func(act member.Act, agency string, err error, what string) {
			if roles.May(act).Covers(own, agency, "") {
				require.NoError(t, err, "%s: %s", name, what)
			} else {
				require.Equal(t, reason.ActNotAllowed, reason.Of(err).Reason, "%s: %s", name, what)
			}
		}
		_, err := w.enrol(name, "x")
		judge(member.EnrolOfficer, own, err, "enrol")
		_, err = w.disable(name, "x")
		judge(member.DisableOfficer, own, err, "disable")
		for _, agency := range []string{own, "H27"} {
			_, err = w.as(name).ListOfficers(t.Context(), &hubv1.ListOfficersRequest{Agency: agency})
			judge(member.SeeOfficers, agency, err, "list "+agency)
		}
	}
	_, err = w.as("G06/operator").ListOfficers(t.Context(), &hubv1.ListOfficersRequest{Agency: "H99"})
	require.Equal(t, reason.FieldInvalid, reason.Of(err).Reason)
	_, err = w.as("H27/one-stop").ListOfficers(t.Context(), &hubv1.ListOfficersRequest{Agency: "H99"})
	require.Equal(t, reason.ActNotAllowed, reason.Of(err).Reason, "who may not see it does not learn whether it is there")
}

func TestEveryChangeSaysWhoMadeItForWhom(t *testing.T) {
	w := newWorld(t)
	_, err := w.enrol("H27/one-stop", "truong.phong")
	require.NoError(t, err)
	ctx := metadata.AppendToOutgoingContext(t.Context(), member.WordOfficer, "nobody")
	_, err = w.as("H27/one-stop").EnrolOfficers(ctx, &hubv1.EnrolOfficersRequest{Accounts: []string{"an.nv"}})
	require.Equal(t, reason.OfficerUnknown, reason.Of(err).Reason)
	ctx = metadata.AppendToOutgoingContext(t.Context(), member.WordOfficer, "truong.phong")
	_, err = w.as("H27/one-stop").EnrolOfficers(ctx, &hubv1.EnrolOfficersRequest{Accounts: []string{"an.nv"}})
	require.NoError(t, err)
	history, err := w.db.History(t.Context(), hubv1.Change_KIND_MEMBER, "H27", 1)
	require.NoError(t, err)
	require.Equal(t, []string{"H27", "one-stop", peer.Serial(w.identity("H27/one-stop").Certificate.Leaf), "truong.phong"},
		[]string{history[0].GetAgency(), history[0].GetSystem(), history[0].GetCertificate(), history[0].GetOfficer()})
	for _, bad := range [][]string{{"a", "b"}, {"an nv"}, {"040094997317"}, {strings.Repeat("a", 65)}} {
		ctx := t.Context()
		for _, officer := range bad {
			ctx = metadata.AppendToOutgoingContext(ctx, member.WordOfficer, officer)
		}
		_, err := w.as("H27/one-stop").EnrolOfficers(ctx, &hubv1.EnrolOfficersRequest{Accounts: []string{"x"}})
		require.Equal(t, reason.MetadataInvalid, reason.Of(err).Reason, bad)
	}
}

func TestAccountsThatAreNoneAreRefusedAndNobodyIsNamed(t *testing.T) {
	w := newWorld(t)
	many := make([]string, member.MaxAccounts+1)
	for i := range many {
		many[i] = fmt.Sprint("a", i)
	}
	for name, c := range map[string]struct {
		accounts []string
		want     reason.Reason
	}{
		"none":              {nil, reason.FieldRequired},
		"too many":          {many, reason.BatchTooLarge},
		"a line":            {[]string{"fine", "a\nb"}, reason.FieldInvalid},
		"a personal number": {[]string{"040094997317"}, reason.FieldInvalid},
	} {
		for _, do := range []func(string, ...string) (int32, error){w.enrol, w.disable} {
			_, err := do("H27/one-stop", c.accounts...)
			f := reason.Of(err)
			require.Equal(t, c.want, f.Reason, name)
			require.Equal(t, "accounts", f.Field, name)
			require.NotContains(t, err.Error(), "040094997317")
		}
	}
	_, err := w.as("H27/one-stop").DisableOfficers(t.Context(), &hubv1.DisableOfficersRequest{Accounts: []string{"a"}, Reason: "a\x1b[31m"})
	require.Equal(t, "reason", reason.Of(err).Field)
	require.Empty(t, w.made)
}

func TestWhoIsRefusedByTheHubChangesNothing(t *testing.T) {
	w := newWorld(t)
	_, err := w.enrol("H27/one-stop", "an.nv")
	require.NoError(t, err)
	membertest.Change(t, w.db, func(ctx context.Context, tx *state.Tx) error { return member.CloseAgency(ctx, tx, "H27", "", "") })
	w.ring()
	_, err = w.disable("H27/one-stop", "an.nv")
	require.Equal(t, reason.AgencyClosed, reason.Of(err).Reason)
	_, err = w.ca.Revoke("G22/desk")
	require.NoError(t, err)
	w.ring()
	_, err = w.enrol("G22/desk", "an.nv")
	require.Equal(t, reason.CertificateRevoked, reason.Of(err).Reason)
}

func TestAChangeThatCannotBeRecordedIsNotAnswered(t *testing.T) {
	w := newWorld(t)
	broken := errors.New("disk full at " + os.TempDir())
	w.broken.Store(&broken)
	_, err := w.enrol("H27/one-stop", "an.nv")
	require.Equal(t, reason.LedgerUnavailable, reason.Of(err).Reason)
	require.NotContains(t, err.Error(), "disk full")
	_, err = w.enrol("H27/one-stop", "an nv")
	require.Equal(t, reason.LedgerUnavailable, reason.Of(err).Reason, "nor is a refusal")
}

func TestARefusalIsRecordedWithWhoWasRefusedWhat(t *testing.T) {
	w := newWorld(t)
	ctx := metadata.AppendToOutgoingContext(t.Context(), member.WordOfficer, "nobody")
	_, err := w.as("H27/one-stop").EnrolOfficers(ctx, &hubv1.EnrolOfficersRequest{Accounts: []string{"an.nv"}})
	require.Equal(t, reason.OfficerUnknown, reason.Of(err).Reason)
	_, err = w.as("H27/one-stop").ListOfficers(t.Context(), &hubv1.ListOfficersRequest{Agency: "040094997317"})
	require.Equal(t, reason.ActNotAllowed, reason.Of(err).Reason)
	serial := peer.Serial(w.identity("H27/one-stop").Certificate.Leaf)
	want := []*hubv1.Change{
		{Kind: hubv1.Change_KIND_MEMBER, Agency: "H27", System: "one-stop", Certificate: serial, Officer: "nobody", Text: "refused: EnrolOfficers", Reason: "OFFICER_UNKNOWN"},
		{Kind: hubv1.Change_KIND_MEMBER, Agency: "H27", System: "one-stop", Certificate: serial, Text: "refused: ListOfficers", Reason: "ACT_NOT_ALLOWED"},
	}
	require.Len(t, w.no, len(want))
	for i := range want {
		require.Truef(t, proto.Equal(want[i], w.no[i]), "%v, and not %v", w.no[i], want[i])
	}
}

func TestWhoWasRevokedWhileTheirChangeWaitedMakesNone(t *testing.T) {
	w := newWorld(t)
	_, err := w.enrol("H27/one-stop", "an.nv")
	require.NoError(t, err)
	membertest.Change(t, w.db, func(ctx context.Context, tx *state.Tx) error { // and nobody is told of it
		tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_MEMBER, Object: "H27", Text: "H27/one-stop revoked"})
		_, err := member.PutDenial(ctx, tx, member.Denial{ID: w.id("H27/one-stop")})
		return err
	})
	_, err = w.enrol("H27/one-stop", "binh.nv")
	require.Equal(t, reason.CertificateRevoked, reason.Of(err).Reason)
}

func TestOfMembersThatNobodyCouldReadNobodyIsOne(t *testing.T) {
	w := newWorld(t)
	w.current.Store(member.Stale())
	_, err := w.as("G06/operator").ListOfficers(t.Context(), &hubv1.ListOfficersRequest{Agency: "H27"})
	require.Equal(t, reason.PolicyStale, reason.Of(err).Reason)
	_, err = w.enrol("H27/one-stop", "an.nv")
	require.Equal(t, reason.PolicyStale, reason.Of(err).Reason)
}
