package proof_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
	"github.com/lienthong/lienthong/gateway/ledger/proof/prooftest"
)

func TestAnOlderCheckpointIsPartOfTheSameHistory(t *testing.T) {
	w := newWorld(t)
	plain := w.Prove(position)
	for name, c := range map[string]struct {
		doc   []byte
		since []byte
	}{
		"the document's own tree":        {plain, w.Checkpoint(records)},
		"cosigned or not":                {plain, w.Checkpoint(records, w.witnesses...)},
		"the empty tree":                 {plain, w.Checkpoint(0)},
		"the one the document shows":     {w.Build(w.source), w.Checkpoint(since)},
		"its own tree, and shows an old": {w.Build(w.source), w.Checkpoint(records)},
		"none, but the document shows":   {w.Build(w.source), nil},
	} {
		v := verify(t, c.doc, proof.Options{LogKey: w.Key(), Since: c.since})
		require.True(t, v.OK(), "%s: %+v", name, v.Failure())
	}
}

func TestARewrittenHistoryIsNoPartOfIt(t *testing.T) {
	w := newWorld(t)
	lie := w.head(since)
	lie.Hash[0] ^= 1
	sameSize := w.head(records)
	sameSize.Hash[0] ^= 1
	other := prooftest.New(t, "G06/gateway")
	other.Fill(since)
	stranger := w.head(since)
	stranger.Origin = "lienthong/H27/gateway"
	doc := w.Build(w.source)
	for name, kept := range map[string][]byte{
		"another root of that size":     w.Sign(lie),
		"another root of the same size": w.Sign(sameSize),
		"a size that is not shown":      w.Checkpoint(since + 1),
		"a later one":                   func() []byte { w.Fill(1); return w.Checkpoint(records + 1) }(),
		"another log's key":             other.Checkpoint(since),
		"another log's name":            w.Sign(stranger),
		"no checkpoint":                 []byte("lienthong/G06/gateway\n"),
		"an empty file":                 {},
	} {
		v := verify(t, doc, proof.Options{LogKey: w.Key(), Since: kept})
		require.Equal(t, []string{proof.CheckConsistency}, failures(v), name)
	}
}

func TestADocumentsOlderCheckpointMustBeTheLogs(t *testing.T) {
	w := newWorld(t)
	for name, older := range map[string]string{
		"unsigned": "lienthong/G06/gateway\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
		"empty":    "",
		"other":    string(prooftest.New(t, "G06/gateway").Checkpoint(0)),
		"later":    func() string { w.Fill(1); return string(w.Checkpoint(records + 1)) }(),
	} {
		d := w.document(w.source)
		d.Consistency.Checkpoint = older
		requireOnly(t, proof.CheckConsistency, verify(t, encode(t, d), proof.Options{LogKey: w.Key()}))
		require.NotEmpty(t, name)
	}
}
