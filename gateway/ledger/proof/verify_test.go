package proof_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	pb "google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
	"github.com/lienthong/lienthong/gateway/ledger/proof/prooftest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

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

// The whole proof once more, by the formulas of the documentation alone.
func TestAProofCanBeCheckedByHand(t *testing.T) {
	w := newWorld(t)
	d := w.document(w.source)
	h := sha256.New()
	h.Write([]byte("lienthong/record/v1\x00"))
	h.Write(d.Salt)
	h.Write(binary.BigEndian.AppendUint64(nil, d.Seq))
	h.Write(d.Prev)
	h.Write(d.Record)
	require.Equal(t, h.Sum(nil), []byte(d.Digest))

	node := sha256.Sum256(append([]byte{0}, d.Digest...))
	index, last := d.Inclusion.Index, d.Inclusion.Size-1
	for _, sibling := range d.Inclusion.Hashes { // RFC 9162 section 2.1.3.2
		if index%2 == 1 || index == last {
			node = sha256.Sum256(slices.Concat([]byte{1}, sibling, node[:]))
			for index%2 == 0 && index != 0 {
				index, last = index/2, last/2
			}
		} else {
			node = sha256.Sum256(slices.Concat([]byte{1}, node[:], sibling))
		}
		index, last = index/2, last/2
	}
	require.Zero(t, last)
	require.Equal(t, base64.StdEncoding.EncodeToString(node[:]), strings.Split(d.Checkpoint, "\n")[2])

	text, signatures, _ := strings.Cut(d.Checkpoint, "\n\n")
	signature, err := base64.StdEncoding.DecodeString(strings.Fields(signatures)[2])
	require.NoError(t, err)
	key, err := base64.StdEncoding.DecodeString(strings.SplitN(w.Key(), "+", 3)[2])
	require.NoError(t, err)
	require.True(t, ed25519.Verify(key[1:], []byte(text+"\n"), signature[4:]))
}

func TestEveryRecordOfEveryTreeCanBeProven(t *testing.T) {
	w := prooftest.New(t, "G06/gateway")
	const most = 130
	w.Fill(most)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Uint64Range(1, most).Draw(t, "size")
		seq := rapid.Uint64Range(0, size-1).Draw(t, "seq")
		older := rapid.Uint64Range(0, size).Draw(t, "older")
		s := w.Source(seq)
		s.Released, s.Withheld = prooftest.Released, prooftest.Withheld
		s.Checkpoint, s.Hashes = w.Checkpoint(size), w.Inclusion(seq, size)
		s.Since, s.Consistency = w.Checkpoint(older), w.Consistency(older, size)
		v, err := proof.Verify(w.Build(s), proof.Options{LogKey: w.Key(), Since: s.Since})
		require.NoError(t, err)
		require.True(t, v.OK(), "%+v", v.Failure())
	})
}

// A flaw is made in a document, or in what the verifier brings along, and one check alone finds it.
func TestEachCheckFindsItsFlawAlone(t *testing.T) {
	otherLog := prooftest.New(t, "G06/gateway")
	stranger := prooftest.NewWitness(t, "G12/witness")
	for check, spoil := range map[string]func(w *world, d *proof.Document){
		proof.CheckForm: func(_ *world, d *proof.Document) { d.Version = "lienthong-proof/v2" },
		proof.CheckSignature: func(w *world, d *proof.Document) {
			d.Checkpoint = string(otherLog.Sign(w.head(records), w.witnesses...))
		},
		proof.CheckOrigin: func(w *world, d *proof.Document) {
			now, old := w.head(records), w.head(since)
			now.Origin, old.Origin = "lienthong/G06/other", "lienthong/G06/other"
			d.Checkpoint, d.Consistency.Checkpoint = string(w.Sign(now, w.witnesses...)), string(w.Sign(old))
			w.opts.Since = w.Sign(old)
		},
		proof.CheckInclusion:   func(_ *world, d *proof.Document) { d.Inclusion.Hashes[3][0] ^= 1 },
		proof.CheckDigest:      func(_ *world, d *proof.Document) { d.Salt[0] ^= 1 },
		proof.CheckView:        func(_ *world, d *proof.Document) { d.View = []byte(`{"origin":"G06/gateway"}`) },
		proof.CheckFields:      func(_ *world, d *proof.Document) { d.Fields.Withheld = "" },
		proof.CheckConsistency: func(_ *world, d *proof.Document) { d.Consistency.Hashes[0][0] ^= 1 },
		proof.CheckWitnesses:   func(w *world, _ *proof.Document) { w.opts.Witnesses[1] = stranger.Key },
		proof.CheckRequest:     func(w *world, _ *proof.Document) { w.opts.Request = prooftest.Answer },
		proof.CheckAnswer:      func(w *world, _ *proof.Document) { w.opts.Answer = prooftest.Request },
	} {
		t.Run(check, func(t *testing.T) {
			w := newWorld(t)
			d := w.document(w.source)
			spoil(w, d)
			requireOnly(t, check, verify(t, encode(t, d), w.opts))
		})
	}
}

func TestARecordThatCannotBeReadFailsAlone(t *testing.T) {
	for name, record := range map[string][]byte{
		"no protobuf":   []byte("\xff\xff\xff"),
		"newer field":   append(marshal(t, prooftest.Exchange("G06/gateway")), 0xa2, 0x06, 0x01, 'x'),
		"unknown event": []byte("\x12\x0bG06/gateway"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := w.document(w.source)
			seq := w.AppendBytes(record)
			e := w.Entry(seq)
			d.Seq, d.Salt, d.Prev, d.Digest, d.Record = seq, e.Salt[:], e.Prev[:], e.Digest[:], e.Payload
			d.Checkpoint = string(w.Checkpoint(w.Size(), w.witnesses...))
			d.Inclusion = proof.Inclusion{Index: seq, Size: w.Size(), Hashes: bytesOf(w.Inclusion(seq, w.Size()))}
			d.Consistency.Hashes = bytesOf(w.Consistency(since, w.Size()))
			requireOnly(t, proof.CheckRecord, verify(t, encode(t, d), w.opts))
		})
	}
}

func TestAnotherPositionOrTreeSizeIsNoProof(t *testing.T) {
	for name, spoil := range map[string]func(d *proof.Document){
		"index":                  func(d *proof.Document) { d.Inclusion.Index++ },
		"size":                   func(d *proof.Document) { d.Inclusion.Size++ },
		"one hash less":          func(d *proof.Document) { d.Inclusion.Hashes = d.Inclusion.Hashes[1:] },
		"position beyond":        func(d *proof.Document) { d.Seq, d.Inclusion.Index = records, records },
		"record of another leaf": func(d *proof.Document) { d.Digest[31] ^= 0x80 },
	} {
		w := newWorld(t)
		d := w.document(w.source)
		spoil(d)
		require.Contains(t, failures(verify(t, encode(t, d), w.opts)), proof.CheckInclusion, name)
	}
}

// Only a log that lies has the digest of a record in two places.
func TestARecordStandsWhereItSays(t *testing.T) {
	w := newWorld(t)
	w.AppendEntry(w.Entry(position))
	d := w.document(w.source)
	d.Checkpoint = string(w.Checkpoint(w.Size()))
	d.Inclusion = proof.Inclusion{Index: records, Size: w.Size(), Hashes: bytesOf(w.Inclusion(records, w.Size()))}
	d.Consistency = nil
	requireOnly(t, proof.CheckInclusion, verify(t, encode(t, d), proof.Options{LogKey: w.Key()}))
}

func TestARecordIsOfTheLedgerThatTheDocumentSays(t *testing.T) {
	w := newWorld(t)
	head := w.head(records)
	head.Origin = "lienthong/H27/gateway"
	d := w.document(w.source)
	d.Origin, d.Checkpoint, d.Consistency = "H27/gateway", string(w.Sign(head)), nil
	requireOnly(t, proof.CheckOrigin, verify(t, encode(t, d), proof.Options{LogKey: w.Key()}))
}

func TestAListThatTheRecordDoesNotNameIsNotBelieved(t *testing.T) {
	w := newWorld(t)
	r := prooftest.Exchange("G06/gateway")
	r.GetExchange().WithheldDigest = nil
	s := w.Source(w.Append(r))
	s.Released = prooftest.Released
	d := w.document(s)
	d.Fields.Withheld = "person.religion"
	requireOnly(t, proof.CheckFields, verify(t, encode(t, d), proof.Options{LogKey: w.Key()}))
}

func TestNotEveryWitnessIsNeeded(t *testing.T) {
	w := newWorld(t)
	doc := w.Prove(position, w.witnesses[0])
	opts := proof.Options{LogKey: w.Key(), Witnesses: w.opts.Witnesses, Needed: 1}
	v := verify(t, doc, opts)
	require.True(t, v.OK())
	require.Equal(t, "H27/witness", v.Cosigned[0].Witness)
	opts.Needed = 2
	requireOnly(t, proof.CheckWitnesses, verify(t, doc, opts))
}

func TestSignaturesThatNobodyAskedAboutAreCountedAndNotNamed(t *testing.T) {
	w := newWorld(t)
	v := verify(t, w.Prove(position, w.witnesses...), proof.Options{LogKey: w.Key()})
	require.True(t, v.OK())
	require.Empty(t, v.Cosigned)
	require.Equal(t, 2, v.Ignored)
	require.NotContains(t, page(t, v, "en"), "H27/witness")
}

func TestAnEmptyAnswerIsAnAnswer(t *testing.T) {
	w := newWorld(t)
	key, err := proof.ParseReceiptKey(prooftest.ReceiptKey)
	require.NoError(t, err)
	r := prooftest.Exchange("G06/gateway")
	r.GetExchange().AnswerDigest = proof.AnswerDigest(key, nil)
	doc := w.Prove(w.Append(r))
	opts := proof.Options{LogKey: w.Key(), Answer: []byte{}, ReceiptKey: prooftest.ReceiptKey}
	v := verify(t, doc, opts)
	require.Equal(t, proof.Passed, v.Checks[len(v.Checks)-1].State, v.Checks[len(v.Checks)-1].Detail)
	opts.Answer = []byte{0}
	requireOnly(t, proof.CheckAnswer, verify(t, doc, opts))
}

func TestWhoSavedTheAnswerAsJSONIsToldSo(t *testing.T) {
	w := newWorld(t)
	w.opts.Answer = []byte("{\"person\": {}}\n")
	f := verify(t, w.Build(w.source), w.opts).Failure()
	require.Equal(t, proof.CheckAnswer, f.Name)
	require.Contains(t, f.Detail, "--raw")
}

func TestARefusalHasNoAnswerToCompareWith(t *testing.T) {
	w := newWorld(t)
	r := prooftest.Exchange("G06/gateway")
	e := r.GetExchange()
	e.Outcome, e.Reason, e.Result = hubv1.Exchange_OUTCOME_REFUSED, "NO_AGREEMENT", nil
	e.AnswerDigest, e.ReleasedDigest, e.WithheldDigest = nil, nil, nil
	doc := w.Build(w.Source(w.Append(r)))
	requireOnly(t, proof.CheckAnswer, verify(t, doc, proof.Options{LogKey: w.Key(), Answer: prooftest.Answer, ReceiptKey: prooftest.ReceiptKey}))
}

func TestAnIntentsRequestCanBeShown(t *testing.T) {
	w := newWorld(t)
	digest := prooftest.Exchange("G06/gateway").GetExchange().GetRequestDigest()
	seq := w.Append(&hubv1.LedgerRecord{Origin: "G06/gateway", Event: &hubv1.LedgerRecord_Intent{Intent: &hubv1.Intent{RequestDigest: digest}}})
	v := verify(t, w.Build(w.Source(seq)), proof.Options{LogKey: w.Key(), Request: prooftest.Request, ReceiptKey: prooftest.ReceiptKey})
	require.True(t, v.OK(), "%+v", v.Failure())
}

func TestOptionsThatCannotBeUsedAreAnError(t *testing.T) {
	w := newWorld(t)
	doc := w.Build(w.source)
	other := prooftest.New(t, "G06/gateway").Key()
	for name, spoil := range map[string]func(o *proof.Options){
		"no key":               func(o *proof.Options) { o.LogKey = "" },
		"no verifier key":      func(o *proof.Options) { o.LogKey = "a+b+c" },
		"character changed":    func(o *proof.Options) { o.LogKey = o.LogKey[:len(o.LogKey)-3] + other[len(other)-3:] },
		"private key":          func(o *proof.Options) { o.LogKey = "PRIVATE+KEY+" + o.LogKey },
		"witness as log":       func(o *proof.Options) { o.LogKey = o.Witnesses[0] },
		"bad witness":          func(o *proof.Options) { o.Witnesses[0] = "x" },
		"witness's character":  func(o *proof.Options) { o.Witnesses[0] = strings.Replace(o.Witnesses[0], "H27", "H28", 1) },
		"one witness twice":    func(o *proof.Options) { o.Witnesses[0] = o.Witnesses[1] },
		"log as witness":       func(o *proof.Options) { o.Witnesses[0] = o.LogKey },
		"more needed":          func(o *proof.Options) { o.Needed = 3 },
		"fewer than none":      func(o *proof.Options) { o.Needed = -1 },
		"needed, none given":   func(o *proof.Options) { o.Needed, o.Witnesses = 1, nil },
		"answer, no receipt":   func(o *proof.Options) { o.ReceiptKey = "" },
		"receipt of 31 bytes":  func(o *proof.Options) { o.ReceiptKey = proof.FormatReceiptKey(make([]byte, 31)) },
		"receipt cut":          func(o *proof.Options) { o.ReceiptKey = o.ReceiptKey[1:] },
		"receipt with newline": func(o *proof.Options) { o.ReceiptKey += "\n" },
	} {
		o := w.opts
		o.Witnesses = append([]string(nil), o.Witnesses...)
		spoil(&o)
		v, err := proof.Verify(doc, o)
		require.Error(t, err, name)
		require.Nil(t, v, name)
		require.NotContains(t, err.Error(), prooftest.ReceiptKey[2:], name)
	}
}

func marshal(t testing.TB, m pb.Message) []byte {
	t.Helper()
	b, err := pb.Marshal(m)
	require.NoError(t, err)
	return b
}

// head is the tree of the first size records, to sign it otherwise.
func (w *world) head(size uint64) log.Checkpoint {
	w.t.Helper()
	var c log.Checkpoint
	_, err := c.Unmarshal(w.Checkpoint(size))
	require.NoError(w.t, err)
	return c
}

// Whoever has one log's key could otherwise prove what he likes about every other ledger to those who trust that key.
func TestALogsKeySpeaksOfItsOwnLedgerAlone(t *testing.T) {
	forged := prooftest.New(t, "G06/gateway")
	forged.Append(prooftest.Exchange("G24/gateway"))
	s := forged.Source(0)
	head := log.Checkpoint{Origin: proof.LogPrefix + "G24/gateway", Size: 1}
	head.Hash = rfc6962.DefaultHasher.HashLeaf(digestOf(forged.Entry(0)))
	s.Checkpoint, s.Released, s.Withheld = forged.Sign(head), prooftest.Released, prooftest.Withheld
	doc, err := proof.Build(s)
	require.NoError(t, err)
	requireOnly(t, proof.CheckOrigin, verify(t, doc, proof.Options{LogKey: forged.Key()}))
}

func digestOf(e journal.Entry) []byte { return e.Digest[:] }
