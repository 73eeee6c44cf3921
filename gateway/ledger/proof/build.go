package proof

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/lienthong/lienthong/proto/journal"
)

// Source is what a proof is made of. Its slices are read only.
type Source struct {
	Seq    uint64 // position of the record
	Salt   journal.Salt
	Prev   journal.Digest // before it
	Record []byte         // the record as it is kept: hub.v1.LedgerRecord

	Released, Withheld string // texts of the field lists that the record names; empty where it names none

	Checkpoint []byte   // signed, of a tree that has the record; with cosignatures when there are
	Hashes     [][]byte // proof of inclusion at Seq in the checkpoint's tree

	Since       []byte   // a signed older checkpoint to show consistency with; nil: none
	Consistency [][]byte // proof of consistency from Since to Checkpoint
}

// Build makes the document. It fails when the document would not hold, so that a ledger whose parts disagree gives no
// proof; signatures are the only thing that it does not check.
func Build(s Source) ([]byte, error) {
	head, err := readHead(string(s.Checkpoint))
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	if len(s.Record) > journal.MaxRecord {
		return nil, fmt.Errorf("the record has %d bytes, more than the %d that a ledger takes", len(s.Record), journal.MaxRecord)
	}
	record, err := decodeRecord(s.Record)
	if err != nil {
		return nil, err
	}
	if err := checkKept(record); err != nil {
		return nil, err
	}
	view, err := protojson.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("write record as JSON: %w", err)
	}
	digest := journal.Sum(s.Salt, s.Seq, s.Prev, s.Record)
	d := &Document{
		Version:    Version,
		Origin:     record.GetOrigin(),
		Seq:        s.Seq,
		Salt:       s.Salt[:],
		Prev:       s.Prev[:],
		Digest:     digest[:],
		Record:     s.Record,
		View:       view,
		Fields:     Fields{Released: s.Released, Withheld: s.Withheld},
		Inclusion:  Inclusion{Index: s.Seq, Size: head.Size, Hashes: wrap(s.Hashes)},
		Checkpoint: string(s.Checkpoint),
	}
	if s.Since != nil {
		d.Consistency = &Consistency{Checkpoint: string(s.Since), Hashes: wrap(s.Consistency)}
	}
	out, err := encode(d)
	if err != nil {
		return nil, err
	}
	if err := checkBuilt(out); err != nil {
		return nil, err
	}
	return out, nil
}

// checkBuilt examines a document with all checks that need no key.
func checkBuilt(doc []byte) error {
	x := &examination{verdict: new(Verdict)}
	x.read(doc)
	for _, s := range steps {
		switch s.name {
		case CheckSignature, CheckConsistency, CheckWitnesses, CheckRequest, CheckAnswer:
			continue
		}
		if f := s.run(x); f.state != Passed {
			return fmt.Errorf("the ledger's parts disagree, so nothing can be proven; see: lienthong ledger check: %s: %s", s.name, f.said.en)
		}
	}
	return nil
}

func wrap(hashes [][]byte) []Bytes {
	out := make([]Bytes, len(hashes)) // never null in JSON
	for i, h := range hashes {
		out[i] = h
	}
	return out
}
