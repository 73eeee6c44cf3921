package parts

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/proto/peer"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// issueDue issues a gateway a certificate that is due for renewal as soon as it is there.
func issueDue(t *testing.T, a *authority.Authority) authority.Record {
	r, err := a.Issue(authority.Order{ID: GatewayID, Roles: member.Gateway, Server: true, Validity: time.Minute})
	require.NoError(t, err)
	return r
}

func TestACertificateThatIsDueIsRenewedAndComesIntoUse(t *testing.T) {
	dir := Dir(t.TempDir())
	a, err := authority.Open(string(dir), membertest.State(t, GatewayID.Agency))
	require.NoError(t, err)
	first := issueDue(t, a)
	now := reloading(dir, GatewayID)
	cert, err := now()
	require.NoError(t, err)
	require.Equal(t, first.Serial, peer.Serial(cert.Leaf))

	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- keepRenewed(ctx, a, time.Millisecond, quiet) }()
	require.Eventually(t, func() bool {
		cert, err := now()
		return err == nil && peer.Serial(cert.Leaf) != first.Serial
	}, 30*time.Second, 10*time.Millisecond)
	stop()
	require.NoError(t, <-done)
}

func TestWhoeverHasNoAuthorityRenewsNothing(t *testing.T) {
	require.NoError(t, keepRenewed(t.Context(), nil, time.Millisecond, quiet))
}

func TestACertificateThatCannotBeReadLeavesTheLastOneInUse(t *testing.T) {
	dir := Dir(t.TempDir())
	a, err := authority.Open(string(dir), membertest.State(t, GatewayID.Agency))
	require.NoError(t, err)
	first := issueDue(t, a)
	now := reloading(dir, GatewayID)
	_, err = now()
	require.NoError(t, err)
	require.NoError(t, replaceFile(dir.Certificate(GatewayID), []byte("not a certificate")))
	began := time.Now()
	require.Eventually(t, func() bool { // the file is looked at once a second
		cert, err := now()
		require.NoError(t, err)
		require.Equal(t, first.Serial, peer.Serial(cert.Leaf))
		return time.Since(began) > 1500*time.Millisecond
	}, 30*time.Second, 50*time.Millisecond)
}

func TestWithoutACertificateThereIsAnError(t *testing.T) {
	_, err := reloading(Dir(t.TempDir()), GatewayID)()
	require.Error(t, err)
}
