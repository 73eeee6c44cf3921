package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/deploy/parts"
)

func TestProxiesGetTheirAddressesAndCertificates(t *testing.T) {
	dir := parts.Dir(t.TempDir())
	require.NoError(t, os.MkdirAll(filepath.Dir(dir.Key(front)), 0o700))
	require.NoError(t, os.WriteFile(dir.Certificate(front), []byte("certificate\n"), 0o600))
	require.NoError(t, os.WriteFile(dir.Key(front), []byte("key\n"), 0o600))
	for _, kind := range proxies {
		t.Run(kind.name, func(t *testing.T) {
			home := t.TempDir()
			argv, err := kind.prepare(home, dir, "127.0.0.1:1001", "127.0.0.1:1002")
			require.NoError(t, err)
			require.Equal(t, kind.name, argv[0])
			settings, err := os.ReadFile(filepath.Join(home, "settings"))
			require.NoError(t, err)
			require.Contains(t, string(settings), " 127.0.0.1:1001 ssl")
			require.Regexp(t, `server (registry )?127\.0\.0\.1:1002[ ;]`, string(settings))
			require.Contains(t, string(settings), dir.CA())
			require.NotContains(t, string(settings), "no value")
			pair, err := os.ReadFile(filepath.Join(home, "pair.pem"))
			require.NoError(t, err)
			require.Equal(t, "certificate\nkey\n", string(pair))
		})
	}
}
