package proof

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Document is proof.json. Binary values are base64 (RFC 4648 section 4, padded, canonical); numbers are decimal
// integers. All keys are required but those said to be optional, and no others are allowed. Order and blanks mean
// nothing.
//
// To check it by hand: digest must be SHA-256("lienthong/record/v1" 0x00 ‖ salt ‖ seq as 8 bytes, big endian ‖ prev ‖
// record); the leaf hash SHA-256(0x00 ‖ digest) and the hashes of inclusion must lead to the checkpoint's root as RFC
// 6962 section 2.1.1 says; the checkpoint must be signed by the log's key (c2sp.org/signed-note, tlog-checkpoint).
type Document struct {
	Version string `json:"version"` // "lienthong-proof/v1"
	Origin  string `json:"origin"`  // the ledger. Example: "G06/gateway"
	Seq     uint64 `json:"seq"`     // position of the record in it, from 0
	Salt    Bytes  `json:"salt"`    // 16 bytes
	Prev    Bytes  `json:"prev"`    // digest before it, 32 bytes; zeros before the first
	Digest  Bytes  `json:"digest"`  // digest of the record, 32 bytes: the data of its leaf
	Record  Bytes  `json:"record"`  // hub.v1.LedgerRecord, the very bytes that are kept

	// View is the record once more, for people: its JSON as protobuf defines it. Nothing is taken from it; a view that
	// says something else than the record is a fault.
	View json.RawMessage `json:"record_view"`

	Fields      Fields       `json:"fields"`
	Inclusion   Inclusion    `json:"inclusion"`
	Checkpoint  string       `json:"checkpoint"`            // signed note, with the cosignatures of witnesses when there are
	Consistency *Consistency `json:"consistency,omitempty"` // optional
}

// Fields are the texts of the field lists that the record names by their SHA-256: leaf paths, sorted, joined by
// commas. A list that the record does not name is empty.
type Fields struct {
	Released string `json:"released"`
	Withheld string `json:"withheld"`
}

// Inclusion says where the record's leaf is in the log's tree.
type Inclusion struct {
	Index  uint64  `json:"index"`     // of the leaf: the position of the record
	Size   uint64  `json:"tree_size"` // leaves of the tree: what the checkpoint says
	Hashes []Bytes `json:"hashes"`    // from the leaf's sibling upwards, 32 bytes each
}

// Consistency shows that the checkpoint's tree begins with the leaves of an older one.
type Consistency struct {
	Checkpoint string  `json:"checkpoint"` // the older one, a signed note
	Hashes     []Bytes `json:"hashes"`     // RFC 6962 section 2.1.2, 32 bytes each
}

// Bytes are binary data: base64 in JSON, and only in its canonical form, so that two texts never mean the same.
type Bytes []byte

// MarshalText never fails.
func (b Bytes) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(make([]byte, 0, base64.StdEncoding.EncodedLen(len(b))), b), nil
}

// UnmarshalText fails for all that MarshalText would not have written.
func (b *Bytes) UnmarshalText(text []byte) error {
	data, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil || bytes.ContainsAny(text, "\r\n") {
		return errors.New("a binary value is not base64 as RFC 4648 section 4 has it, padded and without line breaks")
	}
	*b = data
	return nil
}

// encode writes a document. The same document is the same bytes each time.
func encode(d *Document) ([]byte, error) {
	var out bytes.Buffer
	w := json.NewEncoder(&out)
	w.SetIndent("", "  ")
	if err := w.Encode(d); err != nil {
		return nil, fmt.Errorf("write proof: %w", err)
	}
	if out.Len() > MaxSize {
		return nil, fmt.Errorf("write proof: it has %d bytes, more than the %d that a proof may have", out.Len(), MaxSize)
	}
	return out.Bytes(), nil
}

// decode reads a document and checks its form, not what it says.
func decode(text []byte) (*Document, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("it has %d bytes, more than the %d that a proof may have", len(text), MaxSize)
	}
	if !utf8.Valid(text) {
		return nil, errors.New("it is not UTF-8")
	}
	if err := checkForm(text); err != nil {
		return nil, err
	}
	d := new(Document)
	if err := json.Unmarshal(text, d); err != nil {
		return nil, err
	}
	if d.Version != Version {
		return nil, fmt.Errorf("its version is %s, this program reads %s", quote(d.Version), Version)
	}
	return d, d.checkLengths()
}

func (d *Document) checkLengths() error {
	for _, v := range []struct {
		name string
		data Bytes
		want int
	}{
		{"salt", d.Salt, 16},
		{"prev", d.Prev, 32},
		{"digest", d.Digest, 32},
	} {
		if len(v.data) != v.want {
			return fmt.Errorf("%s has %d bytes and needs %d", v.name, len(v.data), v.want)
		}
	}
	if len(d.Record) == 0 {
		return errors.New("record is empty")
	}
	if err := checkHashes("inclusion", d.Inclusion.Hashes); err != nil {
		return err
	}
	if d.Consistency != nil {
		return checkHashes("consistency", d.Consistency.Hashes)
	}
	return nil
}

func checkHashes(name string, hashes []Bytes) error {
	for i, h := range hashes {
		if len(h) != 32 {
			return fmt.Errorf("hash %d of %s has %d bytes and needs 32", i, name, len(h))
		}
	}
	return nil
}

// plain returns hashes as the merkle package takes them.
func plain(hashes []Bytes) [][]byte {
	out := make([][]byte, len(hashes))
	for i, h := range hashes {
		out[i] = h
	}
	return out
}
