package proof_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
	"github.com/lienthong/lienthong/gateway/ledger/proof/prooftest"
)

// world is a log of 100 records with two witnesses, an older checkpoint, and all that a verifier may bring along.
type world struct {
	*prooftest.Log
	witnesses []*prooftest.Witness
	source    proof.Source
	opts      proof.Options
}

const (
	position = 41
	records  = 100
	since    = 57
)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		Log:       prooftest.New(t, "G06/gateway"),
		witnesses: []*prooftest.Witness{prooftest.NewWitness(t, "H27/witness"), prooftest.NewWitness(t, "G09/witness")},
	}
	w.Fill(records)
	w.source = w.Source(position, w.witnesses...)
	w.source.Released, w.source.Withheld = prooftest.Released, prooftest.Withheld
	w.source.Since, w.source.Consistency = w.Checkpoint(since), w.Consistency(since, records)
	w.opts = proof.Options{
		LogKey:     w.Key(),
		Witnesses:  []string{w.witnesses[0].Key, w.witnesses[1].Key},
		Since:      w.Checkpoint(since),
		Request:    prooftest.Request,
		Answer:     prooftest.Answer,
		ReceiptKey: prooftest.ReceiptKey,
	}
	return w
}

func verify(t testing.TB, doc []byte, opts proof.Options) *proof.Verdict {
	t.Helper()
	v, err := proof.Verify(doc, opts)
	require.NoError(t, err)
	return v
}

func TestAProofHoldsInAllItsParts(t *testing.T) {
	w := newWorld(t)
	v := verify(t, w.Build(w.source), w.opts)
	require.True(t, v.OK(), "%+v", v.Failure())
	for _, c := range v.Checks {
		require.Equal(t, proof.Passed, c.State, c.Name)
		require.NotEmpty(t, c.Detail, c.Name)
	}
	require.Equal(t, "H27", v.Record.GetExchange().GetConsumerAgency())
	require.Len(t, v.Cosigned, 2)
	require.Zero(t, v.Ignored)
}

func TestTheLogsKeyAloneIsEnough(t *testing.T) {
	w := newWorld(t)
	v := verify(t, w.Prove(position), proof.Options{LogKey: w.Key() + "\n"})
	require.True(t, v.OK(), "%+v", v.Failure())
}
