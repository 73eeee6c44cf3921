package proof_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
	"github.com/lienthong/lienthong/gateway/ledger/proof/prooftest"
	"github.com/lienthong/lienthong/proto/journal"
)

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	doc := w.Build(w.source)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		v, err := proof.Verify(doc, w.opts)
		require.NoError(b, err)
		require.True(b, v.OK())
	}
}

func BenchmarkBuild(b *testing.B) {
	w := newWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		_, err := proof.Build(w.source)
		require.NoError(b, err)
	}
}

// The proof of the largest record that a journal takes, and the largest document, nothing but work for the parser.
func BenchmarkVerifyLargest(b *testing.B) {
	l := prooftest.New(b, "G06/gateway")
	r := prooftest.Exchange("G06/gateway")
	for range journal.MaxRecord/19 - 100 {
		r.GetExchange().SubjectHashes = append(r.GetExchange().SubjectHashes, []byte("0123456789abcdef"))
	}
	whole := l.Prove(l.Append(r))
	nested := make([]byte, 0, proof.MaxSize)
	nested = append(nested, `{"record_view":[`...)
	for len(nested) < proof.MaxSize-10 {
		nested = append(nested, "[],"...)
	}
	for name, doc := range map[string][]byte{"whole": whole, "nested": append(nested, "0]}"...)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				_, err := proof.Verify(doc, proof.Options{LogKey: l.Key()})
				require.NoError(b, err)
			}
		})
	}
}

func BenchmarkDigests(b *testing.B) {
	key, answer := make([]byte, 32), make([]byte, 600)
	b.ReportAllocs()
	for b.Loop() {
		proof.AnswerDigest(key, answer)
	}
}
