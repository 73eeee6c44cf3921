package prooftest

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"
	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// Witness cosigns what it is given, whatever it is.
type Witness struct {
	Key    string // its verifier key, as c2sp.org/tlog-cosignature has it
	signer note.Signer
}

// NewWitness makes a witness with a key of its own.
func NewWitness(t testing.TB, name string) *Witness {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	require.NoError(t, err)
	signer, err := cosign.NewSignerForCosignatureV1(secret)
	require.NoError(t, err)
	key, err := cosign.VKeyToCosignatureV1(public)
	require.NoError(t, err)
	return &Witness{Key: key, signer: signer}
}
