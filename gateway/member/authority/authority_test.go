package authority_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

// issueIn makes this test binary a process that issues ten certificates in the directory that it names.
const issueIn = "LIENTHONG_TEST_ISSUE_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(issueIn); dir != "" {
		if err := issueTen(dir, fmt.Sprintf("p%d", os.Getpid())); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func issueTen(dir, prefix string) error {
	db, err := membertest.Open(context.Background(), dir)
	if err != nil {
		return err
	}
	defer db.Close()
	a, err := authority.Open(dir, db)
	if err != nil {
		return err
	}
	for i := range 10 {
		id := peer.ID{Agency: "H01", System: fmt.Sprintf("%s-%d", prefix, i)}
		if _, err := a.Issue(authority.Order{ID: id, Roles: member.Consumer}); err != nil {
			return err
		}
	}
	return nil
}

var portal = peer.ID{Agency: "G22", System: "dvc-portal"}

// openState opens the state of a directory, with some agencies in it.
func openState(t testing.TB, dir string) *state.DB {
	db, err := membertest.Open(t.Context(), dir, "G01", "G06", "G22", "H01")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func open(t testing.TB, dir string) *authority.Authority {
	a, err := authority.Open(dir, openState(t, dir))
	require.NoError(t, err)
	return a
}

func members(t testing.TB, dir string) *member.Directory {
	return membertest.Read(t, openState(t, dir))
}

func load(t *testing.T, dir string, id peer.ID) *peer.Identity {
	got, err := peer.LoadIdentity(authority.Files(dir, id))
	require.NoError(t, err)
	require.Equal(t, id, got.ID)
	return got
}

func TestAnIssuedIdentityIsGoodAndItsSystemAMember(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	r, err := a.Issue(authority.Order{ID: portal, Roles: member.Consumer, Title: member.Title{VI: "Cổng", EN: "Portal"}})
	require.NoError(t, err)
	require.Len(t, r.Serial, 32)

	got := load(t, dir, portal)
	leaf := got.Certificate.Leaf
	require.Equal(t, r.Serial, peer.Serial(leaf))
	id, err := peer.Verify([]*x509.Certificate{leaf}, got.Roots, x509.ExtKeyUsageClientAuth, time.Now())
	require.NoError(t, err)
	require.Equal(t, portal, id)
	_, err = peer.Verify([]*x509.Certificate{leaf}, a.Roots(), x509.ExtKeyUsageServerAuth, time.Now())
	require.Equal(t, peer.WrongUsage, peer.RefusalOf(err), "a consumer is no server")
	require.WithinDuration(t, time.Now().Add(authority.ConsumerLife), leaf.NotAfter, time.Minute)

	s, ok := members(t, dir).Lookup(portal)
	require.True(t, ok)
	require.Equal(t, member.System{ID: portal, Roles: member.Consumer, Status: member.Active, Title: member.Title{VI: "Cổng", EN: "Portal"}}, s)
}

func TestAServersCertificateNamesTheLocalHostAndWhatWasAsked(t *testing.T) {
	dir := t.TempDir()
	id := peer.ID{Agency: "G06", System: "gateway"}
	_, err := open(t, dir).Issue(authority.Order{ID: id, Roles: member.Gateway, Server: true, Hosts: []string{"hub.example", "10.0.0.7"}})
	require.NoError(t, err)
	got := load(t, dir, id)
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		_, err = peer.Verify([]*x509.Certificate{got.Certificate.Leaf}, got.Roots, usage, time.Now())
		require.NoError(t, err)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "hub.example", "10.0.0.7"} {
		require.NoError(t, got.Certificate.Leaf.VerifyHostname(host))
	}
	require.WithinDuration(t, time.Now().Add(authority.ServiceLife), got.Certificate.Leaf.NotAfter, time.Minute)
}

func TestKeysAreForTheirOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, open(t, dir).EnsureSandbox(t.Context()))
	keys := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if strings.Contains(d.Name(), "key") && !d.IsDir() {
			info, err := d.Info()
			require.NoError(t, err)
			require.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), path)
			keys++
		}
		require.False(t, strings.HasPrefix(d.Name(), ".new-"), "nothing half written is left: %s", path)
		return nil
	}))
	require.Equal(t, len(authority.SandboxIDs())+1, keys)
}

func TestTheAuthorityStaysTheSameWhenOpenedAgain(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	require.True(t, first.Roots().Equal(open(t, dir).Roots()))

	_, err := first.Issue(authority.Order{ID: portal, Roles: member.Consumer})
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, "ca.pem")))
	again := open(t, dir) // as after a crash between key and certificate
	_, err = peer.Verify([]*x509.Certificate{load(t, dir, portal).Certificate.Leaf}, again.Roots(), x509.ExtKeyUsageClientAuth, time.Now())
	require.NoError(t, err, "what was signed with the key is still good")
}

func TestAnAuthorityWithoutItsKeyOrWithAnothersIsNotOpened(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	open(t, one)
	open(t, two)
	key, err := os.ReadFile(filepath.Join(two, "ca/ca.key"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(one, "ca/ca.key"), key, 0o600))
	_, err = authority.Open(one, openState(t, one))
	require.ErrorContains(t, err, "do not belong together")
	require.NoError(t, os.Remove(filepath.Join(one, "ca/ca.key")))
	_, err = authority.Open(one, openState(t, one))
	require.Error(t, err)
	require.NoFileExists(t, filepath.Join(one, "ca/ca.key"), "no new key is put below an old certificate")
}

func TestProcessesThatIssueAtTheSameTimeLoseNothing(t *testing.T) {
	dir := t.TempDir()
	openState(t, dir)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), issueIn+"="+dir)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
		wg.Go(func() {
			if err := issueTen(dir, fmt.Sprintf("g%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	a, all := open(t, dir), members(t, dir)
	records, err := a.List()
	require.NoError(t, err)
	require.Len(t, records, 40)
	for _, r := range records {
		require.Equal(t, r.Serial, peer.Serial(load(t, dir, r.ID).Certificate.Leaf))
		_, ok := all.Lookup(r.ID)
		require.True(t, ok)
	}
}

func TestAnOrderThatMakesNoSenseIsRefused(t *testing.T) {
	a := open(t, t.TempDir())
	for name, order := range map[string]authority.Order{
		"no identity":       {Roles: member.Consumer},
		"a path":            {ID: peer.ID{Agency: "G22", System: "../../x"}, Roles: member.Consumer},
		"no role":           {ID: portal},
		"negative validity": {ID: portal, Roles: member.Consumer, Validity: -time.Hour},
		"agency unknown":    {ID: peer.ID{Agency: "H99", System: "x"}, Roles: member.Consumer},
		"title with a line": {ID: portal, Roles: member.Consumer, Title: member.Title{VI: "a\nb"}},
		"title turned":      {ID: portal, Roles: member.Consumer, Title: member.Title{VI: "a\u202eb"}},
	} {
		_, err := a.Issue(order)
		require.Error(t, err, name)
	}
	records, err := a.List()
	require.NoError(t, err)
	require.Empty(t, records)
}
