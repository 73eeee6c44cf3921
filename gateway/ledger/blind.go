package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// blinding makes hashes of data subjects look different in each exchange: a proof holds the record as it is kept, and
// who has two proofs must not see that they are about the same person. What is kept of a hash H in the record of
// exchange I is AES(H xor AES(I)), under a key that only the ledger has, so that the ledger finds H again.
type blinding struct{ block cipher.Block }

// newBlinding derives its key from the secret of receipts.
func newBlinding(receipt *keyed) (*blinding, error) {
	key := receipt.sum('b', "subject hashes")
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("key of subject hashes: %w", err)
	}
	return &blinding{block}, nil
}

// hide returns hashes as they stand in the record of an exchange.
func (b *blinding) hide(id []byte, hashes [][]byte) [][]byte {
	mask := b.mask(id)
	hidden := make([][]byte, len(hashes))
	for i, h := range hashes {
		hidden[i] = make([]byte, hashSize)
		subtle.XORBytes(hidden[i], h, mask[:])
		b.block.Encrypt(hidden[i], hidden[i])
	}
	return hidden
}

// show turns one hash of the record of an exchange, in place, into what it was before it was hidden.
func (b *blinding) show(id, hash []byte) {
	mask := b.mask(id)
	b.block.Decrypt(hash, hash)
	subtle.XORBytes(hash, hash, mask[:])
}

func (b *blinding) mask(id []byte) (mask [hashSize]byte) {
	copy(mask[:], id)
	b.block.Encrypt(mask[:], mask[:])
	return mask
}

// Where hashes stand in the events of a record; its id is the first field of each.
var hashFields = func() map[protowire.Number]protowire.Number {
	number := func(message, field string) protowire.Number {
		return hubv1.File_hub_v1_ledger_proto.Messages().ByName(protoreflect.Name(message)).Fields().ByName(protoreflect.Name(field)).Number()
	}
	return map[protowire.Number]protowire.Number{
		number("LedgerRecord", "exchange"): number("Exchange", "subject_hashes"),
		number("LedgerRecord", "intent"):   number("Intent", "subject_hashes"),
		number("LedgerRecord", "access"):   number("Access", "subject_hashes"),
	}
}()

// hideOne is hide for one hash, in place.
func (b *blinding) hideOne(id, hash []byte) {
	mask := b.mask(id)
	subtle.XORBytes(hash, hash, mask[:])
	b.block.Encrypt(hash, hash)
}

// eachHash calls f with the id of what is recorded and each hash of a data subject in a record's canonical bytes. What
// is no record has none.
func eachHash(record []byte, f func(id, hash []byte)) {
	each(record, func(event protowire.Number, body []byte) {
		field, ok := hashFields[event]
		if !ok {
			return
		}
		var id []byte
		each(body, func(number protowire.Number, value []byte) {
			switch {
			case number == 1:
				id = value
			case number == field && len(value) == hashSize:
				f(id, value)
			}
		})
	})
}

// each calls f with every field of a message that has a length, until one cannot be read.
func each(message []byte, f func(protowire.Number, []byte)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		if kind == protowire.BytesType {
			value, n := protowire.ConsumeBytes(message)
			if n < 0 {
				return
			}
			f(number, value)
			message = message[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return
		}
		message = message[n:]
	}
}
