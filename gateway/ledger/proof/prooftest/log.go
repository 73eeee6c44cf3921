// Package prooftest is a ledger with its transparency log in memory, and witnesses, for tests of what makes, checks or
// carries proofs. Nothing of it belongs in a program.
package prooftest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"io"
	mrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/compact"
	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/proto"

	ledgerproof "github.com/lienthong/lienthong/gateway/ledger/proof"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

// Log is a ledger and its log. It is for one goroutine.
type Log struct {
	t       testing.TB
	origin  string
	key     string
	signer  note.Signer
	random  io.Reader
	entries []journal.Entry
	nodes   map[compact.NodeID][]byte // of full subtrees
	heads   [][]byte                  // root by size
	tree    *compact.Range
}

// New makes an empty log of a ledger, such as "G06/gateway", with a key of its own.
func New(t testing.TB, origin string) *Log {
	t.Helper()
	return newLog(t, origin, rand.Reader)
}

// NewFixed makes an empty log whose key and salts are the same each time.
func NewFixed(t testing.TB, origin string) *Log {
	t.Helper()
	return newLog(t, origin, mrand.NewChaCha8([32]byte{}))
}

func newLog(t testing.TB, origin string, random io.Reader) *Log {
	t.Helper()
	public, signer := newKey(t, ledgerproof.LogPrefix+origin, random)
	f := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	return &Log{
		t: t, origin: origin, key: public, signer: signer, random: random,
		nodes: map[compact.NodeID][]byte{},
		heads: [][]byte{rfc6962.DefaultHasher.EmptyRoot()},
		tree:  f.NewEmptyRange(0),
	}
}

// newKey makes a note key of 32 random bytes; note.GenerateKey would not make the same of the same.
func newKey(t testing.TB, name string, random io.Reader) (public string, signer note.Signer) {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	_, err := io.ReadFull(random, seed)
	require.NoError(t, err)
	public, err = note.NewEd25519VerifierKey(name, ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	require.NoError(t, err)
	hash := strings.Split(public, "+")[1]
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, seed...)) // 1: Ed25519
	signer, err = note.NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" + secret)
	require.NoError(t, err)
	return public, signer
}

// Origin is the ledger's.
func (l *Log) Origin() string { return l.origin }

// Key is the log's verifier key.
func (l *Log) Key() string { return l.key }

// Size is the number of records.
func (l *Log) Size() uint64 { return uint64(len(l.entries)) }

// Entry returns a record with what stands around it.
func (l *Log) Entry(seq uint64) journal.Entry { return l.entries[seq] }

// Append adds a record as it is and returns its position. It sets nothing in it, not even its origin.
func (l *Log) Append(record *hubv1.LedgerRecord) uint64 {
	l.t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(record)
	require.NoError(l.t, err)
	return l.AppendBytes(b)
}

// AppendBytes adds bytes as a record and returns their position.
func (l *Log) AppendBytes(record []byte) uint64 {
	l.t.Helper()
	seq := l.Size()
	e := journal.Entry{Seq: seq, Time: time.Now(), Payload: bytes.Clone(record)}
	_, err := io.ReadFull(l.random, e.Salt[:])
	require.NoError(l.t, err)
	if seq > 0 {
		e.Prev = l.entries[seq-1].Digest
	}
	e.Digest = journal.Sum(e.Salt, seq, e.Prev, record)
	l.AppendEntry(e)
	return seq
}

// AppendEntry adds an entry as it is, right or wrong, behind the others.
func (l *Log) AppendEntry(e journal.Entry) {
	l.t.Helper()
	leaf := rfc6962.DefaultHasher.HashLeaf(e.Digest[:])
	l.nodes[compact.NewNodeID(0, l.Size())] = leaf
	require.NoError(l.t, l.tree.Append(leaf, func(id compact.NodeID, hash []byte) { l.nodes[id] = hash }))
	root, err := l.tree.GetRootHash(nil)
	require.NoError(l.t, err)
	l.entries, l.heads = append(l.entries, e), append(l.heads, root)
}

// Fill adds n records of exchanges that are of no further interest.
func (l *Log) Fill(n int) {
	l.t.Helper()
	for range n {
		l.Append(Exchange(l.origin))
	}
}

// Checkpoint is the signed tree of the first size records, cosigned by witnesses.
func (l *Log) Checkpoint(size uint64, witnesses ...*Witness) []byte {
	l.t.Helper()
	return l.Sign(log.Checkpoint{Origin: ledgerproof.LogPrefix + l.origin, Size: size, Hash: l.heads[size]}, witnesses...)
}

// Sign signs any checkpoint with the log's key, also one that tells a lie.
func (l *Log) Sign(c log.Checkpoint, witnesses ...*Witness) []byte {
	l.t.Helper()
	return l.SignText(string(c.Marshal()), witnesses...)
}

// SignText signs any text with the log's key, also one that is no checkpoint.
func (l *Log) SignText(text string, witnesses ...*Witness) []byte {
	l.t.Helper()
	signers := []note.Signer{l.signer}
	for _, w := range witnesses {
		signers = append(signers, w.signer)
	}
	signed, err := note.Sign(&note.Note{Text: text}, signers...)
	require.NoError(l.t, err)
	return signed
}

// Inclusion is the proof that the record at seq is in the tree of the first size records.
func (l *Log) Inclusion(seq, size uint64) [][]byte {
	l.t.Helper()
	n, err := merkle.Inclusion(seq, size)
	require.NoError(l.t, err)
	return l.rehash(n)
}

// Consistency is the proof that the tree of the first newer records begins with that of the first older ones.
func (l *Log) Consistency(older, newer uint64) [][]byte {
	l.t.Helper()
	n, err := merkle.Consistency(older, newer)
	require.NoError(l.t, err)
	return l.rehash(n)
}

func (l *Log) rehash(n merkle.Nodes) [][]byte {
	hashes := make([][]byte, len(n.IDs))
	for i, id := range n.IDs {
		hashes[i] = l.nodes[id]
		require.NotNil(l.t, hashes[i], "node %v", id)
	}
	out, err := n.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
	require.NoError(l.t, err)
	return out
}

// Source is what a proof of the record at seq is made of, under a checkpoint of all records, cosigned by witnesses.
// The texts of field lists are left to the caller.
func (l *Log) Source(seq uint64, witnesses ...*Witness) ledgerproof.Source {
	l.t.Helper()
	e := l.entries[seq]
	return ledgerproof.Source{
		Seq: seq, Salt: e.Salt, Prev: e.Prev, Record: e.Payload,
		Checkpoint: l.Checkpoint(l.Size(), witnesses...),
		Hashes:     l.Inclusion(seq, l.Size()),
	}
}
