package notary_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	flog "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/notary"
)

func open(t testing.TB, n *notary.Notary, raw []byte) *flog.Checkpoint {
	t.Helper()
	key, err := note.NewVerifier(n.Verifier())
	require.NoError(t, err)
	cp, _, _, err := flog.ParseCheckpoint(raw, origin, key)
	require.NoError(t, err)
	return cp
}

func TestEveryDurableRecordCanBeProvenWithThePublicKeyAlone(t *testing.T) {
	j := newJournal(0)
	n, _ := keep(t, config(t.TempDir(), j))
	var old *flog.Checkpoint
	for _, more := range []int{1, 1, 254, 1, 255, 300, 1000} {
		j.append(more)
		published(t, n, j)
		raw, err := n.Checkpoint(t.Context())
		require.NoError(t, err)
		cp := open(t, n, raw)
		require.Equal(t, j.Durable(), cp.Size)
		for _, seq := range []uint64{0, cp.Size / 2, cp.Size - 1, rand.Uint64N(cp.Size)} {
			in, err := n.Prove(t.Context(), seq)
			require.NoError(t, err)
			require.Equal(t, seq, in.Index)
			cp := open(t, n, in.Checkpoint)
			leaf := rfc6962.DefaultHasher.HashLeaf(j.digests[seq][:])
			require.NoError(t, proof.VerifyInclusion(rfc6962.DefaultHasher, in.Index, in.Size, leaf, in.Hashes, cp.Hash))
		}
		if old != nil {
			hashes, err := n.Consistency(t.Context(), old.Size, cp.Size)
			require.NoError(t, err)
			require.NoError(t, proof.VerifyConsistency(rfc6962.DefaultHasher, old.Size, cp.Size, hashes, old.Hash, cp.Hash))
		}
		old = cp
	}
	require.Zero(t, n.Lag())
	require.NoError(t, n.Err())
}

func TestARecordThatNoCheckpointCoversIsNotProvenYet(t *testing.T) {
	j := newJournal(3)
	n, _ := keep(t, config(t.TempDir(), j))
	published(t, n, j)
	_, err := n.Prove(t.Context(), 3)
	require.ErrorIs(t, err, notary.ErrNotYet)
	_, err = n.Consistency(t.Context(), 1, 4)
	require.ErrorIs(t, err, notary.ErrNotYet)
}

func TestALogGoesOnWhereItStood(t *testing.T) {
	j, dir := newJournal(0), t.TempDir()
	for i := range 6 {
		j.append(100 + i*97)
		n, stop := keep(t, config(dir, j))
		published(t, n, j)
		for _, seq := range []uint64{0, j.Durable() - 1} {
			_, err := n.Prove(t.Context(), seq)
			require.NoError(t, err)
		}
		stop()
	}
}

func TestTheKeyIsForItsOwnerAlone(t *testing.T) {
	cfg := config(t.TempDir(), newJournal(1))
	filled(t, cfg)
	info, err := os.Stat(cfg.KeyFile)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, os.Chmod(cfg.KeyFile, 0o640))
	_, err = notary.Open(t.Context(), cfg)
	require.Error(t, err)
}

func TestTwoNotariesCannotKeepOneLog(t *testing.T) {
	cfg := config(t.TempDir(), newJournal(1))
	keep(t, cfg)
	_, err := notary.Open(t.Context(), cfg)
	require.ErrorIs(t, err, notary.ErrInUse)
}

func TestOnlyTheTilesThatAreNeededAreKept(t *testing.T) {
	j := newJournal(0)
	cfg := config(t.TempDir(), j)
	n, _ := keep(t, cfg)
	for range 12 {
		j.append(50)
		published(t, n, j)
	}
	var full []string
	for _, pattern := range []string{"tile/0/*.p", "tile/1/*.p", "tile/entries/*.p"} {
		found, err := filepath.Glob(filepath.Join(cfg.Dir, pattern))
		require.NoError(t, err)
		full = append(full, found...)
	}
	require.Len(t, full, 3, fmt.Sprint(full)) // of the last bundle, its tile and the one above
}
