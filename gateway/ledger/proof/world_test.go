package proof_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
	"github.com/lienthong/lienthong/gateway/ledger/proof/prooftest"
)

// world is a log of 100 records with two witnesses, an older checkpoint, and all that a verifier may bring along.
type world struct {
	*prooftest.Log
	t         testing.TB
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
		t:         t,
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

// document is a proof taken apart, to be spoiled.
func (w *world) document(s proof.Source) *proof.Document {
	w.t.Helper()
	d, err := proof.Decode(w.Build(s))
	require.NoError(w.t, err)
	return d
}

// salt is the record's, in base64: 21 characters of six bits, one of two, and padding.
func (w *world) salt() string {
	return base64.StdEncoding.EncodeToString(w.source.Salt[:])
}

func encode(t testing.TB, d *proof.Document) []byte {
	t.Helper()
	doc, err := proof.Encode(d)
	require.NoError(t, err)
	return doc
}

func verify(t testing.TB, doc []byte, opts proof.Options) *proof.Verdict {
	t.Helper()
	v, err := proof.Verify(doc, opts)
	require.NoError(t, err)
	return v
}

func failures(v *proof.Verdict) []string {
	var names []string
	for _, c := range v.Checks {
		if c.State == proof.Failed {
			names = append(names, c.Name)
		}
	}
	return names
}

func requireOnly(t testing.TB, check string, v *proof.Verdict) {
	t.Helper()
	require.False(t, v.OK())
	require.Equal(t, []string{check}, failures(v), "%+v", v.Checks)
	require.Equal(t, check, v.Failure().Name)
}

func bytesOf(hashes [][]byte) []proof.Bytes {
	out := make([]proof.Bytes, len(hashes))
	for i, h := range hashes {
		out[i] = h
	}
	return out
}

func page(t testing.TB, v *proof.Verdict, lang string) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, proof.Page(&b, v, lang))
	return b.String()
}

func text(t testing.TB, v *proof.Verdict) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, proof.Text(&b, v))
	return b.String()
}
