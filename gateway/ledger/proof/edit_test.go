package proof_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	pb "google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// same reports whether two texts are the same document: blanks, order of keys, and ways to write the same JSON string
// or number aside.
func same(a, b []byte) bool {
	x, err := proof.Decode(a)
	if err != nil {
		return false
	}
	y, err := proof.Decode(b)
	if err != nil {
		return false
	}
	var u, v hubv1.LedgerRecord
	if protojson.Unmarshal(x.View, &u) != nil || protojson.Unmarshal(y.View, &v) != nil || !pb.Equal(&u, &v) {
		return false
	}
	x.View, y.View = []byte("{}"), []byte("{}")
	m, err := proof.Encode(x)
	if err != nil {
		return false
	}
	n, err := proof.Encode(y)
	return err == nil && bytes.Equal(m, n)
}

// requireFoundOrSame fails when a document that says something else than the original holds.
func requireFoundOrSame(t *testing.T, original, edited []byte, opts proof.Options) (found bool) {
	t.Helper()
	v, err := proof.Verify(edited, opts)
	require.NoError(t, err)
	if v.OK() && !same(original, edited) {
		require.Fail(t, "a changed proof holds", "%s", edited)
	}
	return !v.OK()
}

func TestEveryChangedBitIsFoundOrMeansNothing(t *testing.T) {
	w := newWorld(t)
	original := w.Build(w.source)
	found, tried := 0, 0
	// One bit of every fifth byte, others in each run: all of them take minutes under the race detector.
	for i := rand.IntN(5); i < len(original); i += 5 {
		bit := rand.IntN(8)
		tried++
		edited := bytes.Clone(original)
		edited[i] ^= 1 << bit
		if requireFoundOrSame(t, original, edited, w.opts) {
			found++
		}
	}
	require.Greater(t, found, tried*8/10, "most bytes are not blanks")
}

func TestOfAThousandRandomEditsNoneIsMissed(t *testing.T) {
	w := newWorld(t)
	original := w.Build(w.source)
	other := w.Build(func() proof.Source { // whole parts of another valid proof are the best forgeries
		s := w.Source(position+1, w.witnesses...)
		s.Released, s.Withheld, s.Since, s.Consistency = w.source.Released, w.source.Withheld, w.source.Since, w.source.Consistency
		return s
	}())
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	found := 0
	for range 1000 {
		if requireFoundOrSame(t, original, edit(rng, original, other), w.opts) {
			found++
		}
	}
	require.Greater(t, found, 800)
}

// edit makes one to three changes.
func edit(rng *rand.Rand, original, other []byte) []byte {
	b := bytes.Clone(original)
	for range 1 + rng.IntN(3) {
		i := rng.IntN(len(b))
		j := min(len(b), i+1+rng.IntN(40))
		switch rng.IntN(6) {
		case 0:
			b[i] ^= 1 << rng.IntN(8)
		case 1:
			b[i] = byte(rng.Uint32())
		case 2:
			b = append(b[:i], b[j:]...)
		case 3:
			b = append(b[:i:i], append([]byte{byte(rng.Uint32())}, b[i:]...)...)
		case 4:
			k := rng.IntN(len(b))
			b[i], b[k] = b[k], b[i]
		case 5: // a line of the other proof in the place of the same line of this
			lines, others := bytes.Split(b, []byte("\n")), bytes.Split(other, []byte("\n"))
			k := rng.IntN(min(len(lines), len(others)))
			lines[k] = others[k]
			b = bytes.Join(lines, []byte("\n"))
		}
	}
	return b
}

func TestAnotherProofsPartsDoNotFit(t *testing.T) {
	w := newWorld(t)
	next := w.Source(position+1, w.witnesses...)
	next.Released, next.Withheld = w.source.Released, w.source.Withheld
	mine, theirs := w.document(w.source), w.document(next)
	for name, swap := range map[string]func(d *proof.Document){
		"salt":      func(d *proof.Document) { d.Salt = theirs.Salt },
		"prev":      func(d *proof.Document) { d.Prev = theirs.Prev },
		"digest":    func(d *proof.Document) { d.Digest = theirs.Digest },
		"seq":       func(d *proof.Document) { d.Seq, d.Inclusion.Index = theirs.Seq, theirs.Seq },
		"inclusion": func(d *proof.Document) { d.Inclusion = theirs.Inclusion },
		"leaf": func(d *proof.Document) {
			d.Salt, d.Prev, d.Digest, d.Inclusion = theirs.Salt, theirs.Prev, theirs.Digest, theirs.Inclusion
		},
	} {
		d := *mine
		swap(&d)
		require.False(t, verify(t, encode(t, &d), w.opts).OK(), name)
	}
}
