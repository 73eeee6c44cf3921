package buscreds_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member/buscreds"
)

// content reads all files below a directory.
func content(t *testing.T, dir string) map[string]string {
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		all[e.Name()] = string(data)
	}
	return all
}

func TestTheBusStaysTheSameFromStartToStart(t *testing.T) {
	dir := t.TempDir()
	first, err := buscreds.Ensure(dir)
	require.NoError(t, err)
	before := content(t, filepath.Join(dir, "nats"))
	second, err := buscreds.Ensure(dir)
	require.NoError(t, err)
	require.Equal(t, before, content(t, filepath.Join(dir, "nats")))
	require.Equal(t, first.AccountJWTs(), second.AccountJWTs())
	require.Equal(t, first.OperatorJWT(), second.OperatorJWT())
	require.Equal(t, first.ObserverCreds(), second.ObserverCreds())
	require.Len(t, first.AccountJWTs(), 2)
	require.Contains(t, first.AccountJWTs(), first.Account())
}

func TestSecretsAreForTheirOwnerOnlyAndNotInTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	b, err := buscreds.Ensure(dir)
	require.NoError(t, err)
	config, err := os.ReadFile(b.ConfigFile())
	require.NoError(t, err)
	for name, text := range content(t, filepath.Join(dir, "nats")) {
		if !strings.HasSuffix(name, ".nk") && !strings.HasSuffix(name, ".creds") {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, "nats", name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
		require.NotContains(t, string(config), strings.TrimSpace(text))
	}
}

func TestWhatIsMissingOrAlteredIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	b, err := buscreds.Ensure(dir)
	require.NoError(t, err)
	before := content(t, filepath.Join(dir, "nats"))
	for name := range before {
		if strings.HasSuffix(name, ".nk") || name == "lock" {
			continue
		}
		path := filepath.Join(dir, "nats", name)
		for _, damage := range []func() error{
			func() error { return os.WriteFile(path, []byte("x"), 0o600) },
			func() error { return os.WriteFile(path, []byte(strings.ToLower(before[name])), 0o600) },
			func() error { return os.Remove(path) },
		} {
			require.NoError(t, damage())
			again, err := buscreds.Ensure(dir)
			require.NoError(t, err, name)
			require.Equal(t, b.Account(), again.Account(), "accounts are their keys, and those are still here")
			require.NotEqual(t, "x", content(t, filepath.Join(dir, "nats"))[name])
		}
	}
}

func TestALostKeyIsSaidInsteadOfReplaced(t *testing.T) {
	for _, name := range []string{"operator", "system", "bus"} {
		dir := t.TempDir()
		_, err := buscreds.Ensure(dir)
		require.NoError(t, err)
		require.NoError(t, os.Remove(filepath.Join(dir, "nats", name+".nk")))
		_, err = buscreds.Ensure(dir)
		require.ErrorContains(t, err, name+".nk is lost")
	}
}

func TestProcessesThatStartTogetherFindOneBus(t *testing.T) {
	dir := t.TempDir()
	accounts := make([]string, 8)
	var wg sync.WaitGroup
	for i := range accounts {
		wg.Go(func() {
			if b, err := buscreds.Ensure(dir); err == nil {
				accounts[i] = b.Account()
			}
		})
	}
	wg.Wait()
	require.NotEmpty(t, accounts[0])
	for _, a := range accounts {
		require.Equal(t, accounts[0], a)
	}
}

func TestANATSServerOutsideRunsWithTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	b, err := buscreds.Ensure(dir)
	require.NoError(t, err)
	opts, err := server.ProcessConfigFile(b.ConfigFile())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", opts.Host)
	require.Equal(t, 4222, opts.Port)
	require.EqualValues(t, 2<<20, opts.MaxPayload)
	require.EqualValues(t, 4096, opts.MaxControlLine)
	require.Equal(t, 5*time.Second, opts.WriteDeadline)
	require.Equal(t, 20*time.Second, opts.PingInterval)

	opts.Port, opts.NoSigs, opts.NoLog = server.RANDOM_PORT, true, true
	outside := &natsBus{Bus: b, server: run(t, opts)}
	outside.gateway(t, "gw1").calm()
	outside.connector(t, "population", people).calm()
	nc, err := nats.Connect(outside.server.ClientURL(), nats.UserCredentials(b.ObserverFile()))
	require.NoError(t, err)
	nc.Close()
	_, err = nats.Connect(outside.server.ClientURL())
	require.ErrorIs(t, err, nats.ErrAuthorization)
}
