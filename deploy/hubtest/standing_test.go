package hubtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
)

func TestAProviderThatIsSuspendedIsNotAskedAnyMore(t *testing.T) {
	t.Parallel()
	hub := small(t)
	conn := hub.Dial(t, "H27/one-stop")
	require.NoError(t, getResidence(t, conn).err)
	hub.Enlist(t, "G01/registry-population", func(s *member.System) { s.Status = member.Suspended })
	hubtest.Eventually(t, "it is offline to those who ask", func() bool { return getResidence(t, conn).reason() == "REGISTRY_OFFLINE" })
	hub.Enlist(t, "G01/registry-population", func(s *member.System) { s.Status = member.Active })
	hubtest.Eventually(t, "it is asked again", func() bool { return getResidence(t, conn).err == nil })
	hub.Enlist(t, "G01/registry-population", func(s *member.System) { s.Roles = member.Consumer })
	hubtest.Eventually(t, "who is no provider is not asked either", func() bool { return getResidence(t, conn).reason() == "REGISTRY_OFFLINE" })
}

func TestAGatewayThatIsRevokedIsAnsweredByNoConnector(t *testing.T) {
	t.Parallel()
	hub := small(t)
	conn := hub.Dial(t, "H27/one-stop")
	require.NoError(t, getResidence(t, conn).err)
	_, err := hub.Authority.Revoke("G06/gateway")
	require.NoError(t, err)
	hubtest.Eventually(t, "its calls are refused", func() bool { return getResidence(t, conn).reason() == "SEAL_REFUSED" })
	_, err = hub.Authority.Issue(authority.Order{ID: parts.GatewayID, Roles: member.Gateway, Server: true})
	require.NoError(t, err)
	hubtest.Eventually(t, "with a new certificate they are answered", func() bool { return getResidence(t, conn).err == nil })
}

func TestAProviderWithANewCertificateIsAskedAgain(t *testing.T) {
	t.Parallel()
	hub := small(t)
	conn := hub.Dial(t, "H27/one-stop")
	_, err := hub.Authority.Revoke("G01/registry-population")
	require.NoError(t, err)
	hubtest.Eventually(t, "it is offline to those who ask", func() bool { return getResidence(t, conn).reason() == "REGISTRY_OFFLINE" })
	order := orderOf(t, "G01/registry-population")
	order.Roles, order.Server = member.Provider, true
	_, err = hub.Authority.Issue(order)
	require.NoError(t, err)
	hubtest.Eventually(t, "it is asked again", func() bool { return getResidence(t, conn).err == nil })
}
