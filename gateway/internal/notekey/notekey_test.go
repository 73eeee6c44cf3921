package notekey_test

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/lienthong/lienthong/gateway/internal/notekey"
)

func TestTheVerifierKeyIsTheOneThatWasMadeWithTheSignerKey(t *testing.T) {
	signer, verifier, err := note.GenerateKey(rand.Reader, "lienthong/G06/gateway")
	require.NoError(t, err)
	public, err := notekey.Public(signer)
	require.NoError(t, err)
	require.Equal(t, verifier, public)
}

func TestWhatIsNoSignerKeyHasNone(t *testing.T) {
	for _, text := range []string{"", "PRIVATE+KEY", "PRIVATE+KEY+a+b+!", "PRIVATE+KEY+a+b+AAAA"} {
		_, err := notekey.Public(text)
		require.Error(t, err, text)
	}
}
