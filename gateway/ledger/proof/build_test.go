package proof_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	pb "google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
	"github.com/lienthong/lienthong/gateway/ledger/proof/prooftest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

func TestTheSameProofIsTheSameBytes(t *testing.T) {
	w := newWorld(t)
	first := w.Build(w.source)
	for range 20 {
		require.Equal(t, string(first), string(w.Build(w.source)))
	}
}

func TestALedgerWhosePartsDisagreeGivesNoProof(t *testing.T) {
	for name, spoil := range map[string]func(w *world, s *proof.Source){
		"salt":            func(_ *world, s *proof.Source) { s.Salt[0] ^= 1 },
		"digest before":   func(_ *world, s *proof.Source) { s.Prev[0] ^= 1 },
		"position":        func(_ *world, s *proof.Source) { s.Seq++ },
		"record":          func(w *world, s *proof.Source) { s.Record = marshal(w.t, exchange("G06/gateway", "other")) },
		"no record":       func(_ *world, s *proof.Source) { s.Record = nil },
		"hash":            func(_ *world, s *proof.Source) { s.Hashes[0] = bytes.Repeat([]byte{1}, 32) },
		"no hashes":       func(_ *world, s *proof.Source) { s.Hashes = nil },
		"checkpoint":      func(w *world, s *proof.Source) { s.Checkpoint = w.Checkpoint(records - 1) },
		"no checkpoint":   func(_ *world, s *proof.Source) { s.Checkpoint = nil },
		"not yet in it":   func(w *world, s *proof.Source) { s.Checkpoint = w.Checkpoint(position) },
		"missing list":    func(_ *world, s *proof.Source) { s.Released = "" },
		"list of another": func(_ *world, s *proof.Source) { s.Withheld = "person.blood_group" },
		"record too large": func(_ *world, s *proof.Source) {
			s.Record = marshal(t, exchange("G06/gateway", string(make([]byte, journal.MaxRecord))))
		},
	} {
		w := newWorld(t)
		spoil(w, &w.source)
		doc, err := proof.Build(w.source)
		require.Error(t, err, name)
		require.Nil(t, doc, name)
	}
}

func TestALedgerOfAnotherNameGivesNoProof(t *testing.T) {
	l := prooftest.New(t, "G06/gateway")
	s := l.Source(l.Append(prooftest.Exchange("H27/gateway")))
	s.Released, s.Withheld = prooftest.Released, prooftest.Withheld
	_, err := proof.Build(s)
	require.ErrorContains(t, err, proof.CheckOrigin)
}

func TestARecordThatNamesPeopleIsNotProven(t *testing.T) {
	people := []*hubv1.DataSubject{{Kind: 1, Value: "001087654321"}}
	for _, r := range []*hubv1.LedgerRecord{
		{Origin: "G06/gateway", Event: &hubv1.LedgerRecord_Exchange{Exchange: &hubv1.Exchange{Subjects: people}}},
		{Origin: "G06/gateway", Event: &hubv1.LedgerRecord_Intent{Intent: &hubv1.Intent{Subjects: people}}},
	} {
		l := prooftest.New(t, "G06/gateway")
		_, err := proof.Build(l.Source(l.Append(r)))
		require.Error(t, err)
		require.NotContains(t, err.Error(), "001087654321")
	}
}

func exchange(origin, text string) *hubv1.LedgerRecord {
	r := prooftest.Exchange(origin)
	r = pb.CloneOf(r)
	r.GetExchange().LegalBasis = text
	return r
}

func TestTheLargestRecordOfALedgerCanBeProven(t *testing.T) {
	r := exchange("G06/gateway", "")
	size := journal.MaxRecord - pb.Size(r) - 8
	r.GetExchange().LegalBasis = string(make([]byte, size)) // each of these characters has six in JSON
	w := newWorld(t)
	v := verify(t, w.Prove(w.Append(r)), proof.Options{LogKey: w.Key()})
	require.True(t, v.OK(), "%+v", v.Failure())
}
