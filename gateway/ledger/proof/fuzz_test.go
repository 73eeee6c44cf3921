package proof_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
	"github.com/lienthong/lienthong/gateway/ledger/proof/prooftest"
)

// Whatever a document is, it is judged, told and shown; and it holds only if it is one that was built here. Documents
// are made by one edit of a true one, so that inputs are small: with everything cut, what is put in is all there is.
func FuzzVerify(f *testing.F) {
	l := prooftest.NewFixed(f, "G06/gateway")
	l.Fill(20)
	original := l.Prove(11)
	opts := proof.Options{LogKey: l.Key(), Since: l.Checkpoint(20), Answer: prooftest.Answer, ReceiptKey: prooftest.ReceiptKey}
	const all = 1<<16 - 1
	f.Add(uint16(0), uint16(0), []byte(nil))
	f.Add(uint16(strings.Index(string(original), `"seq"`)), uint16(0), []byte(`"seq":1,`))
	f.Add(uint16(strings.Index(string(original), `"record_view"`)), uint16(0), []byte(`"consistency":{"checkpoint":"","hashes":[]},`))
	f.Add(uint16(0), uint16(all), []byte(`{"version":"lienthong-proof/v1","record_view":{},"inclusion":{"hashes":[]},"checkpoint":"x\n1\n\n\n— a AAAAAAA=\n"}`))
	f.Fuzz(func(t *testing.T, at, cut uint16, put []byte) {
		from := min(int(at), len(original))
		doc := slices.Concat(original[:from], put, original[min(from+int(cut), len(original)):])
		v, err := proof.Verify(doc, opts)
		require.NoError(t, err)
		require.NoError(t, proof.Text(io.Discard, v))
		require.NoError(t, proof.Page(io.Discard, v, "vi"))
		if v.OK() {
			require.True(t, same(original, doc))
		}
	})
}
